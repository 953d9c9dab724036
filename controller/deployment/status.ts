// A deployment's status: what its replica sets add up to, and whether the rollout goes on.

import type { Deployment, ReplicaSet } from '../../api/apps.ts';
import { conditionOf, withoutCondition } from '../../api/conditions.ts';
import { bounds, isComplete, replicasOf } from './plan.ts';

export type DeploymentStatus = NonNullable<Deployment['status']>;
type Condition = NonNullable<DeploymentStatus['conditions']>[number];

export interface StatusFacts {
  deployment: Deployment;
  current: ReplicaSet | undefined;
  old: readonly ReplicaSet[];
  /** `current` has just been made, or could not be. */
  created?: ReplicaSet | undefined;
  createError?: string | undefined;
  nowMs: number;
  /** `nowMs` as metav1.Time. */
  now: string;
}

const sum = (sets: readonly ReplicaSet[], of: (rs: ReplicaSet) => number | undefined) =>
  sets.reduce((total, rs) => total + (of(rs) ?? 0), 0);

export function deploymentStatus(facts: StatusFacts): DeploymentStatus {
  const { deployment, old, created } = facts;
  const current = facts.current ?? created;
  const sets = current ? [...old, current] : [...old];
  const before = deployment.status ?? {};
  const availableReplicas = sum(sets, (rs) => rs.status?.availableReplicas);
  const terminatingReplicas = sum(sets, (rs) => rs.status?.terminatingReplicas);
  const status: DeploymentStatus = {
    observedGeneration: deployment.metadata?.generation ?? 0,
    replicas: sum(sets, (rs) => rs.status?.replicas),
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: sum(sets, (rs) => rs.status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum(sets, (rs) => rs.spec?.replicas) - availableReplicas),
    terminatingReplicas,
    ...(before.collisionCount !== undefined ? { collisionCount: before.collisionCount } : {}),
    conditions: before.conditions ?? [],
  };
  const isEnough = availableReplicas >= replicasOf(deployment) - bounds(deployment).maxUnavailable;
  setCondition(status, facts, {
    type: 'Available',
    status: isEnough ? 'True' : 'False',
    reason: isEnough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: isEnough ? 'Deployment has minimum availability.' : 'Deployment does not have minimum availability.',
  });
  setProgressing(status, { ...facts, current });
  setFailure(status, { ...facts, current });
  return status;
}

/** When a rollout that stands still is to be called so, in ms since the epoch; undefined when it need not be watched. */
export function progressDeadlineMs(deployment: Deployment, status: DeploymentStatus): number | undefined {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  const condition = conditionOf(status.conditions, 'Progressing');
  if (!hasDeadline(deployment) || seconds === undefined || !condition?.lastUpdateTime) return undefined;
  if (deployment.spec?.paused || isComplete(deployment, status) || condition.reason === 'ProgressDeadlineExceeded') return undefined;
  return Date.parse(condition.lastUpdateTime) + seconds * 1000;
}

// The largest value stands for none.
const hasDeadline = (deployment: Deployment) => (deployment.spec?.progressDeadlineSeconds ?? 2 ** 31 - 1) !== 2 ** 31 - 1;

function setProgressing(status: DeploymentStatus, facts: StatusFacts): void {
  const { deployment, current, created, createError, nowMs } = facts;
  if (!hasDeadline(deployment)) {
    status.conditions = withoutCondition(status.conditions, 'Progressing');
    return;
  }
  const known = conditionOf(status.conditions, 'Progressing');
  const name = deployment.metadata?.name;
  const subject = current ? `ReplicaSet ${JSON.stringify(current.metadata?.name)}` : `Deployment ${JSON.stringify(name)}`;
  const set = (value: string, reason: string, message: string) =>
    setCondition(status, facts, { type: 'Progressing', status: value, reason, message });
  if (deployment.spec?.paused) {
    if (known?.reason !== 'DeploymentPaused' && known?.reason !== 'ProgressDeadlineExceeded')
      set('Unknown', 'DeploymentPaused', 'Deployment is paused');
    return;
  }
  if (known?.reason === 'DeploymentPaused') set('Unknown', 'DeploymentResumed', 'Deployment is resumed');
  if (createError) set('False', 'ReplicaSetCreateError', createError);
  else if (created) set('True', 'NewReplicaSetCreated', `Created new replica set ${JSON.stringify(created.metadata?.name)}`);
  else if (current && !known) set('True', 'FoundNewReplicaSet', `Found new replica set ${JSON.stringify(current.metadata?.name)}`);

  if (status.replicas === status.updatedReplicas && known?.reason === 'NewReplicaSetAvailable') return;
  if (isComplete(deployment, status)) set('True', 'NewReplicaSetAvailable', `${subject} has successfully progressed.`);
  else if (hasProgressed(deployment.status ?? {}, status)) set('True', 'ReplicaSetUpdated', `${subject} is progressing.`);
  else {
    const deadlineMs = progressDeadlineMs(deployment, status);
    if (deadlineMs !== undefined && known?.reason !== 'NewReplicaSetAvailable' && nowMs >= deadlineMs) {
      set('False', 'ProgressDeadlineExceeded', `${subject} has timed out progressing.`);
    }
  }
}

function hasProgressed(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const more = (field: 'updatedReplicas' | 'readyReplicas' | 'availableReplicas') => (after[field] ?? 0) > (before[field] ?? 0);
  const oldOf = (status: DeploymentStatus) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return more('updatedReplicas') || more('readyReplicas') || more('availableReplicas') || oldOf(after) < oldOf(before);
}

function setFailure(status: DeploymentStatus, facts: StatusFacts): void {
  const { current, old } = facts;
  const failures = [current, ...old]
    .map((rs) => conditionOf(rs?.status?.conditions, 'ReplicaFailure'))
    .filter((each) => each !== undefined);
  const [failure] = failures;
  if (!failure) status.conditions = withoutCondition(status.conditions, 'ReplicaFailure');
  else
    setCondition(status, facts, {
      type: 'ReplicaFailure',
      status: failure.status,
      reason: failure.reason ?? '',
      message: failure.message ?? '',
    });
}

/** Kept as it is while status and reason are the same, except that Progressing tells of each step anew. */
function setCondition(status: DeploymentStatus, { now }: StatusFacts, next: Condition): void {
  const known = conditionOf(status.conditions, next.type);
  const isSame =
    known?.status === next.status && known.reason === next.reason && (next.type !== 'Progressing' || next.reason !== 'ReplicaSetUpdated');
  if (isSame) return;
  const lastTransitionTime = known && known.status === next.status && known.lastTransitionTime ? known.lastTransitionTime : now;
  status.conditions = [...withoutCondition(status.conditions, next.type), { ...next, lastUpdateTime: now, lastTransitionTime }];
}
