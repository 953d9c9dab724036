// metadata.managedFields: who manages which fields. Entries are read into a table by manager, worked on, and written back
// in Kubernetes' order.

import type { ManagedFieldsEntry } from '../../api/wire.ts';
import { canonicalSet, difference, emptySet, type FieldSet, isEmptySet, setOfPath, union } from './field-set.ts';
import { canonicalElement } from './path-element.ts';

export interface Manager {
  name: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  subresource: string;
  /** RFC 3339; an apply that changes nothing sets none. */
  time: string | undefined;
  fields: FieldSet;
  /** The entry these fields were read from, as long as nothing is changed. */
  entry?: ManagedFieldsEntry;
}

/** By identity, see `managerKey`. */
export type Managers = Map<string, Manager>;

/** Updates by more managers than this are merged, the oldest first. */
export const updateManagersMax = 10;
const ancientChanges = 'ancient-changes';

/**
 * What makes a manager one: for an apply the version does not count, so that an applier stays itself across versions.
 * The text also sorts as Kubernetes sorts conflicts.
 */
export function managerKey({
  name,
  operation,
  apiVersion,
  subresource,
}: Pick<Manager, 'name' | 'operation' | 'apiVersion' | 'subresource'>): string {
  return JSON.stringify({
    manager: name,
    operation,
    ...(operation === 'Update' ? { apiVersion } : {}),
    ...(subresource ? { subresource } : {}),
  });
}

/** The table of `entries`, or undefined when one of them is not valid. */
export function readManagers(entries: readonly ManagedFieldsEntry[] | undefined): Managers | undefined {
  const managers: Managers = new Map();
  if (entries?.some((entry, i) => headProblem(entry, i) !== undefined)) return undefined;
  for (const entry of entries ?? []) {
    const { manager: name = '', operation = '', apiVersion = '', subresource = '', time, fieldsV1 } = entry;
    const fields = readSet(fieldsV1 ?? {});
    if (!fields) return undefined;
    const manager: Manager = { name, operation: operation === 'Apply' ? operation : 'Update', apiVersion, subresource, time, fields };
    // What is in canonical form already is written back as it is.
    if (fields === fieldsV1) manager.entry = entry;
    managers.set(managerKey(manager), manager);
  }
  return managers;
}

/** Why entries are not valid; undefined: they are. */
export function managersProblem(entries: readonly ManagedFieldsEntry[] | undefined): string | undefined {
  if (entries === undefined) return undefined;
  if (!Array.isArray(entries)) return 'managedFields is no list';
  for (const [i, entry] of entries.entries()) {
    const problem = headProblem(entry, i);
    if (problem) return problem;
    if (!readSet(entry.fieldsV1 ?? {})) return `error decoding versioned set of managed fields entry ${i}`;
  }
  return undefined;
}

function headProblem({ operation, apiVersion, fieldsType }: ManagedFieldsEntry, i: number): string | undefined {
  if (operation !== 'Apply' && operation !== 'Update') return 'operation must be `Apply` or `Update`';
  if (!apiVersion) return 'apiVersion must not be empty';
  if (!fieldsType) return `missing fieldsType in managed fields entry ${i}`;
  return fieldsType === 'FieldsV1' ? undefined : `invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${i}`;
}

const setsRead = new WeakSet<object>();

/** The set itself when its elements are in canonical spelling; else one in which they are, without those of no known kind. */
function readSet(fields: object): FieldSet | undefined {
  if (setsRead.has(fields)) return fields as FieldSet;
  let isCanonical = true;
  const result: Record<string, FieldSet> = {};
  for (const [element, below] of Object.entries(fields)) {
    if (typeof below !== 'object' || below === null || Array.isArray(below)) return undefined;
    if (element === '.') {
      result['.'] = emptySet;
      continue;
    }
    const spelling = canonicalElement(element);
    const entry = spelling === undefined ? undefined : readSet(below as object);
    if (spelling !== element || entry !== below) isCanonical = false;
    if (spelling !== undefined) {
      if (!entry) return undefined;
      result[spelling] = entry;
    }
  }
  if (!isCanonical) return result;
  setsRead.add(fields);
  return fields as FieldSet;
}

/** The entries in Kubernetes' order, or undefined when nobody manages anything. */
export function writeManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  return [...managers.values()].sort(compareManagers).map((manager) => {
    if (manager.entry) return manager.entry;
    const fieldsV1 = canonicalSet(manager.fields);
    return {
      manager: manager.name,
      operation: manager.operation,
      apiVersion: manager.apiVersion,
      ...(manager.time === undefined ? {} : { time: manager.time }),
      fieldsType: 'FieldsV1',
      fieldsV1,
      ...(manager.subresource ? { subresource: manager.subresource } : {}),
    };
  });
}

function compareManagers(a: Manager, b: Manager): number {
  return (
    compare(a.operation, b.operation) ||
    compare(a.time ?? '', b.time ?? '') ||
    compare(a.name, b.name) ||
    compare(a.apiVersion, b.apiVersion) ||
    compare(a.subresource, b.subresource)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Gives a manager other fields; one without fields is no manager. */
export function setFields(managers: Managers, key: string, fields: FieldSet): void {
  const manager = managers.get(key);
  if (!manager || manager.fields === fields) return;
  if (isEmptySet(fields)) managers.delete(key);
  else {
    const { entry: _, ...rest } = manager;
    managers.set(key, { ...rest, fields });
  }
}

/** What nobody manages: the identity of the object, and what the server keeps in its metadata. */
const stripped: FieldSet = [
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map(
    (name) => ['f:metadata', `f:${name}`],
  ),
].reduce<FieldSet>((set, path) => union(set, setOfPath(path)), emptySet);

export function stripFields(fields: FieldSet): FieldSet {
  return difference(fields, stripped);
}

/** Merges the oldest updates into one manager for each version until there are no more than `updateManagersMax`. */
export function capUpdateManagers(managers: Managers): void {
  const updaters = [...managers].filter(([, manager]) => manager.operation === 'Update');
  let count = updaters.length;
  if (count <= updateManagersMax) return;
  updaters.sort(([keyA, a], [keyB, b]) => compare(a.time ?? '', b.time ?? '') || compare(keyA, keyB));
  const firstOfVersion = new Map<string, string>();
  for (const [key, manager] of updaters) {
    if (count <= updateManagersMax) return;
    const first = firstOfVersion.get(manager.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(manager.apiVersion, key);
      continue;
    }
    const bucket: Manager = {
      name: ancientChanges,
      operation: 'Update',
      apiVersion: manager.apiVersion,
      subresource: '',
      time: manager.time,
      fields: emptySet,
    };
    const bucketKey = managerKey(bucket);
    const before = managers.get(bucketKey) ?? managers.get(first)!;
    if (!managers.has(bucketKey)) managers.delete(first);
    managers.delete(key);
    managers.set(bucketKey, { ...bucket, fields: union(manager.fields, before.fields) });
    count--;
  }
}
