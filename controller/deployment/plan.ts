// The next step of a deployment's rollout: which replica set is made, and to which size each goes. Steps follow from
// the state alone; the rules are those of k8s.io/kubernetes/pkg/controller/deployment.

import type { Deployment, ReplicaSet } from '../../api/apps.ts';
import type { Pod } from '../../api/core.ts';
import { isPodTerminal } from '../../api/pods.ts';
import {
  annotationsFor,
  byCreation,
  desiredReplicasAnnotation,
  findNew,
  maxReplicasAnnotation,
  newReplicaSet,
  revisionOf,
  scaleAnnotations,
} from './revision.ts';

export interface DeploymentState {
  deployment: Deployment;
  /** The deployment's own. */
  replicaSets: readonly ReplicaSet[];
  /** Of all those replica sets. */
  pods: readonly Pod[];
}

export interface Resize {
  replicaSet: ReplicaSet;
  replicas: number;
}

export interface DeploymentPlan {
  /** The replica set of the present template, if there is one already. */
  current: ReplicaSet | undefined;
  old: ReplicaSet[];
  create: ReplicaSet | undefined;
  /** `current` with other annotations or minReadySeconds. */
  refresh: ReplicaSet | undefined;
  resize: Resize[];
  delete: ReplicaSet[];
  /** The revision that the deployment should show. */
  revision: number;
}

const sizeOf = (rs: ReplicaSet | undefined) => rs?.spec?.replicas ?? 0;
const availableIn = (rs: ReplicaSet | undefined) => rs?.status?.availableReplicas ?? 0;
const sum = (sets: readonly (ReplicaSet | undefined)[], of: (rs: ReplicaSet | undefined) => number) =>
  sets.reduce((total, rs) => total + of(rs), 0);
export const replicasOf = (deployment: Deployment) => deployment.spec?.replicas ?? 1;

/** How many pods more, and how many available ones fewer, than wanted there may be. */
export function bounds(deployment: Deployment): { maxSurge: number; maxUnavailable: number } {
  const wanted = replicasOf(deployment);
  const { type = 'RollingUpdate', rollingUpdate } = deployment.spec?.strategy ?? {};
  if (type !== 'RollingUpdate' || wanted === 0) return { maxSurge: 0, maxUnavailable: 0 };
  const maxSurge = Math.ceil(scaled(rollingUpdate?.maxSurge ?? '25%', wanted));
  const maxUnavailable = Math.floor(scaled(rollingUpdate?.maxUnavailable ?? '25%', wanted));
  // With neither, no step would ever be allowed.
  return { maxSurge, maxUnavailable: maxSurge === 0 && maxUnavailable === 0 ? 1 : Math.min(maxUnavailable, wanted) };
}

/** An IntOrString of `total`. */
function scaled(value: unknown, total: number): number {
  if (typeof value === 'number') return value;
  const match = /^(\d+)%$/.exec(String(value));
  return match ? (Number(match[1]) * total) / 100 : Number(value) || 0;
}

export function planDeployment(state: DeploymentState): DeploymentPlan {
  const { deployment, replicaSets } = state;
  const current = findNew(deployment, replicaSets);
  const old = byCreation(replicaSets.filter((rs) => rs !== current));
  const isPaused = deployment.spec?.paused === true;
  const revision = Math.max(0, ...old.map(revisionOf)) + 1;
  const { maxSurge } = bounds(deployment);
  const maxReplicas = replicasOf(deployment) + maxSurge;
  const plan: DeploymentPlan = {
    current,
    old,
    create: undefined,
    refresh: undefined,
    resize: [],
    delete: [],
    revision: isPaused && !current ? revisionOf(deployment) : Math.max(revision, current ? revisionOf(current) : 0),
  };
  if (deployment.metadata?.deletionTimestamp) return plan;
  const isRecreate = deployment.spec?.strategy?.type === 'Recreate';
  if (isPaused || isScaling(deployment, replicaSets)) plan.resize = planScaling(state, current, old);
  else if (isRecreate) planRecreate(state, plan, maxReplicas);
  else planRollingUpdate(state, plan, maxReplicas);
  if (current && !isPaused) plan.refresh = refreshed(deployment, current, { revision, maxReplicas });
  if (!isPaused) plan.delete = surplusHistory(deployment, current, old);
  return plan;
}

