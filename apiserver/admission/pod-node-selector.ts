// A namespace says on which nodes its pods may run (admission plug-in PodNodeSelector).

import { namespaces, type Pod } from '../../api/core.ts';
import { invalid } from '../../api/field-error.ts';
import { forbiddenError } from '../../api/status.ts';
import { labelValueProblems, qualifiedNameProblems } from '../../api/validation/formats.ts';
import { type AdmissionAttributes, type AdmissionPlugin, isPodWrite, plainError } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';
import type { PluginConfiguration } from './configuration/admission-configuration.ts';

type Labels = Readonly<Record<string, string>>;

const annotation = 'scheduler.alpha.kubernetes.io/node-selector';
/** Of namespaces without the annotation. */
const clusterDefault = 'clusterDefaultNodeSelector';

/** Node selectors by namespace, beyond which its pods may not select; what cannot be read says nothing, as in Kubernetes. */
export function readNodeSelectors(configuration?: PluginConfiguration): Labels {
  const value = configuration?.value;
  const written =
    typeof value === 'object' && value !== null && 'podNodeSelectorPluginConfig' in value && value.podNodeSelectorPluginConfig;
  if (typeof written !== 'object' || written === null) return {};
  return Object.fromEntries(Object.entries(written).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

export function podNodeSelector(view: ClusterView, selectors: Labels): AdmissionPlugin {
  async function check(attributes: AdmissionAttributes): Promise<Labels> {
    const { kind, namespace, object } = attributes;
    const { metadata, spec }: Pod = object ?? {};
    const found = await view.get(namespaces, '', namespace);
    if (!found) throw plainError(`namespace ${namespace} does not exist`);
    const wanted = labelsOf(found.metadata?.annotations?.[annotation] ?? selectors[clusterDefault] ?? '');
    const own = spec?.nodeSelector ?? {};
    const refuse = (why: string) => forbiddenError(kind, metadata?.name ?? '', `pod node label selector ${why}`);
    for (const name in own)
      if (wanted[name] !== undefined && wanted[name] !== own[name]) throw refuse('conflicts with its namespace node label selector');
    return { ...wanted, ...own };
  }

  /** @throws StatusError */
  function checkAllowed({ kind, namespace, object }: AdmissionAttributes, selector: Labels): void {
    const allowed = labelsOf(selectors[namespace] ?? '');
    if (Object.keys(allowed).length === 0 || Object.keys(selector).every((name) => allowed[name] === selector[name])) return;
    const why = 'pod node label selector labels conflict with its namespace whitelist';
    throw forbiddenError(kind, object?.metadata?.name ?? '', why);
  }

  return {
    name: 'PodNodeSelector',
    operations: ['CREATE'],
    handles: isPodWrite,
    async admit(attributes) {
      const selector = await check(attributes);
      checkAllowed(attributes, selector);
      const { spec } = attributes.object as Pod;
      if (spec && Object.keys(selector).length) spec.nodeSelector = { ...selector };
    },
    async validate(attributes) {
      await check(attributes);
      checkAllowed(attributes, (attributes.object as Pod).spec?.nodeSelector ?? {});
    },
  };
}

/** `a=b,c=d`. @throws StatusError */
function labelsOf(selector: string): Labels {
  if (selector === '') return {};
  return Object.fromEntries(
    selector.split(',').map((label) => {
      const parts = label.split('=');
      const [name = '', value = ''] = parts.map((part) => part.trim());
      if (parts.length !== 2) throw plainError(`invalid selector: [${parts.join(' ')}]`);
      for (const [text, problems] of [
        [name, qualifiedNameProblems(name)],
        [value, labelValueProblems(value)],
      ] as const)
        if (problems.length) throw plainError(`<nil>: ${invalid('', text, problems.join('; ')).message}`);
      return [name, value] as const;
    }),
  );
}
