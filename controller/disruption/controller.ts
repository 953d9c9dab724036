// Keeps each pod disruption budget's status: how many of its pods are healthy, how many have to be, and how many may be
// evicted now. The eviction handler of the API server takes from what is written here.

import { isDeepStrictEqual } from 'node:util';
import { deployments, replicaSets, statefulSets } from '../../api/apps.ts';
import { withCondition } from '../../api/conditions.ts';
import { type Pod, pods, replicationControllers } from '../../api/core.ts';
import { selectorMatches, selectorOf } from '../../api/labels.ts';
import { controllerOf } from '../../api/owners.ts';
import { type PodDisruptionBudget, podDisruptionBudgets } from '../../api/policy.ts';
import { timestamp } from '../../base/clock.ts';
import { keyOf } from '../../client/cache.ts';
import { type CacheReader, controller, type Outcome, type ReconcileContext, settled, watching } from '../../client/controller.ts';
import { type ExpectedScale, needsScale, planBudget } from './plan.ts';

export const disruptionController = controller({
  name: 'disruption',
  eventSource: 'controllermanager',
  of: podDisruptionBudgets,
  watches: [watching(pods, (pod, cache) => budgetsOf(pod, cache).map(keyOf))],
  reads: [replicationControllers, replicaSets, deployments, statefulSets],
  async reconcile(budget, context): Promise<Outcome> {
    try {
      return await keepStatus(budget, context);
    } catch (error) {
      if (!(error instanceof UnknownScaleError)) throw error;
      await refuseDisruptions(budget, error.message, context);
      return settled;
    }
  },
});

/** A pod's controller is of a kind whose size nobody knows. */
class UnknownScaleError extends Error {
  override name = 'UnknownScaleError';
}

function budgetsOf(pod: Pod, cache: CacheReader): PodDisruptionBudget[] {
  return cache.list(podDisruptionBudgets, pod.metadata?.namespace).filter((budget) => isCoveredBy(pod, budget));
}

function isCoveredBy({ metadata }: Pod, { spec }: PodDisruptionBudget): boolean {
  const selector = selectorOf(spec?.selector);
  return selector !== undefined && selectorMatches(selector, metadata?.labels);
}

async function keepStatus(budget: PodDisruptionBudget, { cache, api, clock, events }: ReconcileContext): Promise<Outcome> {
  const covered = cache.list(pods, budget.metadata?.namespace).filter((pod) => isCoveredBy(pod, budget));
  if (covered.length === 0) events.record(budget, 'Normal', 'NoPods', 'No matching pods found');
  const scale = needsScale(budget) ? scaleOf(covered, cache) : undefined;
  if (scale?.unmanaged.length) {
    const message =
      'Pods selected by this PodDisruptionBudget were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, ' +
      'which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.';
    events.record(budget, 'Warning', 'UnmanagedPods', message);
  }
  const nowMs = clock.nowMs();
  const { status, notDeleted, recheckAtMs } = planBudget(budget, { pods: covered, scale, nowMs, time: timestamp(clock) });
  for (const pod of notDeleted) {
    const { namespace, name } = budget.metadata ?? {};
    events.record(pod, 'Warning', 'NotDeleted', `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`);
  }
  if (!isDeepStrictEqual(budget.status, status)) await api.updateStatus(podDisruptionBudgets, { ...budget, status });
  return recheckAtMs === undefined ? settled : { afterSeconds: (recheckAtMs - nowMs) / 1000 + 1 };
}

/** Evictions must not go on with counts that nobody keeps any more. */
async function refuseDisruptions(budget: PodDisruptionBudget, message: string, { api, clock }: ReconcileContext): Promise<void> {
  const { status, metadata } = budget;
  const condition = { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message, lastTransitionTime: timestamp(clock) };
  const observedGeneration = status?.observedGeneration ?? metadata?.generation ?? 0;
  const conditions = withCondition(status?.conditions, { ...condition, observedGeneration });
  const next = { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, ...status, disruptionsAllowed: 0, conditions };
  if (isDeepStrictEqual(status, next)) return;
  await api.updateStatus(podDisruptionBudgets, { ...budget, status: next });
}

/** What the controllers of `covered` want altogether, each counted once. @throws UnknownScaleError */
function scaleOf(covered: readonly Pod[], cache: CacheReader): ExpectedScale {
  const wanted = new Map<string, number>();
  const unmanaged: string[] = [];
  for (const pod of covered) {
    const { name = '', namespace } = pod.metadata ?? {};
    const owner = controllerOf(pod);
    if (!owner) unmanaged.push(name);
    else {
      const found = scaleOfOwner(owner, namespace, cache);
      if (!found) throw new UnknownScaleError(`found no controllers for pod ${JSON.stringify(name)}`);
      wanted.set(found.uid, found.replicas);
    }
  }
  return { pods: [...wanted.values()].reduce((sum, replicas) => sum + replicas, 0), unmanaged };
}

function scaleOfOwner(owner: { kind: string; name: string; uid: string }, namespace: string | undefined, cache: CacheReader) {
  const at = { name: owner.name, ...(namespace === undefined ? {} : { namespace }) };
  if (owner.kind === 'ReplicaSet') {
    const set = cache.get(replicaSets, at);
    if (set?.metadata?.uid !== owner.uid) return undefined;
    const above = controllerOf(set);
    if (above?.kind !== 'Deployment') return { uid: owner.uid, replicas: set.spec?.replicas ?? 1 };
    const deployment = cache.get(deployments, { ...at, name: above.name });
    return deployment?.metadata?.uid === above.uid ? { uid: above.uid, replicas: deployment.spec?.replicas ?? 1 } : undefined;
  }
  const kind = owner.kind === 'StatefulSet' ? statefulSets : owner.kind === 'ReplicationController' ? replicationControllers : undefined;
  const found = kind && cache.get<{ metadata?: { uid?: string }; spec?: { replicas?: number } }>(kind, at);
  return found?.metadata?.uid === owner.uid ? { uid: owner.uid, replicas: found.spec?.replicas ?? 1 } : undefined;
}
