// Topology spread constraints, hard and soft: which pods count, and how many there are per domain.
// https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/

import type { Pod, PodSpec } from '../api/core.ts';
import { type Selector, selectorMatches, selectorOf } from '../api/labels.ts';
import { matchesNodeAffinity } from './node-affinity.ts';
import type { NodeInfo, Snapshot } from './snapshot.ts';
import { untoleratedTaint } from './taints.ts';

type Constraint = NonNullable<PodSpec['topologySpreadConstraints']>[number];

export interface PreparedConstraint {
  topologyKey: string;
  maxSkew: number;
  minDomains: number;
  matchesSelf: boolean;
  /** Whether the node's pods and domain count. */
  counts(info: NodeInfo): boolean;
  matches(other: Pod): boolean;
}

/** The pod's own constraints of one kind. */
export function prepareConstraints(pod: Pod, whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway'): PreparedConstraint[] {
  return (pod.spec?.topologySpreadConstraints ?? [])
    .filter((constraint) => constraint.whenUnsatisfiable === whenUnsatisfiable)
    .map((constraint) => prepare(pod, constraint));
}

function prepare(pod: Pod, constraint: Constraint): PreparedConstraint {
  const selector = selectorFor(pod, constraint);
  const matches = (other: Pod) =>
    selector !== undefined &&
    !other.metadata?.deletionTimestamp &&
    other.metadata?.namespace === pod.metadata?.namespace &&
    selectorMatches(selector, other.metadata?.labels);
  return {
    topologyKey: constraint.topologyKey,
    maxSkew: constraint.maxSkew,
    minDomains: constraint.minDomains ?? 1,
    matchesSelf: matches(pod),
    counts: (info) =>
      info.labels[constraint.topologyKey] !== undefined &&
      (constraint.nodeAffinityPolicy === 'Ignore' || matchesNodeAffinity(pod.spec, info.node)) &&
      (constraint.nodeTaintsPolicy !== 'Honor' ||
        !untoleratedTaint(info.node.spec?.taints, pod.spec?.tolerations, ['NoSchedule', 'NoExecute'])),
    matches,
  };
}

/** The label selector, and the pod's own values for matchLabelKeys. */
function selectorFor(pod: Pod, constraint: Constraint): Selector | undefined {
  const selector = selectorOf(constraint.labelSelector);
  const keys = constraint.matchLabelKeys ?? [];
  if (!selector || keys.length === 0) return selector;
  const labels = pod.metadata?.labels ?? {};
  return [
    ...selector,
    ...keys.filter((key) => key in labels).map((key) => ({ key, operator: '=' as const, values: [labels[key] as string] })),
  ];
}

/** Domain to its number of matching pods; domains without any are there with 0. */
export function domainCounts(constraint: PreparedConstraint, snapshot: Snapshot): Map<string, number> {
  const counts = new Map<string, number>();
  for (const info of snapshot.nodes) {
    if (!constraint.counts(info)) continue;
    const domain = info.labels[constraint.topologyKey] as string;
    counts.set(domain, (counts.get(domain) ?? 0) + matchingPods(constraint, info));
  }
  return counts;
}

export function matchingPods(constraint: PreparedConstraint, info: NodeInfo): number {
  let count = 0;
  for (const pod of info.pods.values()) if (constraint.matches(pod)) count++;
  return count;
}
