// What a node's silence and conditions mean for its status and its taints; how fast nodes may be emptied when many
// fail at once. The rules are those of k8s.io/kubernetes/pkg/controller/nodelifecycle.

import { conditionOf } from '../../api/conditions.ts';
import type { Node } from '../../api/core.ts';

export type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number];
type NodeCondition = NonNullable<NonNullable<Node['status']>['conditions']>[number];

/** How long a node may be silent. */
export const monitorGraceMs = 40_000;
/** How long one may be that has never told its status. */
export const startupGraceMs = 60_000;

export const notReadyTaint = 'node.kubernetes.io/not-ready';
export const unreachableTaint = 'node.kubernetes.io/unreachable';

const keptByKubelet = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** A time that changes with every sign of life from the node's kubelet: its status or its lease. */
export function graceMsOf(node: Node): number {
  return conditionOf(node.status?.conditions, 'Ready') ? monitorGraceMs : startupGraceMs;
}

/** The conditions of a node that has been silent for too long; undefined when they say so already. */
export function silentConditions(node: Node, now: string): NodeCondition[] | undefined {
  const conditions = [...(node.status?.conditions ?? [])];
  let isChanged = false;
  for (const type of keptByKubelet) {
    const index = conditions.findIndex((condition) => condition.type === type);
    const current = conditions[index];
    if (current?.status === 'Unknown') continue;
    isChanged = true;
    if (current) {
      conditions[index] = {
        ...current,
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastTransitionTime: now,
      };
    } else {
      conditions.push({
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata?.creationTimestamp ?? now,
        lastTransitionTime: now,
      });
    }
  }
  return isChanged ? conditions : undefined;
}

/** Taints that follow from conditions: by type, then by status. */
const noScheduleByCondition: Record<string, Record<string, string>> = {
  Ready: { False: notReadyTaint, Unknown: unreachableTaint },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
};
const ourNoSchedule = new Set([...Object.values(noScheduleByCondition).flatMap(Object.values<string>), 'node.kubernetes.io/unschedulable']);
const ourNoExecute = new Set([notReadyTaint, unreachableTaint]);

/** The NoExecute taint that the node's Ready condition calls for. */
export function noExecuteFor(node: Node): string | undefined {
  const ready = conditionOf(node.status?.conditions, 'Ready')?.status;
  if (ready === 'True') return undefined;
  return ready === 'False' ? notReadyTaint : ready === 'Unknown' ? unreachableTaint : undefined;
}

/**
 * The node's taints as they should be; undefined when they are. Those of others are kept.
 * @param options.mayExecute whether a NoExecute taint may be put on a node that has none yet
 * @param options.isCalledOff whether even those that are there come off: the fault is not the nodes'
 */
export function planTaints(node: Node, now: string, options: { mayExecute: boolean; isCalledOff: boolean }): Taint[] | undefined {
  const current = node.spec?.taints ?? [];
  const schedule = new Set<string>();
  for (const { type, status } of node.status?.conditions ?? []) {
    const key = noScheduleByCondition[type]?.[status];
    if (key) schedule.add(key);
  }
  if (node.spec?.unschedulable) schedule.add('node.kubernetes.io/unschedulable');
  const execute = options.isCalledOff ? undefined : noExecuteFor(node);
  const hasExecute = current.some(({ key, effect }) => effect === 'NoExecute' && ourNoExecute.has(key));

  const kept = current.filter(({ key, effect }) => {
    if (effect === 'NoSchedule' && ourNoSchedule.has(key)) return schedule.delete(key);
    if (effect === 'NoExecute' && ourNoExecute.has(key)) return key === execute;
    return true;
  });
  const added: Taint[] = [...schedule].map((key) => ({ key, effect: 'NoSchedule', timeAdded: now }));
  const isThere = kept.some(({ key, effect }) => effect === 'NoExecute' && key === execute);
  // One of the two for the other is not another eviction.
  if (execute && !isThere && (options.mayExecute || hasExecute)) added.push({ key: execute, effect: 'NoExecute', timeAdded: now });
  return added.length || kept.length !== current.length ? [...kept, ...added] : undefined;
}

/** Whether `planTaints` would put a NoExecute taint on a node that has none. */
export function wantsEviction(node: Node): boolean {
  return (
    noExecuteFor(node) !== undefined &&
    !(node.spec?.taints ?? []).some(({ key, effect }) => effect === 'NoExecute' && ourNoExecute.has(key))
  );
}

export function zoneOf(node: Node): string {
  const { labels = {} } = node.metadata ?? {};
  return `${labels['topology.kubernetes.io/region'] ?? ''}/${labels['topology.kubernetes.io/zone'] ?? ''}`;
}

/** How many nodes a second may be emptied in each zone; `isCalledOff` when no node anywhere is ready. */
export function evictionRates(nodes: readonly Node[]): { perSecond: Map<string, number>; isCalledOff: boolean } {
  const zones = new Map<string, { ready: number; total: number }>();
  for (const node of nodes) {
    if (node.metadata?.labels?.['node.kubernetes.io/exclude-disruption'] !== undefined) continue;
    const count = zones.get(zoneOf(node)) ?? { ready: 0, total: 0 };
    count.total++;
    if (conditionOf(node.status?.conditions, 'Ready')?.status === 'True') count.ready++;
    zones.set(zoneOf(node), count);
  }
  const perSecond = new Map<string, number>();
  for (const [zone, { ready, total }] of zones) {
    const notReady = total - ready;
    const isPartial = ready > 0 && notReady > 2 && notReady / total >= 0.55;
    perSecond.set(zone, !isPartial ? 0.1 : total > 50 ? 0.01 : 0);
  }
  return { perSecond, isCalledOff: zones.size > 0 && [...zones.values()].every(({ ready }) => ready === 0) };
}
