// Soft spreading: the pod's own ScheduleAnyway constraints, or, when it has none at all, its siblings (pods of one
// controller or service) over hosts and zones, as Kubernetes' default constraints do.

import type { Pod } from '../../api/core.ts';
import type { NodeInfo, Snapshot } from '../snapshot.ts';
import { domainCounts, type PreparedConstraint, prepareConstraints } from '../spread.ts';
import type { Score } from './score.ts';

const hostLabel = 'kubernetes.io/hostname';

export const spreadScore: Score = {
  name: 'PodTopologySpread',
  weight: 2,
  score(pod, nodes, snapshot) {
    const hasOwn = (pod.spec?.topologySpreadConstraints?.length ?? 0) > 0;
    const constraints = hasOwn ? prepareConstraints(pod, 'ScheduleAnyway') : defaultConstraints(pod, snapshot);
    if (constraints.length === 0) return undefined;
    const sums = new Array<number>(nodes.length).fill(0);
    const isIgnored = nodes.map((info) => hasOwn && constraints.some((constraint) => info.labels[constraint.topologyKey] === undefined));
    for (const constraint of constraints) {
      const counts = domainCounts(constraint, snapshot);
      const weight = Math.log(counts.size + 2);
      nodes.forEach((info, index) => {
        const domain = info.labels[constraint.topologyKey];
        if (domain !== undefined) (sums[index] as number) += (counts.get(domain) ?? 0) * weight + (constraint.maxSkew - 1);
      });
    }
    return reversedOverRange(sums.map(Math.round), isIgnored);
  },
};

/** Fewest gets 100; nodes that lack a label get 0. */
function reversedOverRange(sums: readonly number[], isIgnored: readonly boolean[]): number[] {
  const counted = sums.filter((_, index) => !isIgnored[index]);
  const min = Math.min(...counted);
  const max = Math.max(...counted);
  return sums.map((sum, index) => (isIgnored[index] ? 0 : max === 0 ? 100 : Math.floor((100 * (max + min - sum)) / max)));
}

function defaultConstraints(pod: Pod, snapshot: Snapshot): PreparedConstraint[] {
  if (!snapshot.hasSiblings(pod)) return [];
  const over = (topologyKey: string, maxSkew: number): PreparedConstraint => ({
    topologyKey,
    maxSkew,
    minDomains: 1,
    matchesSelf: true,
    counts: (info: NodeInfo) => info.labels[topologyKey] !== undefined,
    matches: (other) => !other.metadata?.deletionTimestamp && snapshot.isSibling(pod, other),
  });
  return [over(hostLabel, 3), over('topology.kubernetes.io/zone', 5)];
}
