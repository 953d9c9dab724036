// Conditions: typed observations in a status, whose transition time moves only when their status does.

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export function conditionOf<C extends Condition>(conditions: readonly C[] | undefined, type: string): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditionOf(conditions, type)?.status === 'True';
}

/**
 * `conditions` with `next` in the place of the one of its type, or at the end. `next.lastTransitionTime` is used only
 * when the status is new; a condition that is the same already is kept, so that equal inputs give equal outputs.
 */
export function withCondition<C extends Condition>(conditions: readonly C[] | undefined, next: C): C[] {
  const current = conditionOf(conditions, next.type);
  if (!current) return [...(conditions ?? []), next];
  const isSameStatus = current.status === next.status;
  const merged = isSameStatus && current.lastTransitionTime ? { ...next, lastTransitionTime: current.lastTransitionTime } : next;
  return (conditions ?? []).map((condition) => (condition === current ? merged : condition));
}

export function withoutCondition<C extends Condition>(conditions: readonly C[] | undefined, type: string): C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}
