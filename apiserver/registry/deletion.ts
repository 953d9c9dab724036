// What a DELETE does to an object: pure. Grace periods only ever shorten, finalizers wait, and the garbage collector's
// finalizers say what becomes of dependents (k8s.io/apiserver/pkg/registry).

import type { KubeObject, ObjectMeta } from '../../api/wire.ts';
import type { ResourceDeclaration } from '../resources/resource.ts';

/** Kubernetes' finalizers that its garbage collector carries out. */
const orphanFinalizer = 'orphan';
const foregroundFinalizer = 'foregroundDeletion';

/** metav1.DeleteOptions on the wire. */
export interface DeleteOptions {
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  orphanDependents?: boolean;
  dryRun?: string[];
}

/**
 * `now`: remove it; `pending`: its deletion is under way and stays as it is; `marked`: `object` has been mutated into
 * what is to be stored.
 */
export type DeletionPlan = 'now' | 'pending' | 'marked';

export function planDeletion(object: KubeObject, declaration: ResourceDeclaration, options: DeleteOptions, nowMs: number): DeletionPlan {
  const meta = object.metadata as ObjectMeta;
  const requested = options.gracePeriodSeconds === undefined ? undefined : options.gracePeriodSeconds < 0 ? 1 : options.gracePeriodSeconds;
  const grace = planGrace(object, declaration, requested, nowMs);
  if (grace === 'pending') return 'pending';

  const finalizers = finalizersFor(meta, options);
  if (finalizers.length) meta.finalizers = finalizers;
  else delete meta.finalizers;
  const isHeld = declaration.holdsDeletion?.(object) ?? false;
  if (grace === 'graceful') return meta.deletionGracePeriodSeconds === 0 && finalizers.length === 0 && !isHeld ? 'now' : 'marked';
  if (finalizers.length === 0 && !isHeld) return 'now';
  if (meta.deletionTimestamp === undefined && meta.generation) meta.generation++;
  if (meta.deletionTimestamp === undefined || Date.parse(meta.deletionTimestamp) > nowMs) meta.deletionTimestamp = rfc3339(nowMs);
  if (finalizers.length) meta.deletionGracePeriodSeconds = 0;
  return 'marked';
}

function planGrace(
  object: KubeObject,
  declaration: ResourceDeclaration,
  requested: number | undefined,
  nowMs: number,
): 'graceful' | 'pending' | 'none' {
  if (!declaration.gracePeriodSeconds) return 'none';
  const meta = object.metadata as ObjectMeta;
  if (meta.deletionTimestamp !== undefined) {
    const present = meta.deletionGracePeriodSeconds ?? 0;
    if (present === 0) return 'none';
    if (requested === undefined || requested >= present) return 'pending';
    const movedMs = Date.parse(meta.deletionTimestamp) + (requested - present) * 1000;
    meta.deletionTimestamp = rfc3339(Math.max(movedMs, nowMs));
    // A grace period that has run out already still ends by someone's second, immediate delete.
    meta.deletionGracePeriodSeconds = movedMs < nowMs && requested !== 0 ? 1 : requested;
    return 'graceful';
  }
  const graceSeconds = declaration.gracePeriodSeconds(object, requested);
  meta.deletionTimestamp = rfc3339(nowMs + graceSeconds * 1000);
  meta.deletionGracePeriodSeconds = graceSeconds;
  if (meta.generation) meta.generation++;
  return 'graceful';
}

function finalizersFor(meta: ObjectMeta, options: DeleteOptions): string[] {
  const old = meta.finalizers ?? [];
  const kept = old.filter((finalizer) => finalizer !== orphanFinalizer && finalizer !== foregroundFinalizer);
  if (options.orphanDependents !== undefined) return options.orphanDependents ? [...kept, orphanFinalizer] : kept;
  switch (options.propagationPolicy) {
    case 'Orphan':
      return [...kept, orphanFinalizer];
    case 'Foreground':
      return [...kept, foregroundFinalizer];
    case 'Background':
      return kept;
    default:
      return old;
  }
}

const rfc3339 = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
