// The decision: which node a pod runs on, or why on none. Pure but for the tie-break, which is the given Random's.

import type { Pod } from '../api/core.ts';
import type { Random } from '../base/random.ts';
import { allFilters } from './filters/all.ts';
import type { Refusal } from './filters/filter.ts';
import { allScores } from './scores/all.ts';
import type { NodeInfo, Snapshot } from './snapshot.ts';

export type Decision =
  | { outcome: 'node'; node: string }
  | { outcome: 'unschedulable' /** Node name to why not. */; refusals: ReadonlyMap<string, Refusal>; nodeCount: number };

/** Runs a part of a decision; for whoever wants to know how long each takes. */
export type Stopwatch = <T>(point: 'PreFilter' | 'Filter' | 'Score', run: () => T) => T;

const untimed: Stopwatch = (_, run) => run();

/** Clusters larger than this are not looked at whole: enough feasible nodes are good enough. */
const sampledFrom = 100;

/**
 * Filters, then scores. `startAt` rotates where the search begins in large clusters, so that all nodes get their turn.
 */
export function schedule(
  pod: Pod,
  snapshot: Snapshot,
  random: Random,
  { startAt = 0, time = untimed }: { startAt?: number; time?: Stopwatch } = {},
): Decision {
  const checks = time('PreFilter', () => prepareFilters(pod, snapshot));
  const { feasible, refusals } = time('Filter', () => sift(checks, snapshot, startAt));
  if (feasible.length === 0) return { outcome: 'unschedulable', refusals, nodeCount: snapshot.nodes.length };
  if (feasible.length === 1) return { outcome: 'node', node: (feasible[0] as NodeInfo).name };
  return { outcome: 'node', node: time('Score', () => best(pod, feasible, snapshot, random)).name };
}

function sift(checks: readonly Check[], { nodes }: Snapshot, startAt: number): { feasible: NodeInfo[]; refusals: Map<string, Refusal> } {
  const refusals = new Map<string, Refusal>();
  const feasible: NodeInfo[] = [];
  const wanted = feasibleNodesWanted(nodes.length);
  for (let offset = 0; offset < nodes.length && feasible.length < wanted; offset++) {
    const info = nodes[(startAt + offset) % nodes.length] as NodeInfo;
    const refusal = firstRefusal(checks, info);
    if (refusal) refusals.set(info.name, refusal);
    else feasible.push(info);
  }
  return { feasible, refusals };
}

export type Check = (info: NodeInfo) => Refusal | undefined;

export function prepareFilters(pod: Pod, snapshot: Snapshot): Check[] {
  return allFilters.map((filter) => filter.prepare(pod, snapshot)).filter((check) => check !== undefined);
}

export function firstRefusal(checks: readonly Check[], info: NodeInfo): Refusal | undefined {
  for (const check of checks) {
    const refusal = check(info);
    if (refusal) return refusal;
  }
  return undefined;
}

/** All of up to 100; of more, a share that falls from half to a twentieth, as Kubernetes' adaptive percentage. */
function feasibleNodesWanted(nodeCount: number): number {
  if (nodeCount <= sampledFrom) return nodeCount;
  const percent = Math.max(5, 50 - nodeCount / 125);
  return Math.max(sampledFrom, Math.floor((nodeCount * percent) / 100));
}

function best(pod: Pod, feasible: readonly NodeInfo[], snapshot: Snapshot, random: Random): NodeInfo {
  const totals = new Array<number>(feasible.length).fill(0);
  for (const { score, weight } of allScores) {
    score(pod, feasible, snapshot)?.forEach((value, index) => {
      (totals[index] as number) += value * weight;
    });
  }
  const top = Math.max(...totals);
  const tied = feasible.filter((_, index) => totals[index] === top);
  return tied[Math.floor(random.float() * tied.length)] as NodeInfo;
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.` */
export function unschedulableMessage(refusals: ReadonlyMap<string, Refusal>, nodeCount: number): string {
  if (nodeCount === 0) return 'no nodes available to schedule pods';
  const counts = new Map<string, number>();
  for (const { reasons } of refusals.values()) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const texts = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodeCount} nodes are available: ${texts.join(', ')}.`;
}
