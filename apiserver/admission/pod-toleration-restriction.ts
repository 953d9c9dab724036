// What a namespace's pods tolerate without saying so, and what they may tolerate at all (admission plug-in
// PodTolerationRestriction).

import { type Namespace, namespaces, type Pod } from '../../api/core.ts';
import type { FieldError } from '../../api/field-error.ts';
import type { Toleration } from '../../api/pod-parts.ts';
import { qosClassOf } from '../../api/pods.ts';
import { notFoundError } from '../../api/status.ts';
import { tolerationsErrors } from '../resources/pod-scheduling.ts';
import { type AdmissionAttributes, type AdmissionPlugin, isPodWrite, plainError } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';
import type { PluginConfiguration } from './configuration/admission-configuration.ts';
import { strictObject } from './configuration/strict-object.ts';
import { AdmissionConfigurationError } from './plugin-order.ts';
import { isSuperset, mergeTolerations } from './tolerations.ts';

export interface TolerationRestriction {
  /** Of namespaces that have none of their own. */
  readonly default: readonly Toleration[];
  readonly whitelist: readonly Toleration[];
}

const annotations = {
  default: 'scheduler.alpha.kubernetes.io/defaultTolerations',
  whitelist: 'scheduler.alpha.kubernetes.io/tolerationsWhitelist',
} as const;

const toleration = { key: 'string', operator: 'string', value: 'string', effect: 'string', tolerationSeconds: 'integer' } as const;
const kind = {
  kind: 'Configuration',
  group: 'podtolerationrestriction.admission.k8s.io',
  versions: ['v1alpha1'],
  shape: { default: [toleration], whitelist: [toleration] },
} as const;

/** @throws AdmissionConfigurationError */
export function readTolerationRestriction(configuration?: PluginConfiguration): TolerationRestriction {
  const written = (configuration ? strictObject(configuration.value, kind) : {}) as Partial<Record<keyof typeof annotations, Toleration[]>>;
  const restriction = { default: written.default ?? [], whitelist: written.whitelist ?? [] };
  const errors: FieldError[] = [];
  for (const field of ['default', 'whitelist'] as const) tolerationsErrors(restriction[field], `podtolerationrestriction.${field}`, errors);
  if (errors.length) {
    const texts = errors.map(({ field, message }) => `${field}: ${message}`);
    throw new AdmissionConfigurationError(`invalid config: [${texts.join(' ')}]`);
  }
  return restriction;
}

export function podTolerationRestriction(view: ClusterView, restriction: TolerationRestriction): AdmissionPlugin {
  async function namespaceOf({ namespace }: AdmissionAttributes): Promise<Namespace> {
    const found = await view.get(namespaces, '', namespace);
    if (!found) throw notFoundError(namespaces, namespace);
    return found;
  }

  async function validate(attributes: AdmissionAttributes): Promise<void> {
    const tolerations = (attributes.object as Pod).spec?.tolerations ?? [];
    if (tolerations.length === 0) return;
    const own = annotatedTolerations(await namespaceOf(attributes), 'whitelist');
    const allowed = own ?? restriction.whitelist;
    if (allowed.length === 0 || tolerations.every((each) => allowed.some((other) => isSuperset(other, each)))) return;
    const whose = own ? 'namespace' : 'cluster';
    throw plainError(`pod tolerations (possibly merged with namespace default tolerations) conflict with its ${whose} whitelist`);
  }

  return {
    name: 'PodTolerationRestriction',
    operations: ['CREATE', 'UPDATE'],
    handles: isPodWrite,
    async admit(attributes) {
      const pod = attributes.object as Pod;
      const extra: Toleration[] = [];
      if (attributes.operation === 'CREATE')
        extra.push(...(annotatedTolerations(await namespaceOf(attributes), 'default') ?? restriction.default));
      if (qosClassOf(pod) !== 'BestEffort')
        extra.push({ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' });
      if (pod.spec && extra.length) pod.spec.tolerations = mergeTolerations(pod.spec.tolerations ?? [], extra);
      await validate(attributes);
    },
    validate,
  };
}

/** undefined: the namespace says nothing; none: it says that there are none. @throws StatusError */
function annotatedTolerations({ metadata }: Namespace, which: keyof typeof annotations): readonly Toleration[] | undefined {
  const text = metadata?.annotations?.[annotations[which]];
  if (text === undefined) return undefined;
  if (text === '') return [];
  try {
    const tolerations: unknown = JSON.parse(text);
    if (Array.isArray(tolerations)) return tolerations as Toleration[];
    if (tolerations === null) return [];
  } catch (error) {
    if (error instanceof SyntaxError) throw plainError(error.message);
    throw error;
  }
  throw plainError('json: cannot unmarshal into Go value of type []v1.Toleration');
}
