// Server-side apply: merges what a manager applies into the live object, takes out what it applied before and no longer
// does, and records what it manages. See https://kubernetes.io/docs/reference/using-api/server-side-apply/

import { isDeepStrictEqual } from 'node:util';
import { badRequestError, StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { ObjectNode } from '../schema/node.ts';
import { compareObjects, fieldsOf, type Json } from './compare.ts';
import { difference, type FieldSet, hasPath, intersection, isEmptySet, recursiveDifference, union } from './field-set.ts';
import { type Manager, type Managers, managerKey, readManagers, setFields, stripFields, writeManagers } from './managed-fields.ts';
import { mergeObjects, removeFields, withNamedFields, withoutNulls } from './merge.ts';
import { MissingKeyError } from './path-element.ts';
import { type Conflict, conflictError, conflictsOf, ignoring, takeOver } from './take-over.ts';
import { recordUpdate, resetsOf, withoutManagedFields } from './track-update.ts';
import { appliedProblems } from './validate-applied.ts';

export interface ApplyRequest {
  /** What is stored; undefined creates it. Not changed. */
  live: KubeObject | undefined;
  /** The body, parsed and not yet fitted to the schema. Not changed. */
  applied: KubeObject;
  /** The fieldManager parameter, which an apply must give. */
  manager: string;
  force: boolean;
  /** `apps/v1` and `Deployment`, as the path says. */
  apiVersion: string;
  kind: string;
  subresource: string;
  /** Now, in RFC 3339 in whole seconds. */
  time: string;
  schema: ObjectNode;
  /** What the server resets in such a write (`['status']`). */
  resets: readonly string[];
}

const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';
/** The manager under which kubectl applies; it upgrades what it applied from the client's side. */
const kubectl = 'kubectl';
const beforeFirstApply = 'before-first-apply';

/**
 * The object to store, its managedFields set; defaults are still to be set, and the schema's checks to be made. It shares
 * parts with `live` and `applied`: copy it before changing it.
 * @throws StatusError Conflict when others manage what would change, BadRequest for a body that cannot be applied
 */
export function applyPatch(request: ApplyRequest): KubeObject {
  checkApplied(request);
  const managers = readManagers(request.live?.metadata?.managedFields);
  if (!managers) throw new StatusError('', 'failed to decode managed fields: an entry is not valid');
  const live = withoutManagedFields(request.live) ?? {};
  try {
    const object = applyTo(live, managers, request);
    syncLastApplied(object, request);
    const entries = writeManagers(managers);
    const metadata = { ...object.metadata };
    if (entries) metadata.managedFields = entries;
    return { ...object, metadata };
  } catch (error) {
    if (error instanceof MissingKeyError)
      throw new StatusError('', `failed to create typed live object (${subjectOf(request)}): ${error.message}`);
    throw error;
  }
}

function checkApplied(request: ApplyRequest): void {
  const { applied, apiVersion, kind, schema } = request;
  if (applied.apiVersion !== apiVersion || applied.kind !== kind) {
    throw badRequestError(`invalid object type: ${kindText(textOf(applied.apiVersion), textOf(applied.kind))}`);
  }
  if (applied.metadata?.managedFields !== undefined && applied.metadata.managedFields !== null)
    throw badRequestError('metadata.managedFields must be nil');
  const problems = appliedProblems(applied as Json, schema);
  if (problems.length === 0) return;
  const list = problems.length === 1 ? problems[0] : `errors:\n${problems.map((problem) => `  ${problem}`).join('\n')}`;
  throw new StatusError('', `failed to create typed patch object (${subjectOf(request)}): ${list}`);
}

/** Bodies are not decoded yet: what is no text counts as none. */
const textOf = (value: unknown) => (typeof value === 'string' ? value : '');

/** `default/web; apps/v1, Kind=Deployment` */
function subjectOf({ applied, apiVersion, kind }: ApplyRequest): string {
  return `${applied.metadata?.namespace ?? ''}/${applied.metadata?.name ?? ''}; ${kindText(apiVersion, kind)}`;
}

/** `/v1, Kind=Pod` */
function kindText(apiVersion: string, kind: string): string {
  return `${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${kind}`;
}

/** Mutates `managers`. */
function applyTo(live: Json, managers: Managers, request: ApplyRequest): KubeObject {
  const { schema, resets, apiVersion, time } = request;
  if (managers.size === 0 && request.live) {
    recordUpdate(managers, {
      old: undefined,
      new: live as KubeObject,
      manager: beforeFirstApply,
      subresource: request.subresource,
      apiVersion,
      time,
      schema,
      resets,
    });
  }
  const self: Manager = {
    name: request.manager,
    operation: 'Apply',
    apiVersion,
    subresource: request.subresource,
    time: undefined,
    fields: {},
  };
  const key = managerKey(self);
  const last = managers.get(key);
  const ignored = resetsOf(resets);
  const fields = recursiveDifference(fieldsOf(request.applied as Json, schema), ignored);
  managers.set(key, { ...self, time: last?.time, fields });
  const merged = mergeObjects(live, request.applied as Json, schema);
  const pruned = last && !isEmptySet(last.fields) ? prune(merged, managers, last.fields, schema) : merged;
  const object = withoutNulls(pruned) as Json;
  const comparison = ignoring(compareObjects(live, object, schema), ignored);
  const conflicts = request.force ? [] : conflictsOf(managers, key, comparison);
  const refused = conflicts.length === 0 ? [] : notAppliedByClient(conflicts, live, request);
  if (refused.length > 0) throw conflictError(refused);
  takeOver(managers, key, comparison);
  const isChanged = !isDeepStrictEqual(live, object);
  // Time tells of the last change; an apply that changes nothing leaves it, or has none.
  const own = managers.get(key);
  if (own && isChanged) managers.set(key, { ...own, time });
  setFields(managers, key, stripFields(fields));
  return object as KubeObject;
}

/**
 * Takes out of `merged` what the applier had in `last` and has no more, unless somebody else manages it; list elements and
 * objects go when nothing that others manage is left in them.
 */
function prune(merged: Json, managers: Managers, last: FieldSet, schema: ObjectNode): Json {
  const named = (set: FieldSet) => withNamedFields(set, schema);
  let pruned = removeFields(merged, named(last), schema);
  const mergedFields = named(fieldsOf(merged, schema));
  let managed: FieldSet = {};
  for (const manager of managers.values()) managed = union(managed, manager.fields);
  const kept = union(named(fieldsOf(pruned, schema)), named(managed));
  pruned = removeFields(merged, difference(mergedFields, kept), schema);
  const dangling = difference(mergedFields, named(fieldsOf(pruned, schema)));
  return removeFields(merged, intersection(dangling, named(last)), schema);
}

/**
 * What is left of the conflicts for kubectl when it applied the fields from the client's side before: those that
 * its annotation does not account for.
 */
function notAppliedByClient(conflicts: Conflict[], live: Json, request: ApplyRequest): Conflict[] {
  const annotation = request.manager === kubectl ? (live as KubeObject).metadata?.annotations?.[lastAppliedAnnotation] : undefined;
  const lastApplied = annotation ? parseLastApplied(annotation, request) : undefined;
  if (!lastApplied) return conflicts;
  const comparison = compareObjects(lastApplied, live, request.schema);
  const own = [comparison.modified, comparison.added, comparison.removed].reduce(difference, fieldsOf(lastApplied, request.schema));
  return conflicts.filter(({ path }) => !hasPath(own, path));
}

function parseLastApplied(annotation: string, { apiVersion, schema }: ApplyRequest): Json | undefined {
  try {
    const object = JSON.parse(annotation) as KubeObject | null;
    return object?.apiVersion === apiVersion && appliedProblems(object as Json, schema).length === 0 ? (object as Json) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Keeps the client's annotation right for those who will apply from the client's side again. Mutates `object`. */
function syncLastApplied(object: KubeObject, { manager, applied }: ApplyRequest): void {
  if (manager !== kubectl || !object.metadata?.annotations?.[lastAppliedAnnotation]) return;
  const { [lastAppliedAnnotation]: _, ...annotations } = applied.metadata?.annotations ?? {};
  const metadata = { ...applied.metadata, ...(applied.metadata?.annotations ? { annotations } : {}) };
  const text = `${JSON.stringify({ ...applied, metadata })}\n`;
  object.metadata = { ...object.metadata, annotations: { ...object.metadata.annotations, [lastAppliedAnnotation]: text } };
}
