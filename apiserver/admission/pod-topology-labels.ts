// A pod carries the zone and the region of its node, for its containers to read (admission plug-in PodTopologyLabels).

import { nodes, type Pod, pods } from '../../api/core.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { AdmissionPlugin } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';

const copied = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

interface Binding extends KubeObject {
  target?: { kind?: string; name?: string };
}

export function podTopologyLabels(view: ClusterView): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    operations: ['CREATE'],
    handles: ({ kind, subresource }) =>
      kind.group === '' && kind.plural === pods.plural && (subresource === '' || subresource === 'binding'),
    async admit({ subresource, object }) {
      const { target }: Binding = object ?? {};
      const named = subresource === '' ? (object as Pod).spec?.nodeName : target?.kind === 'Node' ? target.name : undefined;
      if (!named || !object) return;
      const labels = (await view.get(nodes, '', named))?.metadata?.labels ?? {};
      const found = copied.filter((name) => labels[name] !== undefined).map((name) => [name, labels[name] as string]);
      if (found.length) object.metadata = { ...object.metadata, labels: { ...Object.fromEntries(found), ...object.metadata?.labels } };
    },
  };
}
