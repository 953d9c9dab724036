// What is to become of one object, by its owners and dependents: the rules of k8s.io/kubernetes/pkg/controller/
// garbagecollector, without its graph, since the caches' indices are one.

import type { ObjectMeta, OwnerReference } from '../../api/wire.ts';

export const orphanFinalizer = 'orphan';
export const foregroundFinalizer = 'foregroundDeletion';

export type OwnerState =
  /** Not there, as the server itself said. */
  | 'absent'
  /** Being deleted, and will be gone only after its dependents are. */
  | 'waiting'
  /** There, or not to be found out. */
  | 'solid';

export interface Dependent<D> {
  object: D;
  metadata: ObjectMeta;
}

export interface ObjectState<D> {
  metadata: ObjectMeta;
  /** By uid. Owners that are missing here count as solid. */
  owners: ReadonlyMap<string, OwnerState>;
  dependents: readonly Dependent<D>[];
}

export type Decision<D> =
  | { type: 'nothing' }
  | { type: 'delete'; propagationPolicy: 'Background' | 'Foreground' | 'Orphan'; unblock: boolean }
  /** Owners that are gone, or will be once this object no longer names them. */
  | { type: 'removeReferences'; uids: string[] }
  /** `dependents` first lose their reference, then the object its finalizer. */
  | { type: 'orphan'; dependents: D[] }
  /** Deletion goes on once these are gone: each is looked at for itself. */
  | { type: 'await'; dependents: D[] }
  | { type: 'removeFinalizer'; finalizer: string };

export function isWaitingForDependents(metadata: ObjectMeta | undefined): boolean {
  return metadata?.deletionTimestamp !== undefined && metadata.finalizers?.includes(foregroundFinalizer) === true;
}

export function referencesTo(metadata: ObjectMeta, uid: string): OwnerReference[] {
  return (metadata.ownerReferences ?? []).filter((reference) => reference.uid === uid);
}

export function planObject<D>(state: ObjectState<D>): Decision<D> {
  const { metadata, dependents } = state;
  if (metadata.deletionTimestamp) {
    if (metadata.finalizers?.includes(orphanFinalizer)) return { type: 'orphan', dependents: dependents.map(({ object }) => object) };
    if (metadata.finalizers?.includes(foregroundFinalizer)) return planForeground(state);
    return { type: 'nothing' };
  }
  return planByOwners(state);
}

function planForeground<D>({ metadata, dependents }: ObjectState<D>): Decision<D> {
  const uid = metadata.uid ?? '';
  const blocking = dependents.filter((dependent) =>
    referencesTo(dependent.metadata, uid).some((reference) => reference.blockOwnerDeletion),
  );
  if (blocking.length === 0) return { type: 'removeFinalizer', finalizer: foregroundFinalizer };
  return { type: 'await', dependents: blocking.map(({ object }) => object) };
}

function planByOwners<D>({ metadata, owners, dependents }: ObjectState<D>): Decision<D> {
  const references = metadata.ownerReferences ?? [];
  if (references.length === 0) return { type: 'nothing' };
  const inState = (wanted: OwnerState) => references.filter(({ uid }) => (owners.get(uid) ?? 'solid') === wanted).map(({ uid }) => uid);
  const absent = inState('absent');
  const waiting = inState('waiting');
  if (inState('solid').length > 0) {
    const uids = [...new Set([...absent, ...waiting])];
    return uids.length ? { type: 'removeReferences', uids } : { type: 'nothing' };
  }
  if (waiting.length > 0 && dependents.length > 0) {
    // In a circle of owners all would wait for each other: one that is among its own dependents' dependents lets go.
    const unblock = dependents.some((dependent) => isWaitingForDependents(dependent.metadata));
    return { type: 'delete', propagationPolicy: 'Foreground', unblock };
  }
  const { finalizers = [] } = metadata;
  const propagationPolicy = finalizers.includes(orphanFinalizer)
    ? 'Orphan'
    : finalizers.includes(foregroundFinalizer)
      ? 'Foreground'
      : 'Background';
  return { type: 'delete', propagationPolicy, unblock: false };
}
