// Rolls deployments out through their replica sets, one step per look.

import { isDeepStrictEqual } from 'node:util';
import { type Deployment, deployments, type ReplicaSet, replicaSets } from '../../api/apps.ts';
import { pods } from '../../api/core.ts';
import { selectorMatches, selectorOf } from '../../api/labels.ts';
import { controllerOf, controllerReference } from '../../api/owners.ts';
import { isStatus } from '../../api/status.ts';
import { timestamp } from '../../base/clock.ts';
import { keyOf } from '../../client/cache.ts';
import { controller, type Outcome, type ReconcileContext, settled, watching } from '../../client/controller.ts';
import { checkMayAdopt } from '../replicas/pod-control.ts';
import { type DeploymentPlan, planDeployment, type Resize, resized } from './plan.ts';
import { findNew, revisionAnnotation } from './revision.ts';
import { deploymentStatus, progressDeadlineMs } from './status.ts';

export const deploymentController = controller({
  name: 'deployment',
  of: deployments,
  owns: [replicaSets],
  watches: [
    watching(replicaSets, (rs, cache) =>
      controllerOf(rs)
        ? []
        : cache
            .list(deployments, rs.metadata?.namespace)
            .filter((deployment) => isSelected(deployment, rs))
            .map(keyOf),
    ),
    // The last pod of an old template is what a Recreate waits for.
    watching(pods, (pod, cache, { after }) => {
      if (after && !after.metadata?.deletionTimestamp && after.status?.phase !== 'Succeeded' && after.status?.phase !== 'Failed') return [];
      const owner = controllerOf(pod);
      const rs =
        owner?.kind === 'ReplicaSet' ? cache.get(replicaSets, { namespace: pod.metadata?.namespace, name: owner.name }) : undefined;
      const deployment = rs && controllerOf(rs);
      return deployment?.kind === 'Deployment' ? [`${pod.metadata?.namespace}/${deployment.name}`] : [];
    }),
  ],
  reconcile: rollOut,
});

function isSelected(deployment: Deployment, rs: ReplicaSet): boolean {
  const selector = selectorOf(deployment.spec?.selector);
  return selector !== undefined && selector.length > 0 && selectorMatches(selector, rs.metadata?.labels);
}

async function rollOut(deployment: Deployment, context: ReconcileContext): Promise<Outcome> {
  const { cache, clock } = context;
  const owned = await claim(deployment, context);
  const plan = planDeployment({ deployment, replicaSets: owned, pods: owned.flatMap((rs) => cache.ownedBy(rs, pods)) });
  const done = await carryOut(deployment, plan, context);
  const nowMs = clock.nowMs();
  const { current, old } = plan;
  const status = deploymentStatus({ deployment, current, old, ...done, nowMs, now: timestamp(clock) });
  if (done.isCollision) status.collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
  await putStatus(deployment, plan, { status, context });
  if (done.error) throw done.error;
  const deadlineMs = progressDeadlineMs(deployment, status);
  return deadlineMs === undefined ? settled : { afterSeconds: Math.max(1, (deadlineMs - nowMs) / 1000) };
}

/** The deployment's replica sets, after taking in orphans that match and letting go of those that do not. */
async function claim(deployment: Deployment, context: ReconcileContext): Promise<ReplicaSet[]> {
  const { cache, api } = context;
  const { uid, namespace, deletionTimestamp } = deployment.metadata ?? {};
  const claimed: ReplicaSet[] = [];
  for (const rs of cache.list(replicaSets, namespace)) {
    const owner = controllerOf(rs);
    if (owner && owner.uid !== uid) continue;
    const isMatch = isSelected(deployment, rs);
    const at = { namespace, name: rs.metadata?.name ?? '' };
    if (owner && (isMatch || deletionTimestamp)) claimed.push(rs);
    else if (owner) {
      const ownerReferences = [{ $patch: 'delete', uid }];
      await api.patch(replicaSets, at, 'strategic', { metadata: { uid: rs.metadata?.uid, ownerReferences } });
    } else if (isMatch && !deletionTimestamp && !rs.metadata?.deletionTimestamp) {
      await checkMayAdopt(deployments, deployment, context);
      const ownerReferences = [controllerReference(deployments, deployment)];
      claimed.push(await api.patch(replicaSets, at, 'strategic', { metadata: { uid: rs.metadata?.uid, ownerReferences } }));
    }
  }
  return claimed;
}

