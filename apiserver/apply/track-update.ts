// managedFields of every write that is no apply: create, update and the other patches. Whoever writes manages what it
// changed.

import { StatusError } from '../../api/status.ts';
import type { KubeObject, ManagedFieldsEntry } from '../../api/wire.ts';
import { emptySet, isEmptySet, union } from './field-set.ts';
import { keeping, type ResetFields } from './ignored-fields.ts';
import { compareVersions, type KindVersions, reconcileManagers } from './kind-versions.ts';
import { capUpdateManagers, type Manager, type Managers, managerKey, readManagers, stripFields, writeManagers } from './managed-fields.ts';
import { MissingKeyError } from './path-element.ts';
import { takeOver } from './take-over.ts';

export interface UpdateTracking {
  /** What is stored; undefined when the object is created. */
  old: KubeObject | undefined;
  /** What is to be stored, after decoding and defaults and before the server's own changes. Not changed. */
  new: KubeObject;
  /** See `fieldManagerName`. */
  manager: string;
  /** '' for the object itself. */
  subresource: string;
  /** The kind's, as seen from the one that the request speaks. */
  versions: KindVersions;
  /** Now, in RFC 3339 in whole seconds. */
  time: string;
  /** What the server resets in such a write (`['status']`), so that nobody comes to manage it by that. */
  resets: ResetFields;
}

/** metadata.managedFields for the new object; undefined for none. Reads what `old` and `new` carry. */
export async function trackUpdate(update: UpdateTracking): Promise<ManagedFieldsEntry[] | undefined> {
  const managers = managersBefore(update);
  // An object that nobody tracks is not tracked from the middle of its life on.
  if (update.old && managers.size === 0) return undefined;
  try {
    await recordUpdate(managers, update);
  } catch (error) {
    // List elements that cannot be named (validation will say so, or they are older than it), or a version that nothing
    // converts to just now: who manages what is no reason to refuse a write.
    if (error instanceof MissingKeyError || error instanceof StatusError) return update.old?.metadata?.managedFields;
    throw error;
  }
  return writeManagers(managers);
}

/** Clients may set managedFields themselves, even to nothing; what they leave out or garble is taken from the stored object. */
function managersBefore({ old, new: object, subresource }: UpdateTracking): Managers {
  const stored = () => readManagers(old?.metadata?.managedFields) ?? new Map();
  if (subresource !== '') return stored();
  const given = object.metadata?.managedFields;
  if (given && isReset(given)) return new Map();
  const managers = readManagers(given);
  return managers && managers.size > 0 ? managers : stored();
}

function isReset(entries: readonly ManagedFieldsEntry[]): boolean {
  return entries.length === 0 || (entries.length === 1 && Object.keys(entries[0]!).length === 0);
}

/** Gives `update.manager` what it changed. Mutates `managers`. */
export async function recordUpdate(managers: Managers, update: UpdateTracking): Promise<void> {
  const { versions, subresource, time } = update;
  const { apiVersion } = versions;
  reconcileManagers(managers, versions);
  const keep = keeping(update.resets);
  const before = update.old && withoutManagedFields(update.old);
  const comparisons = await compareVersions(before, withoutManagedFields(update.new), { managers, versions, keep });
  const self: Manager = { name: update.manager || 'unknown', operation: 'Update', apiVersion, subresource, time, fields: emptySet };
  const key = managerKey(self);
  // An operation starts with no fields, so that its manager's time changes only when it changes something.
  takeOver(managers, '', comparisons);
  const own = comparisons.get(apiVersion);
  const changed = own ? stripFields(union(own.modified, own.added)) : emptySet;
  if (!isEmptySet(changed)) {
    const kept = managers.get(key);
    managers.set(key, { ...self, fields: kept ? union(changed, kept.fields) : changed });
  }
  capUpdateManagers(managers);
}

export function withoutManagedFields(object: KubeObject): KubeObject {
  if (!object.metadata?.managedFields) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

const managerNameLengthMax = 128;

/** The manager of a request: what it says, or the first part of its user agent. */
export function fieldManagerName(fieldManager: string | undefined, userAgent: string | undefined): string {
  if (fieldManager) return fieldManager;
  const prefix = (userAgent ?? '').split('/', 1)[0]!;
  return prefix.replace(/[\p{C}\p{Z}]/gu, (c) => (c === ' ' ? c : '')).slice(0, managerNameLengthMax);
}
