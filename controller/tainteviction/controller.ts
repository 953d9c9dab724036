// Deletes pods from nodes whose NoExecute taints they do not tolerate, or no longer.

import { withCondition } from '../../api/conditions.ts';
import { type Node, nodes, type Pod, pods } from '../../api/core.ts';
import { isPodTerminal } from '../../api/pods.ts';
import { isStatus } from '../../api/status.ts';
import { timestamp } from '../../base/clock.ts';
import { type Controller, controller, type Outcome, type ReconcileContext, settled, watching } from '../../client/controller.ts';
import { podsOnNode } from '../nodelifecycle/controller.ts';
import { evictAtMs, type NoExecuteTaint } from './plan.ts';

const name = 'taint-eviction-controller';

export const taintEvictionController: Controller = {
  name,
  needs: [nodes, pods],
  run: (run) => {
    /** When taints without a time of their own were first seen. */
    const firstSeen = new Map<string, number>();
    return controller({
      name,
      queueName: 'noexec_taint_pod',
      eventSource: name,
      of: nodes,
      watches: [watching(pods, ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []))],
      reconcile: (node, context) => evict(node, firstSeen, context),
    }).run(run);
  },
};

async function evict(node: Node, firstSeen: Map<string, number>, context: ReconcileContext): Promise<Outcome> {
  const { cache, clock } = context;
  const nowMs = clock.nowMs();
  const taints: NoExecuteTaint[] = [];
  for (const taint of node.spec?.taints ?? []) {
    if (taint.effect !== 'NoExecute') continue;
    const id = `${node.metadata?.uid} ${taint.key} ${taint.value ?? ''}`;
    if (!taint.timeAdded && !firstSeen.has(id)) firstSeen.set(id, nowMs);
    taints.push({ taint, sinceMs: taint.timeAdded ? Date.parse(taint.timeAdded) : (firstSeen.get(id) ?? nowMs) });
  }
  if (taints.length === 0) {
    for (const id of firstSeen.keys()) if (id.startsWith(`${node.metadata?.uid} `)) firstSeen.delete(id);
    return settled;
  }
  let nextMs: number | undefined;
  for (const pod of podsOnNode(cache, node.metadata?.name ?? '')) {
    if (pod.metadata?.deletionTimestamp || isPodTerminal(pod)) continue;
    const atMs = evictAtMs(pod, taints);
    if (atMs === undefined) continue;
    if (atMs <= nowMs) await deletePod(pod, context);
    else nextMs = Math.min(nextMs ?? atMs, atMs);
  }
  return nextMs === undefined ? settled : { afterSeconds: (nextMs - nowMs) / 1000 };
}

async function deletePod(pod: Pod, { api, clock, events }: ReconcileContext): Promise<void> {
  const { namespace, name: podName = '', uid = '' } = pod.metadata ?? {};
  const conditions = withCondition(pod.status?.conditions, {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
    lastTransitionTime: timestamp(clock),
  });
  try {
    await api.updateStatus(pods, { ...pod, status: { ...pod.status, conditions } });
    await api.delete(pods, { namespace, name: podName }, { preconditions: { uid } });
    events.record(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${namespace}/${podName}`);
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}
