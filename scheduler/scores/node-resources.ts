// How full the node would be: emptier is better, and cpu and memory should fill alike.

import { amountsOf } from '../amounts.ts';
import type { NodeInfo } from '../snapshot.ts';
import type { Score } from './score.ts';

export const leastAllocated: Score = {
  name: 'NodeResourcesFit',
  weight: 1,
  score(pod, nodes) {
    const { scoringCpuMilli, scoringMemoryBytes } = amountsOf(pod);
    return nodes.map((info) => {
      const cpu = unused(info.scoringCpuMilli + scoringCpuMilli, info.allocatable['cpu'] ?? 0);
      const memory = unused(info.scoringMemoryBytes + scoringMemoryBytes, info.allocatable['memory'] ?? 0);
      return Math.floor((cpu + memory) / 2);
    });
  },
};

function unused(requested: number, allocatable: number): number {
  return allocatable === 0 || requested > allocatable ? 0 : Math.floor(((allocatable - requested) * 100) / allocatable);
}

export const balancedAllocation: Score = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  score(pod, nodes) {
    const { requests } = amountsOf(pod);
    if (!requests['cpu'] && !requests['memory']) return undefined;
    return nodes.map((info) => {
      const cpu = fraction(info, 'cpu', requests['cpu'] ?? 0);
      const memory = fraction(info, 'memory', requests['memory'] ?? 0);
      return Math.floor((1 - Math.abs(cpu - memory) / 2) * 100);
    });
  },
};

function fraction(info: NodeInfo, name: string, extra: number): number {
  const allocatable = info.allocatable[name] ?? 0;
  return allocatable === 0 ? 1 : Math.min(1, ((info.requested[name] ?? 0) + extra) / allocatable);
}
