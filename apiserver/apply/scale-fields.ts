// Who manages an object's replicas, as `/scale` shows it and changes it: the object's own entries become those of a Scale,
// and what a write makes of these goes back into the object's (k8s.io/apimachinery/pkg/util/managedfields ScaleHandler).

import type { ManagedFieldsEntry } from '../../api/wire.ts';
import { difference, hasPath, isEmptySet, setOfPath } from './field-set.ts';
import { type Manager, type Managers, managerKey, readManagers, writeManagers } from './managed-fields.ts';

/** Where the replicas are in each version of a kind, in path elements; null: that version has no scale. */
export type ReplicasPaths = Readonly<Record<string, readonly string[] | null>>;

export const scaleApiVersion = 'autoscaling/v1';
const pathInScale = ['f:spec', 'f:replicas'];

/** The managers of the replicas as managers of a Scale. */
export function toScaleEntries(entries: readonly ManagedFieldsEntry[] | undefined, paths: ReplicasPaths): ManagedFieldsEntry[] | undefined {
  const managers: Managers = new Map();
  for (const { entry: _, ...manager } of readManagers(entries)?.values() ?? []) {
    const path = paths[manager.apiVersion];
    if (!path || !hasPath(manager.fields, path)) continue;
    const own: Manager = { ...manager, apiVersion: scaleApiVersion, fields: setOfPath(pathInScale) };
    managers.set(managerKey(own), own);
  }
  return writeManagers(managers);
}

/** The object's entries after a write to its Scale left `scaleEntries`; `apiVersion` is that of the object in the request. */
export function toParentEntries(
  entries: readonly ManagedFieldsEntry[] | undefined,
  scaleEntries: readonly ManagedFieldsEntry[] | undefined,
  { paths, apiVersion }: { paths: ReplicasPaths; apiVersion: string },
): ManagedFieldsEntry[] | undefined {
  const parents = readManagers(entries) ?? new Map<string, Manager>();
  const left = new Map([...(readManagers(scaleEntries)?.values() ?? [])].map((manager) => [identityOf(manager), manager]));
  const managers: Managers = new Map();
  for (const [key, manager] of parents) {
    const path = paths[manager.apiVersion];
    // Entries of a version that is no more have no meaning.
    if (path === undefined) continue;
    if (path === null || !hasPath(manager.fields, path) || left.delete(identityOf(manager))) managers.set(key, manager);
    else {
      const fields = difference(manager.fields, setOfPath(path));
      const { entry: _, ...rest } = manager;
      if (!isEmptySet(fields)) managers.set(key, { ...rest, fields });
    }
  }
  const path = paths[apiVersion];
  for (const { entry: _, time: __, ...manager } of left.values()) {
    if (!path || !hasPath(manager.fields, pathInScale)) continue;
    const own: Manager = { ...manager, apiVersion, time: undefined, fields: setOfPath(path) };
    managers.set(managerKey(own), { ...own, time: parents.get(managerKey(own))?.time });
  }
  return writeManagers(managers);
}

/** A manager is the same whether its entry is told in the version of the object or of the Scale. */
const identityOf = (manager: Manager) => managerKey({ ...manager, apiVersion: '' });
