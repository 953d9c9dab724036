// Which pods of a node its NoExecute taints drive away, and when.

import type { Pod } from '../../api/core.ts';
import type { Taint } from '../nodelifecycle/plan.ts';

type Toleration = NonNullable<NonNullable<Pod['spec']>['tolerations']>[number];

export interface NoExecuteTaint {
  taint: Taint;
  /** When it was put on, in milliseconds since the epoch. */
  sinceMs: number;
}

/** When `pod` must go, in milliseconds since the epoch; undefined: it may stay as long as the taints do. */
export function evictAtMs(pod: Pod, taints: readonly NoExecuteTaint[]): number | undefined {
  const { tolerations = [] } = pod.spec ?? {};
  const createdMs = Date.parse(pod.metadata?.creationTimestamp ?? '') || 0;
  let atMs: number | undefined;
  for (const { taint, sinceMs } of taints) {
    const fitting = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (fitting.length === 0) return 0;
    const seconds = fitting.map(({ tolerationSeconds }) => tolerationSeconds).filter((each) => each !== undefined);
    if (seconds.length === 0) continue;
    const untilMs = Math.max(sinceMs, createdMs) + Math.max(0, Math.min(...seconds)) * 1000;
    atMs = Math.min(atMs ?? untilMs, untilMs);
  }
  return atMs;
}

function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === 'Exists') return true;
  return toleration.key !== undefined && toleration.key !== '' && (toleration.value ?? '') === (taint.value ?? '');
}
