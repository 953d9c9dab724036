// What a pod's runtime class costs, and where it is to be had (admission plug-in RuntimeClass).

import type { Pod } from '../../api/core.ts';
import { type RuntimeClass, runtimeClasses } from '../../api/scheduling.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { type AdmissionAttributes, type AdmissionPlugin, isPodWrite, refusal } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';
import { mergeTolerations } from './tolerations.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Scheduling = NonNullable<RuntimeClass['scheduling']>;

const specOf = ({ object }: AdmissionAttributes) => (object as Pod).spec;
/** An empty map, too, is something that somebody has written. */
const isSet = (map: object | undefined) => map !== undefined && map !== null;
const mismatch = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

export function runtimeClass(view: ClusterView): AdmissionPlugin {
  async function classOf(attributes: AdmissionAttributes): Promise<RuntimeClass | undefined> {
    const name = specOf(attributes)?.runtimeClassName;
    if (!name) return undefined;
    const found = await view.get(runtimeClasses, '', name);
    if (!found) throw refusal(attributes, `pod rejected: RuntimeClass "${name}" not found`);
    return found;
  }
  const concerns = (attributes: AdmissionAttributes) => {
    const spec = specOf(attributes);
    return Boolean(spec?.runtimeClassName) || isSet(spec?.overhead);
  };
  return {
    name: 'RuntimeClass',
    operations: ['CREATE'],
    handles: (attributes) => isPodWrite(attributes) && concerns(attributes),
    async admit(attributes) {
      const found = await classOf(attributes);
      const spec = specOf(attributes);
      if (!found || !spec) return;
      const { podFixed } = found.overhead ?? {};
      if (podFixed) {
        if (isSet(spec.overhead) && !semanticEqual(spec.overhead, podFixed)) throw refusal(attributes, mismatch);
        spec.overhead = { ...podFixed };
      }
      if (found.scheduling) applyScheduling(found.scheduling, spec, attributes);
    },
    async validate(attributes) {
      const found = await classOf(attributes);
      const overhead = specOf(attributes)?.overhead;
      const { podFixed } = found?.overhead ?? {};
      if (podFixed) {
        if (!semanticEqual(overhead, podFixed)) throw refusal(attributes, mismatch);
      } else if (isSet(overhead))
        throw refusal(attributes, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
    },
  };
}

function applyScheduling({ nodeSelector, tolerations }: Scheduling, spec: PodSpec, attributes: AdmissionAttributes): void {
  for (const key in nodeSelector) {
    const [own, wanted] = [spec.nodeSelector?.[key], nodeSelector[key] as string];
    if (own !== undefined && own !== wanted) {
      const why = `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${wanted}; pod.spec.nodeSelector[${key}] = ${own}`;
      throw refusal(attributes, why);
    }
    spec.nodeSelector = { ...spec.nodeSelector, [key]: wanted };
  }
  const merged = mergeTolerations(spec.tolerations ?? [], tolerations ?? []);
  if (merged.length) spec.tolerations = merged;
}