function refreshed(
  deployment: Deployment,
  current: ReplicaSet,
  options: { revision: number; maxReplicas: number },
): ReplicaSet | undefined {
  const annotations = annotationsFor(deployment, current, options);
  const before = current.metadata?.annotations ?? {};
  // The counts are written with each resize, which must see the old ones.
  for (const name of [desiredReplicasAnnotation, maxReplicasAnnotation]) if (before[name]) annotations[name] = before[name];
  const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
  const isSame =
    Object.keys(annotations).every((name) => annotations[name] === before[name]) &&
    minReadySeconds === (current.spec?.minReadySeconds ?? 0);
  if (isSame || !current.spec) return undefined;
  return { ...current, metadata: { ...current.metadata, annotations }, spec: { ...current.spec, minReadySeconds } };
}

function planRecreate({ deployment, pods }: DeploymentState, plan: DeploymentPlan, maxReplicas: number): void {
  const { current, old, resize } = plan;
  for (const replicaSet of old) if (sizeOf(replicaSet) > 0) resize.push({ replicaSet, replicas: 0 });
  if (resize.length) return;
  const newUid = current?.metadata?.uid;
  const isOldRunning = pods.some((pod) => !isPodTerminal(pod) && !pod.metadata?.ownerReferences?.some(({ uid }) => uid === newUid));
  if (isOldRunning) return;
  if (!current) plan.create = newReplicaSet(deployment, replicasOf(deployment), { revision: plan.revision, maxReplicas });
  else if (sizeOf(current) !== replicasOf(deployment)) resize.push({ replicaSet: current, replicas: replicasOf(deployment) });
}

function planRollingUpdate(state: DeploymentState, plan: DeploymentPlan, maxReplicas: number): void {
  const { deployment, replicaSets } = state;
  const { current, old } = plan;
  const wanted = replicasOf(deployment);
  const room = Math.max(0, maxReplicas - sum(replicaSets, sizeOf));
  const grown = sizeOf(current) + Math.min(room, Math.max(0, wanted - sizeOf(current)));
  if (!current) {
    plan.create = newReplicaSet(deployment, grown, { revision: plan.revision, maxReplicas });
    return;
  }
  const size = Math.min(grown, wanted);
  if (size !== sizeOf(current)) {
    plan.resize.push({ replicaSet: current, replicas: size });
    return;
  }
  plan.resize.push(...shrinkOld(state, current, old));
}

/** Old replica sets give up what is not available first, and then as much as leaves enough available. */
function shrinkOld({ deployment, replicaSets }: DeploymentState, current: ReplicaSet, old: readonly ReplicaSet[]): Resize[] {
  const minAvailable = replicasOf(deployment) - bounds(deployment).maxUnavailable;
  const notYetAvailable = sizeOf(current) - availableIn(current);
  let mayGo = sum(replicaSets, sizeOf) - minAvailable - notYetAvailable;
  if (mayGo <= 0) return [];
  const sizes = new Map(old.map((rs) => [rs, sizeOf(rs)]));
  for (const rs of old) {
    const unhealthy = Math.max(0, Math.min(mayGo, sizeOf(rs) - availableIn(rs)));
    sizes.set(rs, sizeOf(rs) - unhealthy);
    mayGo -= unhealthy;
  }
  let spare = sum(replicaSets, availableIn) - minAvailable;
  for (const rs of old) {
    const size = sizes.get(rs) ?? 0;
    const fewer = Math.max(0, Math.min(size, spare));
    sizes.set(rs, size - fewer);
    spare -= fewer;
  }
  return old.filter((rs) => sizes.get(rs) !== sizeOf(rs)).map((replicaSet) => ({ replicaSet, replicas: sizes.get(replicaSet) ?? 0 }));
}

/** Someone has changed the deployment's count since its replica sets were last sized. */
function isScaling(deployment: Deployment, replicaSets: readonly ReplicaSet[]): boolean {
  return replicaSets.some((rs) => {
    const desired = rs.metadata?.annotations?.[desiredReplicasAnnotation];
    return sizeOf(rs) > 0 && desired !== undefined && desired !== String(replicasOf(deployment));
  });
}

