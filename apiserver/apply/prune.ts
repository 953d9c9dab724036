// What an applier had in its last apply and has no more goes from the object, unless somebody else manages it.

import type { KubeObject } from '../../api/wire.ts';
import { fieldsOf, type Json } from './compare.ts';
import { difference, type FieldSet, intersection, union } from './field-set.ts';
import type { KindVersions } from './kind-versions.ts';
import type { Manager, Managers } from './managed-fields.ts';
import { removeFields, withNamedFields, withoutNulls } from './merge.ts';

/** An object in one of its versions. */
interface Versioned {
  apiVersion: string;
  object: KubeObject;
}

/**
 * `merged` without what only `last` held. List elements and objects go when nothing that others manage is left in them. What
 * is kept is found out in each manager's own version, first in the one of `last`: a conversion may need what it keeps.
 */
export async function prune(
  merged: KubeObject,
  { managers, last, versions }: { managers: Managers; last: Manager; versions: KindVersions },
): Promise<KubeObject> {
  const { apiVersion } = last;
  const schemaIn = (version: string) => versions.schemaOf(version) ?? versions.schema;
  const to = (from: Versioned, version: string) => inVersion(from, version, versions);
  const whole = await to({ apiVersion: versions.apiVersion, object: merged }, apiVersion);
  const schema = schemaIn(apiVersion);
  const named = (set: FieldSet) => withNamedFields(set, schema);
  let pruned: Versioned = { apiVersion, object: removeFields(whole.object as Json, named(last.fields), schema) as KubeObject };
  for (const [version, managed] of managedByVersion(managers, apiVersion))
    if (versions.schemaOf(version)) pruned = addBack(await to(whole, version), await to(pruned, version), managed, schemaIn(version));
  const left = await to(pruned, apiVersion);
  const dangling = difference(named(fieldsOf(whole.object as Json, schema)), named(fieldsOf(left.object as Json, schema)));
  const object = removeFields(whole.object as Json, intersection(dangling, named(last.fields)), schema) as KubeObject;
  return (await to({ apiVersion, object }, versions.apiVersion)).object;
}

/** What is managed in each version, the one of `first` first. */
function managedByVersion(managers: Managers, first: string): Map<string, FieldSet> {
  const managed = new Map<string, FieldSet>();
  if ([...managers.values()].some(({ apiVersion }) => apiVersion === first)) managed.set(first, {});
  for (const { apiVersion, fields } of managers.values()) managed.set(apiVersion, union(managed.get(apiVersion) ?? {}, fields));
  return managed;
}

/** `pruned` with what is managed of `whole`. */
function addBack(whole: Versioned, pruned: Versioned, managed: FieldSet, schema: Parameters<typeof fieldsOf>[1]): Versioned {
  const named = (set: FieldSet) => withNamedFields(set, schema);
  const kept = union(named(fieldsOf(pruned.object as Json, schema)), named(managed));
  const gone = difference(named(fieldsOf(whole.object as Json, schema)), kept);
  return { apiVersion: whole.apiVersion, object: removeFields(whole.object as Json, gone, schema) as KubeObject };
}

async function inVersion(from: Versioned, apiVersion: string, versions: KindVersions): Promise<Versioned> {
  if (from.apiVersion === apiVersion) return from;
  const object = withoutNulls(from.object, versions.schemaOf(from.apiVersion) ?? versions.schema) as KubeObject;
  return { apiVersion, object: await versions.convert({ ...object, apiVersion: from.apiVersion }, apiVersion) };
}
