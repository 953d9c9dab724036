// What the eviction handler and the disruption controller both say in a budget's status.

import { withCondition } from './conditions.ts';
import type { PodDisruptionBudget } from './policy.ts';

export type DisruptionBudgetStatus = NonNullable<PodDisruptionBudget['status']>;

/** How long an evicted pod may take to be deleted before its budget no longer counts it as gone, in milliseconds. */
export const disruptedPodMsMax = 2 * 60_000;

/** The status's conditions with DisruptionAllowed as its counts say. `time` is now. */
export function disruptionConditions(status: DisruptionBudgetStatus, time: string): NonNullable<DisruptionBudgetStatus['conditions']> {
  const isAllowed = (status.disruptionsAllowed ?? 0) > 0;
  return withCondition(status.conditions, {
    type: 'DisruptionAllowed',
    status: isAllowed ? 'True' : 'False',
    reason: isAllowed ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    lastTransitionTime: time,
    ...(status.observedGeneration === undefined ? {} : { observedGeneration: status.observedGeneration }),
  });
}
