// Preemption: which pods of lower priority would have to go for a pod to fit, on the node where that hurts least.
// https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/

import type { Pod } from '../api/core.ts';
import type { Refusal } from './filters/filter.ts';
import { firstRefusal, prepareFilters } from './schedule.ts';
import { type NodeInfo, type Snapshot, uidOf } from './snapshot.ts';

export interface Preemption {
  node: string;
  /** In the order in which they should go. */
  victims: Pod[];
}

/** Whether evicting `pod` would break a disruption budget. */
export type BreaksBudget = (pod: Pod) => boolean;

export type PreemptionAnswer = { outcome: 'preempt'; preemption: Preemption } | { outcome: 'none'; message: string };

export const priorityOf = (pod: Pod): number => pod.spec?.priority ?? 0;

/** What to evict so that `pod` fits, given why each node refused it. */
export function planPreemption(
  pod: Pod,
  snapshot: Snapshot,
  refusals: ReadonlyMap<string, Refusal>,
  breaksBudget: BreaksBudget,
): PreemptionAnswer {
  const nodeCount = snapshot.nodes.length;
  if (pod.spec?.preemptionPolicy === 'Never')
    return none(nodeCount, [[nodeCount, 'Preemption is not helpful for scheduling']], 'not eligible due to preemptionPolicy=Never.');
  const candidates: (Preemption & { brokenBudgets: number })[] = [];
  let unhelpful = 0;
  for (const info of snapshot.nodes) {
    if (refusals.get(info.name)?.isUnresolvable !== false) {
      unhelpful++;
      continue;
    }
    const candidate = victimsOn(pod, info, snapshot, breaksBudget);
    if (candidate) candidates.push(candidate);
  }
  const chosen = candidates.sort(compareCandidates)[0];
  if (chosen) return { outcome: 'preempt', preemption: { node: chosen.node, victims: chosen.victims } };
  return none(nodeCount, [
    [nodeCount - unhelpful, 'No preemption victims found for incoming pod'],
    [unhelpful, 'Preemption is not helpful for scheduling'],
  ]);
}

function none(nodeCount: number, counts: [number, string][], instead?: string): PreemptionAnswer {
  if (instead) return { outcome: 'none', message: instead };
  const texts = counts.filter(([count]) => count > 0).map(([count, text]) => `${count} ${text}`);
  return { outcome: 'none', message: `0/${nodeCount} nodes are available: ${texts.sort().join(', ')}.` };
}

/** Takes all pods of lower priority away and puts back as many as fit, those that break budgets and the important first. */
function victimsOn(
  pod: Pod,
  info: NodeInfo,
  snapshot: Snapshot,
  breaksBudget: BreaksBudget,
): (Preemption & { brokenBudgets: number }) | undefined {
  const trial = info.clone();
  const lower = [...info.pods.values()].filter((other) => priorityOf(other) < priorityOf(pod));
  if (lower.length === 0) return undefined;
  for (const other of lower) trial.remove(uidOf(other));
  const fits = () => firstRefusal(prepareFilters(pod, withNode(snapshot, trial)), trial) === undefined;
  if (!fits()) return undefined;
  const victims: Pod[] = [];
  let brokenBudgets = 0;
  const byImportance = [...lower].sort(moreImportantFirst);
  const ordered = [...byImportance.filter(breaksBudget), ...byImportance.filter((other) => !breaksBudget(other))];
  for (const other of ordered) {
    trial.add(other);
    if (fits()) continue;
    trial.remove(uidOf(other));
    victims.push(other);
    if (breaksBudget(other)) brokenBudgets++;
  }
  return { node: info.name, victims: victims.sort(moreImportantFirst), brokenBudgets };
}

function withNode(snapshot: Snapshot, trial: NodeInfo): Snapshot {
  return {
    nodes: snapshot.nodes.map((info) => (info.name === trial.name ? trial : info)),
    nodeNamed: (name) => (name === trial.name ? trial : snapshot.nodeNamed(name)),
    namespaceLabels: (namespace) => snapshot.namespaceLabels(namespace),
    isSibling: (pod, other) => snapshot.isSibling(pod, other),
    hasSiblings: (pod) => snapshot.hasSiblings(pod),
    podsWithAffinityExist: snapshot.podsWithAffinityExist,
  };
}

/** Higher priority, then longer running. */
function moreImportantFirst(a: Pod, b: Pod): number {
  return priorityOf(b) - priorityOf(a) || startOf(a).localeCompare(startOf(b)) || uidOf(a).localeCompare(uidOf(b));
}

const startOf = (pod: Pod) => pod.status?.startTime ?? '~';

/** Fewest broken budgets, lowest highest victim, lowest sum, fewest victims, the one whose top victims started latest. */
function compareCandidates(a: Preemption & { brokenBudgets: number }, b: Preemption & { brokenBudgets: number }): number {
  const highest = (c: Preemption) => Math.max(...c.victims.map(priorityOf));
  // Each victim counts beyond its priority, so that negative priorities do not make more victims look better.
  const sum = (c: Preemption) => c.victims.reduce((total, victim) => total + priorityOf(victim) + 2 ** 31, 0);
  const earliest = (c: Preemption) =>
    c.victims
      .filter((v) => priorityOf(v) === highest(c))
      .map(startOf)
      .sort()[0] ?? '';
  return (
    a.brokenBudgets - b.brokenBudgets ||
    highest(a) - highest(b) ||
    sum(a) - sum(b) ||
    a.victims.length - b.victims.length ||
    earliest(b).localeCompare(earliest(a)) ||
    a.node.localeCompare(b.node)
  );
}
