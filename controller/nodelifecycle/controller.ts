// Watches over nodes: one that falls silent turns Unknown, is tainted, and its pods count as not ready.

import { conditionOf, withCondition } from '../../api/conditions.ts';
import { leases, type Node, nodes, type Pod, pods } from '../../api/core.ts';
import { isPodReady } from '../../api/pods.ts';
import { isStatus } from '../../api/status.ts';
import { timestamp } from '../../base/clock.ts';
import {
  type CacheReader,
  type Controller,
  type ControllerRun,
  controller,
  type Outcome,
  type ReconcileContext,
  watching,
} from '../../client/controller.ts';
import { evictionRates, graceMsOf, planTaints, silentConditions, wantsEviction, zoneOf } from './plan.ts';

const leaseNamespace = 'kube-node-lease';
/** How often a node is looked at that waits for its turn to be emptied. */
const monitorSeconds = 5;

const nodeNameIndex = 'nodeName';

/** The pods that are bound to the node. */
export function podsOnNode(cache: CacheReader, nodeName: string): Pod[] {
  const all = cache.of(pods);
  all.addIndex(nodeNameIndex, ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []));
  return all.byIndex(nodeNameIndex, nodeName);
}

/** What is remembered between looks; all of it may be lost, and then nodes are given their time anew. */
class Memory {
  /** The last sign of life, and when it was first seen, on our clock: the nodes' own may be wrong. */
  readonly signs = new Map<string, { sign: string; seenMs: number }>();
  /** When the next node of a zone may be emptied. */
  readonly nextEvictionMs = new Map<string, number>();
  readonly known = new Set<string>();
}

const name = 'nodelifecycle';

export const nodeLifecycleController: Controller = {
  name,
  needs: [nodes, leases, pods],
  run: (run: ControllerRun) => {
    const memory = new Memory();
    return controller({
      name,
      queueName: 'node_lifecycle_controller',
      eventSource: 'node-controller',
      of: nodes,
      watches: [watching(leases, ({ metadata }) => (metadata?.namespace === leaseNamespace ? [metadata.name ?? ''] : []))],
      reads: [pods],
      reconcile: (node, context) => look(node, memory, context),
      async absent(key, { events }) {
        memory.signs.delete(key);
        if (memory.known.delete(key)) {
          const gone = { apiVersion: 'v1', kind: 'Node', metadata: { name: key } };
          events.record(gone, 'Normal', 'RemovingNode', `Node ${key} event: Removing Node ${key} from Controller`);
        }
        return { afterSeconds: undefined };
      },
    }).run(run);
  },
};

async function look(node: Node, memory: Memory, context: ReconcileContext): Promise<Outcome> {
  const { api, cache, clock, events } = context;
  const { name: nodeName = '' } = node.metadata ?? {};
  if (!memory.known.has(nodeName)) {
    memory.known.add(nodeName);
    events.record(node, 'Normal', 'RegisteredNode', `Node ${nodeName} event: Registered Node ${nodeName} in Controller`);
  }
  const nowMs = clock.monotonicMs();
  const lease = cache.get(leases, { namespace: leaseNamespace, name: nodeName });
  const ready = conditionOf(node.status?.conditions, 'Ready');
  const sign = `${ready?.status === 'Unknown' ? '' : ready?.lastHeartbeatTime} ${lease?.spec?.renewTime}`;
  const last = memory.signs.get(nodeName);
  const seenMs = last && last.sign === sign ? last.seenMs : nowMs;
  memory.signs.set(nodeName, { sign, seenMs });

  const leftMs = seenMs + graceMsOf(node) - nowMs;
  const conditions = leftMs <= 0 ? silentConditions(node, timestamp(clock)) : undefined;
  let current = node;
  if (conditions) {
    current = await api.updateStatus(nodes, { ...node, status: { ...node.status, conditions } });
    // Our own write is no sign of life: the next look compares with what it has become.
    const next = conditionOf(current.status?.conditions, 'Ready');
    memory.signs.set(nodeName, { sign: `${next?.status === 'Unknown' ? '' : next?.lastHeartbeatTime} ${lease?.spec?.renewTime}`, seenMs });
    if (ready?.status === 'True') events.record(node, 'Normal', 'NodeNotReady', `Node ${nodeName} status is now: NodeNotReady`);
  }
  const isWaiting = await taint(current, memory, context);
  await markPodsNotReady(current, context);
  const seconds = leftMs > 0 ? leftMs / 1000 : monitorSeconds;
  return { afterSeconds: isWaiting ? Math.min(seconds, monitorSeconds) : seconds };
}

/** True when the node should be emptied, but it is not its turn. */
async function taint(node: Node, memory: Memory, { api, cache, clock }: ReconcileContext): Promise<boolean> {
  const { perSecond, isCalledOff } = evictionRates(
    cache.list(nodes).map((each) => (each.metadata?.uid === node.metadata?.uid ? node : each)),
  );
  const zone = zoneOf(node);
  const nowMs = clock.monotonicMs();
  const rate = perSecond.get(zone) ?? 0.1;
  const isWanted = wantsEviction(node) && !isCalledOff;
  const mayExecute = isWanted && rate > 0 && (memory.nextEvictionMs.get(zone) ?? 0) <= nowMs;
  const taints = planTaints(node, timestamp(clock), { mayExecute, isCalledOff });
  if (taints) {
    const { name: nodeName = '', resourceVersion } = node.metadata ?? {};
    await api.patch(nodes, { name: nodeName }, 'merge', { metadata: { resourceVersion }, spec: { taints: taints.length ? taints : null } });
    if (mayExecute) memory.nextEvictionMs.set(zone, nowMs + 1000 / rate);
  }
  return isWanted && !mayExecute;
}

/** Pods that were ready when their node last was: nobody is there to say that they still are. */
async function markPodsNotReady(node: Node, { api, cache, clock, events }: ReconcileContext): Promise<void> {
  const ready = conditionOf(node.status?.conditions, 'Ready');
  if (!ready || ready.status === 'True') return;
  const sinceMs = Date.parse(ready.lastTransitionTime ?? '');
  for (const pod of podsOnNode(cache, node.metadata?.name ?? '')) {
    const podReady = conditionOf(pod.status?.conditions, 'Ready');
    // What its kubelet said after that is its kubelet's own knowledge.
    if (!podReady || !isPodReady(pod) || (ready.status === 'False' && Date.parse(podReady.lastTransitionTime ?? '') > sinceMs)) continue;
    const conditions = withCondition(pod.status?.conditions, { ...podReady, status: 'False', lastTransitionTime: timestamp(clock) });
    try {
      await api.updateStatus(pods, { ...pod, status: { ...pod.status, conditions } });
      events.record(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}
