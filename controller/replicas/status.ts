// What a replicating owner's status says about its pods.

import { type Condition, conditionOf, withoutCondition } from '../../api/conditions.ts';
import type { Pod, PodTemplateSpec } from '../../api/core.ts';
import { selectorMatches, selectorOfMap } from '../../api/labels.ts';
import { isPodReady } from '../../api/pods.ts';

export interface ReplicasStatus {
  replicas: number;
  fullyLabeledReplicas: number;
  readyReplicas: number;
  availableReplicas: number;
}

/** When `pod` is available: ready for `minReadySeconds`. Milliseconds since the epoch; undefined while it is not ready. */
export function availableAtMs(pod: Pod, minReadySeconds: number): number | undefined {
  if (!isPodReady(pod)) return undefined;
  if (minReadySeconds === 0) return 0;
  const since = conditionOf(pod.status?.conditions, 'Ready')?.lastTransitionTime;
  return since ? Date.parse(since) + minReadySeconds * 1000 : undefined;
}

export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  const atMs = availableAtMs(pod, minReadySeconds);
  return atMs !== undefined && atMs <= nowMs;
}

export interface Summary {
  status: ReplicasStatus;
  /** When the next ready pod becomes available: the status changes then without any event. */
  nextAvailableAtMs: number | undefined;
}

export function summarize(pods: readonly Pod[], template: PodTemplateSpec | undefined, minReadySeconds: number, nowMs: number): Summary {
  const templateLabels = selectorOfMap(template?.metadata?.labels);
  const status: ReplicasStatus = { replicas: pods.length, fullyLabeledReplicas: 0, readyReplicas: 0, availableReplicas: 0 };
  let nextAvailableAtMs: number | undefined;
  for (const pod of pods) {
    if (selectorMatches(templateLabels, pod.metadata?.labels)) status.fullyLabeledReplicas++;
    if (isPodReady(pod)) status.readyReplicas++;
    const atMs = availableAtMs(pod, minReadySeconds);
    if (atMs === undefined) continue;
    if (atMs <= nowMs) status.availableReplicas++;
    else nextAvailableAtMs = Math.min(nextAvailableAtMs ?? atMs, atMs);
  }
  return { status, nextAvailableAtMs };
}

/** The ReplicaFailure condition that `failure` calls for: kept while it lasts, gone when it has. */
export function failureConditions<C extends Condition>(
  conditions: readonly C[] | undefined,
  failure: Condition | undefined,
): (C | Condition)[] {
  const rest = withoutCondition(conditions, 'ReplicaFailure');
  if (!failure) return rest;
  return [...rest, conditionOf(conditions, 'ReplicaFailure') ?? failure];
}
