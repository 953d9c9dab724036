// The pod's cgroup, before anything runs in it.

import type { PodPhase } from './phase.ts';

export const cgroupsPhase: PodPhase = {
  name: 'cgroups',
  run: ({ context, pod }) => context.cgroups.setUp(pod),
};