function planScaling({ deployment, replicaSets }: DeploymentState, current: ReplicaSet | undefined, old: readonly ReplicaSet[]): Resize[] {
  const wanted = replicasOf(deployment);
  const active = replicaSets.filter((rs) => sizeOf(rs) > 0);
  if (active.length <= 1) {
    const only = active[0] ?? current ?? old.at(-1);
    return only ? [{ replicaSet: only, replicas: wanted }] : [];
  }
  const isSaturated =
    sizeOf(current) === wanted &&
    availableIn(current) === wanted &&
    current?.metadata?.annotations?.[desiredReplicasAnnotation] === String(wanted);
  if (isSaturated) return old.filter((rs) => sizeOf(rs) > 0).map((replicaSet) => ({ replicaSet, replicas: 0 }));
  if (deployment.spec?.strategy?.type === 'Recreate') return [];
  return proportional(deployment, active);
}

/** What is added or taken away is shared among the active replica sets by their sizes; the biggest gets the rest. */
function proportional(deployment: Deployment, active: readonly ReplicaSet[]): Resize[] {
  const wanted = replicasOf(deployment);
  const { maxSurge } = bounds(deployment);
  const allowed = wanted > 0 ? wanted + maxSurge : 0;
  const delta = allowed - sum(active, sizeOf);
  const oldestFirst = byCreation(active);
  const order = delta > 0 ? oldestFirst.reverse() : oldestFirst;
  const sorted = order.sort((a, b) => sizeOf(b) - sizeOf(a));
  let shared = 0;
  const resizes = sorted.map((replicaSet): Resize => {
    const share = shareOf(replicaSet, { deployment, maxReplicas: wanted + maxSurge, delta, shared });
    shared += share;
    return { replicaSet, replicas: sizeOf(replicaSet) + share };
  });
  const [biggest] = resizes;
  if (biggest) biggest.replicas = Math.max(0, biggest.replicas + delta - shared);
  return resizes;
}

function shareOf(rs: ReplicaSet, options: { deployment: Deployment; maxReplicas: number; delta: number; shared: number }): number {
  const { deployment, maxReplicas, delta, shared } = options;
  if (delta === 0 || delta === shared) return 0;
  const maxBefore = Number(rs.metadata?.annotations?.[maxReplicasAnnotation]) || deployment.status?.replicas || 0;
  const size = replicasOf(deployment) === 0 ? 0 : maxBefore === 0 ? sizeOf(rs) : Math.round((sizeOf(rs) * maxReplicas) / maxBefore);
  const share = size - sizeOf(rs);
  return delta > 0 ? Math.max(0, Math.min(share, delta - shared)) : Math.min(0, Math.max(share, delta - shared));
}

/** Whether every pod is of the present template, and all of them are available. */
export function isComplete(deployment: Deployment, status: NonNullable<Deployment['status']>): boolean {
  const wanted = replicasOf(deployment);
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata?.generation ?? 0)
  );
}

/** Old replica sets beyond the history that is to be kept: empty ones, oldest first, once the rollout is complete. */
function surplusHistory(deployment: Deployment, current: ReplicaSet | undefined, old: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = deployment.spec?.revisionHistoryLimit ?? 10;
  if (!current || !isComplete(deployment, deployment.status ?? {})) return [];
  const alive = old.filter((rs) => !rs.metadata?.deletionTimestamp);
  const surplus = alive.length - limit;
  if (surplus <= 0) return [];
  const sorted = [...alive].sort((a, b) => revisionOf(a) - revisionOf(b));
  const isEmpty = (rs: ReplicaSet) =>
    (rs.status?.replicas ?? 0) === 0 && sizeOf(rs) === 0 && (rs.metadata?.generation ?? 0) <= (rs.status?.observedGeneration ?? 0);
  return sorted.slice(0, surplus).filter(isEmpty);
}

/** The replica set at its new size, remembering the counts that it was sized by. */
export function resized(deployment: Deployment, { replicaSet, replicas }: Resize): ReplicaSet {
  const annotations = {
    ...replicaSet.metadata?.annotations,
    ...scaleAnnotations(replicasOf(deployment), replicasOf(deployment) + bounds(deployment).maxSurge),
  };
  return {
    ...replicaSet,
    metadata: { ...replicaSet.metadata, annotations },
    ...(replicaSet.spec ? { spec: { ...replicaSet.spec, replicas } } : {}),
  };
}
