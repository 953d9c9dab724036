// Deletes pods that nobody else will: those of nodes that are gone, those deleted before they had a node, and the
// oldest of too many that have ended.

import { withCondition } from '../../api/conditions.ts';
import { nodes, type Pod, pods } from '../../api/core.ts';
import { isPodTerminal } from '../../api/pods.ts';
import { isStatus } from '../../api/status.ts';
import { timestamp } from '../../base/clock.ts';
import { keyOf } from '../../client/cache.ts';
import { type Controller, controller, type Outcome, type ReconcileContext, settled, watching } from '../../client/controller.ts';
import { podsOnNode } from '../nodelifecycle/controller.ts';
import { judge, quarantineMs, surplusTerminated } from './plan.ts';

const name = 'podgc';
const terminatedIndex = 'terminated';

const orphanCondition = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'DeletionByPodGC',
  message: 'PodGC: node no longer exists',
};

export const podGarbageCollector: Controller = {
  name,
  needs: [nodes, pods],
  run: (run) => {
    /** Since when nodes have been missing, on our clock. */
    const missingSinceMs = new Map<string, number>();
    return controller({
      name,
      queueName: 'orphaned_pods_nodes',
      eventSource: 'pod-garbage-collector',
      of: pods,
      watches: [
        watching(nodes, ({ metadata }, cache, { before, after }) => {
          if (after) missingSinceMs.delete(metadata?.name ?? '');
          const hasTaintsChanged = before?.spec?.taints?.length !== after?.spec?.taints?.length;
          return after && !hasTaintsChanged ? [] : podsOnNode(cache, metadata?.name ?? '').map(keyOf);
        }),
      ],
      reconcile: (pod, context) => look(pod, missingSinceMs, context),
    }).run(run);
  },
};

async function look(pod: Pod, missingSinceMs: Map<string, number>, context: ReconcileContext): Promise<Outcome> {
  const { cache, clock } = context;
  const nodeName = pod.spec?.nodeName ?? '';
  switch (judge(pod, cache.get(nodes, { name: nodeName }))) {
    case 'keep':
      return settled;
    case 'terminating':
      await forceDelete(pod, false, context);
      return settled;
    case 'orphaned': {
      const sinceMs = missingSinceMs.get(nodeName) ?? clock.monotonicMs();
      missingSinceMs.set(nodeName, sinceMs);
      const leftMs = sinceMs + quarantineMs - clock.monotonicMs();
      if (leftMs > 0) return { afterSeconds: leftMs / 1000 };
      if (!(await isNodeGone(nodeName, context))) return { afterSeconds: quarantineMs / 1000 };
      await forceDelete(pod, true, context);
      return settled;
    }
    case 'terminated': {
      const all = cache.of(pods);
      all.addIndex(terminatedIndex, (each) => (isPodTerminal(each) ? ['all'] : []));
      for (const surplus of surplusTerminated(all.byIndex(terminatedIndex, 'all'))) await forceDelete(surplus, false, context);
      return settled;
    }
  }
}

async function isNodeGone(nodeName: string, { api }: ReconcileContext): Promise<boolean> {
  try {
    await api.get(nodes, { name: nodeName });
    return false;
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
    return true;
  }
}

async function forceDelete(pod: Pod, isOrphan: boolean, { api, clock }: ReconcileContext): Promise<void> {
  const { namespace, name: podName = '', uid = '' } = pod.metadata ?? {};
  try {
    // First Failed, so that whoever counts on this pod does not go on doing so: there is no kubelet to say it.
    if (!isPodTerminal(pod)) {
      const { conditions } = pod.status ?? {};
      const told = isOrphan ? withCondition(conditions, { ...orphanCondition, lastTransitionTime: timestamp(clock) }) : conditions;
      await api.updateStatus(pods, { ...pod, status: { ...pod.status, phase: 'Failed', ...(told ? { conditions: told } : {}) } });
    }
    await api.delete(pods, { namespace, name: podName }, { gracePeriodSeconds: 0, preconditions: { uid } });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}
