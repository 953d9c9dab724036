// How tolerations cover each other (kubernetes pkg/util/tolerations).

import type { Toleration } from '../../api/pod-parts.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';

/** Both, without those that others make needless; of two that are alike the first stays. */
export function mergeTolerations(first: readonly Toleration[], second: readonly Toleration[]): Toleration[] {
  const all = [...first, ...second];
  const merged: Toleration[] = [];
  for (const [index, each] of all.entries()) {
    if (merged.some((other) => isSuperset(other, each))) continue;
    if (all.slice(index + 1).some((other) => !semanticEqual(each, other) && isSuperset(other, each))) continue;
    merged.push({ ...each });
  }
  return merged;
}

/** Whether `a` tolerates whatever `b` does. */
export function isSuperset(a: Toleration, b: Toleration): boolean {
  if (semanticEqual(a, b)) return true;
  if ((a.key ?? '') !== (b.key ?? '') && (a.key || a.operator !== 'Exists')) return false;
  if ((a.effect ?? '') !== (b.effect ?? '') && a.effect) return false;
  if (a.effect === 'NoExecute' && a.tolerationSeconds !== undefined)
    if (b.tolerationSeconds === undefined || b.tolerationSeconds > a.tolerationSeconds) return false;
  if (a.operator === 'Exists') return true;
  return (a.operator === 'Equal' || !a.operator) && b.operator === 'Equal' && (a.value ?? '') === (b.value ?? '');
}