interface Done {
  created: ReplicaSet | undefined;
  /** The new replica set's name is taken by one of another template. */
  isCollision: boolean;
  createError: string | undefined;
  error: Error | undefined;
}

async function carryOut(deployment: Deployment, plan: DeploymentPlan, context: ReconcileContext): Promise<Done> {
  const { api, events } = context;
  const done: Done = { created: undefined, isCollision: false, createError: undefined, error: undefined };
  if (plan.create) Object.assign(done, await create(deployment, plan.create, context));
  let { current } = plan;
  if (plan.refresh) current = await api.update(replicaSets, plan.refresh);
  for (const resize of plan.resize)
    await scale(deployment, resize.replicaSet === plan.current && current ? { ...resize, replicaSet: current } : resize, context);
  for (const rs of plan.delete) {
    try {
      await api.delete(
        replicaSets,
        { namespace: rs.metadata?.namespace, name: rs.metadata?.name ?? '' },
        { preconditions: { uid: rs.metadata?.uid ?? '' } },
      );
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
  if (done.created) {
    const { name } = done.created.metadata ?? {};
    const replicas = done.created.spec?.replicas ?? 0;
    if (replicas > 0) events.record(deployment, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${name} from 0 to ${replicas}`);
  }
  return done;
}

async function create(deployment: Deployment, wanted: ReplicaSet, { api }: ReconcileContext): Promise<Partial<Done>> {
  try {
    return { created: await api.create(replicaSets, wanted) };
  } catch (error) {
    if (isStatus(error, 'AlreadyExists')) {
      const existing = await api.get(replicaSets, { namespace: wanted.metadata?.namespace, name: wanted.metadata?.name ?? '' });
      const isOurs = controllerOf(existing)?.uid === deployment.metadata?.uid && findNew(deployment, [existing]) !== undefined;
      return { isCollision: !isOurs, error };
    }
    if (isStatus(error) && error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating')) return {};
    if (!(error instanceof Error)) throw error;
    return { createError: `Failed to create new replica set ${JSON.stringify(wanted.metadata?.name)}: ${error.message}`, error };
  }
}

async function scale(deployment: Deployment, resize: Resize, { api, events }: ReconcileContext): Promise<void> {
  const before = resize.replicaSet.spec?.replicas ?? 0;
  const next = resized(deployment, resize);
  const isSame = before === resize.replicas && isDeepStrictEqual(next.metadata?.annotations, resize.replicaSet.metadata?.annotations);
  if (isSame) return;
  await api.update(replicaSets, next);
  if (before === resize.replicas) return;
  const direction = before < resize.replicas ? 'up' : 'down';
  const message = `Scaled ${direction} replica set ${next.metadata?.name} from ${before} to ${resize.replicas}`;
  events.record(deployment, 'Normal', 'ScalingReplicaSet', message);
}

interface PutStatus {
  status: NonNullable<Deployment['status']>;
  context: ReconcileContext;
}

async function putStatus(deployment: Deployment, plan: DeploymentPlan, { status, context }: PutStatus): Promise<void> {
  let current = deployment;
  const revision = String(plan.revision);
  if (plan.revision > 0 && deployment.metadata?.annotations?.[revisionAnnotation] !== revision && !deployment.metadata?.deletionTimestamp) {
    const annotations = { ...deployment.metadata?.annotations, [revisionAnnotation]: revision };
    current = await context.api.update(deployments, { ...deployment, metadata: { ...deployment.metadata, annotations } });
  }
  if (isDeepStrictEqual(withoutZeros(deployment.status), withoutZeros(status))) return;
  await context.api.updateStatus(deployments, { ...current, status });
}

/** Zero counts and empty lists may be left out on the wire. */
function withoutZeros(status: object | undefined): object {
  return Object.fromEntries(
    Object.entries(status ?? {}).filter(([, value]) => value !== 0 && !(Array.isArray(value) && value.length === 0)),
  );
}
