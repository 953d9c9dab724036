// How many pods of a budget may be disrupted now: pure.

import type { Pod } from '../../api/core.ts';
import { type DisruptionBudgetStatus, disruptedPodMsMax, disruptionConditions } from '../../api/disruption-budgets.ts';
import { isPodReady } from '../../api/pods.ts';
import type { PodDisruptionBudget } from '../../api/policy.ts';

/** What the controllers of the budget's pods want to have, altogether. */
export interface ExpectedScale {
  pods: number;
  /** Names of pods that no controller has made. */
  unmanaged: readonly string[];
}

export interface BudgetPlan {
  status: DisruptionBudgetStatus;
  /** Pods that were evicted and are still there. */
  notDeleted: readonly Pod[];
  /** When an evicted pod has to be looked for again. */
  recheckAtMs: number | undefined;
}

/** Whether the budget counts shares of what controllers want, and not pods that are there. */
export function needsScale({ spec }: PodDisruptionBudget): boolean {
  return spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === 'string';
}

/** `scale` is asked for only by budgets that `needsScale`. `time` is `nowMs` as a timestamp. */
export function planBudget(
  budget: PodDisruptionBudget,
  { pods, scale, nowMs, time }: { pods: readonly Pod[]; scale: ExpectedScale | undefined; nowMs: number; time: string },
): BudgetPlan {
  const { spec, status: old, metadata } = budget;
  const expectedPods = scale?.pods ?? pods.length;
  const { disruptedPods, notDeleted, recheckAtMs } = confirmDisruptions(old?.disruptedPods ?? {}, pods, nowMs);
  const currentHealthy = pods.filter(
    (pod) => !pod.metadata?.deletionTimestamp && !(pod.metadata?.name && pod.metadata.name in disruptedPods) && isPodReady(pod),
  ).length;
  const desiredHealthy = desiredOf(spec, expectedPods);
  const status: DisruptionBudgetStatus = {
    currentHealthy,
    desiredHealthy,
    expectedPods,
    // Nothing is allowed while there are no pods, so that the first to appear are safe before they have been counted.
    disruptionsAllowed: expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0,
    ...(Object.keys(disruptedPods).length ? { disruptedPods } : {}),
    ...(metadata?.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...(old?.conditions ? { conditions: old.conditions } : {}),
  };
  status.conditions = disruptionConditions(status, time);
  return { status, notDeleted, recheckAtMs };
}

function desiredOf(spec: PodDisruptionBudget['spec'], expected: number): number {
  if (spec?.maxUnavailable !== undefined) return Math.max(0, expected - scaled(spec.maxUnavailable, expected));
  return spec?.minAvailable === undefined ? 0 : scaled(spec.minAvailable, expected);
}

/** A number, or a share of `total`, rounded up. */
function scaled(value: number | string, total: number): number {
  return typeof value === 'number' ? value : Math.ceil((Number.parseInt(value, 10) * total) / 100);
}

/** Which evicted pods are still to be waited for. */
function confirmDisruptions(disrupted: Readonly<Record<string, string>>, pods: readonly Pod[], nowMs: number) {
  const disruptedPods: Record<string, string> = {};
  const notDeleted: Pod[] = [];
  let recheckAtMs: number | undefined;
  for (const pod of pods) {
    const { name = '', deletionTimestamp } = pod.metadata ?? {};
    const since = disrupted[name];
    if (since === undefined || deletionTimestamp) continue;
    const dueMs = Date.parse(since) + disruptedPodMsMax;
    if (dueMs < nowMs) notDeleted.push(pod);
    else {
      disruptedPods[name] = since;
      recheckAtMs = Math.min(recheckAtMs ?? dueMs, dueMs);
    }
  }
  return { disruptedPods, notDeleted, recheckAtMs };
}
