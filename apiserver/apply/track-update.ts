// managedFields of every write that is no apply: create, update and the other patches. Whoever writes manages what it
// changed.

import type { KubeObject, ManagedFieldsEntry } from '../../api/wire.ts';
import type { ObjectNode } from '../schema/node.ts';
import { compareObjects, type Json } from './compare.ts';
import { emptySet, type FieldSet, isEmptySet, union } from './field-set.ts';
import {
  capUpdateManagers,
  type Manager,
  type Managers,
  managerKey,
  readManagers,
  setOfNames,
  stripFields,
  writeManagers,
} from './managed-fields.ts';
import { MissingKeyError } from './path-element.ts';
import { ignoring, takeOver } from './take-over.ts';

export interface UpdateTracking {
  /** What is stored; undefined when the object is created. */
  old: KubeObject | undefined;
  /** What is to be stored, after decoding and defaults and before the server's own changes. Not changed. */
  new: KubeObject;
  /** See `fieldManagerName`. */
  manager: string;
  /** '' for the object itself. */
  subresource: string;
  /** `apps/v1`: the version that the request speaks. */
  apiVersion: string;
  /** Now, in RFC 3339 in whole seconds. */
  time: string;
  schema: ObjectNode;
  /** What the server resets in such a write (`['status']`), so that nobody comes to manage it by that. */
  resets: readonly string[];
}

/** metadata.managedFields for the new object; undefined for none. Reads what `old` and `new` carry. */
export function trackUpdate(update: UpdateTracking): ManagedFieldsEntry[] | undefined {
  const managers = managersBefore(update);
  // An object that nobody tracks is not tracked from the middle of its life on.
  if (update.old && managers.size === 0) return undefined;
  try {
    recordUpdate(managers, update);
  } catch (error) {
    // List elements that cannot be named: validation will say so, or they are older than it.
    if (error instanceof MissingKeyError) return update.old?.metadata?.managedFields;
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
export function recordUpdate(managers: Managers, update: UpdateTracking): void {
  const { apiVersion, subresource, time } = update;
  const ignored = resetsOf(update.resets);
  const comparison = ignoring(compareObjects(withoutManagedFields(update.old), withoutManagedFields(update.new)!, update.schema), ignored);
  const self: Manager = { name: update.manager || 'unknown', operation: 'Update', apiVersion, subresource, time, fields: emptySet };
  const key = managerKey(self);
  // An operation starts with no fields, so that its manager's time changes only when it changes something.
  takeOver(managers, '', comparison);
  const changed = stripFields(union(comparison.modified, comparison.added));
  if (!isEmptySet(changed)) {
    const before = managers.get(key);
    managers.set(key, { ...self, fields: before ? union(changed, before.fields) : changed });
  }
  capUpdateManagers(managers);
}

const resetSets = new Map<string, FieldSet>();

/** The set of dotted names; there are few different lists of them. */
export function resetsOf(names: readonly string[]): FieldSet {
  const text = names.join();
  let set = resetSets.get(text);
  if (!set) {
    set = setOfNames(names);
    resetSets.set(text, set);
  }
  return set;
}

export function withoutManagedFields(object: KubeObject | undefined): Json | undefined {
  if (!object?.metadata?.managedFields) return object as Json | undefined;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata } as Json;
}

const managerNameLengthMax = 128;

/** The manager of a request: what it says, or the first part of its user agent. */
export function fieldManagerName(fieldManager: string | undefined, userAgent: string | undefined): string {
  if (fieldManager) return fieldManager;
  const prefix = (userAgent ?? '').split('/', 1)[0]!;
  return prefix.replace(/[\p{C}\p{Z}]/gu, (c) => (c === ' ' ? c : '')).slice(0, managerNameLengthMax);
}
