// One step of a replicating owner towards its count: plan, carry out, tell in the status. Shared by
// ReplicationController and ReplicaSet, which differ in their selectors and statuses only.

import type { Condition } from '../../api/conditions.ts';
import { type Pod, type PodTemplateSpec, pods } from '../../api/core.ts';
import type { Kind } from '../../api/kind.ts';
import { type Selector, selectorMatches } from '../../api/labels.ts';
import { controllerOf } from '../../api/owners.ts';
import type { KubeObject } from '../../api/wire.ts';
import { timestamp } from '../../base/clock.ts';
import { type CacheReader, type Outcome, type ReconcileContext, settled } from '../../client/controller.ts';
import { planReplicas, type ReplicasPlan } from './plan.ts';
import { checkMayAdopt, podControl, podFromTemplate } from './pod-control.ts';
import { slowStart } from './slow-start.ts';
import { type ReplicasStatus, summarize } from './status.ts';

export interface Replicated<T extends KubeObject> {
  kind: Kind<T>;
  owner: T;
  selector: Selector;
  template: PodTemplateSpec | undefined;
  replicas: number;
  minReadySeconds: number;
  related?: readonly Pod[];
  /** Writes the status if it differs. `failure`: the ReplicaFailure condition to be shown. */
  putStatus(status: ReplicasStatus & { terminatingReplicas: number }, failure: Condition | undefined): Promise<void>;
}

export async function reconcileReplicas<T extends KubeObject>(subject: Replicated<T>, context: ReconcileContext): Promise<Outcome> {
  const { owner, selector, template, minReadySeconds } = subject;
  const { cache, clock } = context;
  const { metadata } = owner;
  const nowMs = clock.nowMs();
  const plan = planReplicas({
    ownerUid: metadata?.uid ?? '',
    isDeleting: metadata?.deletionTimestamp !== undefined,
    selector,
    wanted: subject.replicas,
    pods: [...cache.ownedBy(owner, pods), ...uncontrolledPods(cache, metadata?.namespace ?? '')],
    ...(subject.related ? { related: subject.related } : {}),
    nowMs,
  });
  const failure = await carryOut(subject, plan, context);
  const { status, nextAvailableAtMs } = summarize(plan.claimed, template, minReadySeconds, nowMs);
  const condition = failure && {
    type: 'ReplicaFailure',
    status: 'True',
    reason: plan.create ? 'FailedCreate' : 'FailedDelete',
    message: failure.message,
    lastTransitionTime: timestamp(clock),
  };
  await subject.putStatus({ ...status, terminatingReplicas: plan.terminating.length }, condition);
  if (failure) throw failure;
  return nextAvailableAtMs === undefined ? settled : { afterSeconds: (nextAvailableAtMs - nowMs) / 1000 };
}

/** The error that kept pods from being made or deleted; failed claims are thrown. */
async function carryOut<T extends KubeObject>(
  subject: Replicated<T>,
  plan: ReplicasPlan,
  context: ReconcileContext,
): Promise<Error | undefined> {
  const { kind, owner, template } = subject;
  const control = podControl(kind, owner, context);
  for (const pod of plan.release) await control.release(pod);
  if (plan.adopt.length) await checkMayAdopt(kind, owner, context);
  for (const pod of plan.adopt) await control.adopt(pod);
  const made = podFromTemplate(kind, owner, template);
  const results = await Promise.allSettled([
    slowStart(plan.create, () => control.create(made)),
    ...plan.delete.map((pod) => control.delete(pod)),
  ]);
  const failed = results.find((result) => result.status === 'rejected');
  if (!failed) return undefined;
  if (!(failed.reason instanceof Error)) throw failed.reason;
  return failed.reason;
}

const uncontrolledIndex = 'uncontrolled';

/** The pods of `namespace` that have no controller. */
export function uncontrolledPods(cache: CacheReader, namespace: string): Pod[] {
  const all = cache.of(pods);
  all.addIndex(uncontrolledIndex, (pod) => (controllerOf(pod) ? [] : [pod.metadata?.namespace ?? '']));
  return all.byIndex(uncontrolledIndex, namespace);
}

/** Keys of the owners that could adopt `pod`: none when it has a controller. */
export function adoptersOf<T extends KubeObject>(
  pod: Pod,
  cache: CacheReader,
  { kind, selectorOf }: { kind: Kind<T>; selectorOf: (owner: T) => Selector | undefined },
): string[] {
  if (controllerOf(pod)) return [];
  const { namespace = '', labels } = pod.metadata ?? {};
  const keys: string[] = [];
  for (const owner of cache.list(kind, namespace)) {
    const selector = selectorOf(owner);
    if (selector?.length && selectorMatches(selector, labels)) keys.push(`${namespace}/${owner.metadata?.name}`);
  }
  return keys;
}
