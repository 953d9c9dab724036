// Pods keep away from each other by node only, never by anything larger (admission plug-in LimitPodHardAntiAffinityTopology).

import type { Pod } from '../../api/core.ts';
import { forbiddenError } from '../../api/status.ts';
import { type AdmissionPlugin, isPodWrite } from './admission.ts';

const hostname = 'kubernetes.io/hostname';

export const limitPodHardAntiAffinityTopology: AdmissionPlugin = {
  name: 'LimitPodHardAntiAffinityTopology',
  operations: ['CREATE', 'UPDATE'],
  handles: isPodWrite,
  validate({ kind, object }) {
    const { metadata, spec }: Pod = object ?? {};
    const terms = spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const other = terms.find(({ topologyKey }) => topologyKey !== hostname);
    if (!other) return;
    const why = `has TopologyKey ${other.topologyKey} but only key ${hostname} is allowed`;
    throw forbiddenError(kind, metadata?.name ?? '', `affinity.PodAntiAffinity.RequiredDuringScheduling ${why}`);
  },
};
