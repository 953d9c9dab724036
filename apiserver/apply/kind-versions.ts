// A kind in all the versions that it has: what a manager wrote in one of them can only be compared with the object in that
// version.

import type { KubeObject } from '../../api/wire.ts';
import type { ObjectNode } from '../schema/node.ts';
import { type Comparison, compareObjects, type Json } from './compare.ts';
import { type KeepFields, keptOf } from './ignored-fields.ts';
import { type Managers, setFields } from './managed-fields.ts';
import { withoutNulls } from './merge.ts';
import { reconcileSet } from './schema-changes.ts';

/** The versions of one kind, as seen from one of them. */
export interface KindVersions {
  /** `apps/v1`: the version that the request speaks. */
  readonly apiVersion: string;
  readonly schema: ObjectNode;
  /** The kind's schema in a version; undefined: there is no such version. */
  schemaOf(apiVersion: string): ObjectNode | undefined;
  /**
   * An object of one of the versions in another one. Does not change it; the result may share parts with it.
   * @throws StatusError when the webhook that converts fails
   */
  convert(object: KubeObject, apiVersion: string): Promise<KubeObject>;
}

/** The versions of a kind that has one. */
export function onlyVersion(apiVersion: string, schema: ObjectNode): KindVersions {
  return {
    apiVersion,
    schema,
    schemaOf: (asked) => (asked === apiVersion ? schema : undefined),
    convert: async (object) => object,
  };
}

/**
 * Forgets the managers of versions that are no more, and brings the others' fields to what their version's schema says now.
 * Mutates `managers`.
 */
export function reconcileManagers(managers: Managers, versions: KindVersions): void {
  for (const [key, { apiVersion, fields }] of [...managers]) {
    const schema = versions.schemaOf(apiVersion);
    if (schema) setFields(managers, key, reconcileSet(fields, schema));
    else managers.delete(key);
  }
}

/** By apiVersion. */
export type Comparisons = ReadonlyMap<string, Comparison>;

/** What a change is in the version of the request and in those of `managers`, without what the server resets. */
export async function compareVersions(
  before: KubeObject | undefined,
  after: KubeObject,
  { managers, versions, keep }: { managers: Managers; versions: KindVersions; keep: KeepFields },
): Promise<Comparisons> {
  const own = compareObjects(before as Json | undefined, after as unknown as Json, versions.schema);
  const comparisons = new Map([[versions.apiVersion, keptOf(own, keep)]]);
  for (const { apiVersion } of managers.values()) {
    const schema = comparisons.has(apiVersion) ? undefined : versions.schemaOf(apiVersion);
    if (!schema) continue;
    const old = before && (await versions.convert(before, apiVersion));
    const now = await versions.convert(withoutNulls(after, versions.schema) as KubeObject, apiVersion);
    const comparison = compareObjects(old as Json | undefined, now as unknown as Json, schema);
    comparisons.set(apiVersion, keptOf(comparison, keep));
  }
  return comparisons;
}
