// Server-side apply: merges what a manager applies into the live object, takes out what it applied before and no longer
// does, and records what it manages. See https://kubernetes.io/docs/reference/using-api/server-side-apply/

import { isDeepStrictEqual } from 'node:util';
import { parseJson, stringifyJson } from '../../api/json.ts';
import { badRequestError, StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { compareObjects, fieldsOf, type Json } from './compare.ts';
import { difference, hasPath } from './field-set.ts';
import { keeping, type ResetFields } from './ignored-fields.ts';
import { compareVersions, type KindVersions, reconcileManagers } from './kind-versions.ts';
import {
  type Manager,
  type Managers,
  managerKey,
  managersProblem,
  readManagers,
  setFields,
  stripFields,
  writeManagers,
} from './managed-fields.ts';
import { mergeObjects, withoutNulls } from './merge.ts';
import { MissingKeyError } from './path-element.ts';
import { prune } from './prune.ts';
import { type Conflict, conflictError, conflictsOf, takeOver } from './take-over.ts';
import { recordUpdate, withoutManagedFields } from './track-update.ts';
import { appliedProblems } from './validate-applied.ts';

export interface ApplyRequest {
  /** What is stored; undefined creates it. Not changed. */
  live: KubeObject | undefined;
  /** The body, parsed and not yet fitted to the schema. Not changed. */
  applied: KubeObject;
  /** The fieldManager parameter, which an apply must give. */
  manager: string;
  force: boolean;
  /** `Deployment`, as the path says. */
  kind: string;
  /** The kind's, as seen from the one in the path. */
  versions: KindVersions;
  subresource: string;
  /** Now, in RFC 3339 in whole seconds. */
  time: string;
  /** What the server resets in such a write (`['status']`). */
  resets: ResetFields;
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
export async function applyPatch(request: ApplyRequest): Promise<KubeObject> {
  checkApplied(request);
  const managers = readManagers(request.live?.metadata?.managedFields);
  if (!managers) throw new StatusError('', `failed to decode managed fields: ${managersProblem(request.live?.metadata?.managedFields)}`);
  const live = request.live ? withoutManagedFields(request.live) : {};
  try {
    const object = await applyTo(live, managers, request);
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
  const { applied, kind } = request;
  const { apiVersion, schema } = request.versions;
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
function subjectOf({ applied, versions, kind }: ApplyRequest): string {
  return `${applied.metadata?.namespace ?? ''}/${applied.metadata?.name ?? ''}; ${kindText(versions.apiVersion, kind)}`;
}

/** `/v1, Kind=Pod` */
function kindText(apiVersion: string, kind: string): string {
  return `${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${kind}`;
}

/** Mutates `managers`. */
async function applyTo(live: KubeObject, managers: Managers, request: ApplyRequest): Promise<KubeObject> {
  const { versions, resets, time, subresource } = request;
  const { apiVersion, schema } = versions;
  const applied = request.applied as Json;
  const keep = keeping(resets);
  if (managers.size === 0 && request.live) {
    await recordUpdate(managers, { old: undefined, new: live, manager: beforeFirstApply, subresource, versions, time, resets });
  }
  reconcileManagers(managers, versions);
  const self: Manager = { name: request.manager, operation: 'Apply', apiVersion, subresource, time: undefined, fields: {} };
  const key = managerKey(self);
  const last = managers.get(key);
  const fields = keep(fieldsOf(applied, schema));
  managers.set(key, { ...self, time: last?.time, fields });
  const merged = mergeObjects(live as Json, applied, schema) as KubeObject;
  const pruned = last ? await prune(merged, { managers, last, versions }) : merged;
  const object = withoutNulls(pruned, schema) as KubeObject;
  // What was emptied is still there for those who manage it, until something else is written.
  const comparisons = await compareVersions(live, pruned, { managers, versions, keep });
  const conflicts = request.force ? [] : conflictsOf(managers, key, comparisons);
  const refused = conflicts.length === 0 ? [] : notAppliedByClient(conflicts, live as Json, request);
  if (refused.length > 0) throw conflictError(refused);
  takeOver(managers, key, comparisons);
  // Time tells of the last change; an apply that changes nothing leaves it, or has none.
  const own = managers.get(key);
  if (own && !isDeepStrictEqual(live, object)) managers.set(key, { ...own, time });
  setFields(managers, key, stripFields(fields));
  return object;
}

/**
 * What is left of the conflicts for kubectl when it applied the fields from the client's side before: those that
 * its annotation does not account for.
 */
function notAppliedByClient(conflicts: Conflict[], live: Json, request: ApplyRequest): Conflict[] {
  const { schema } = request.versions;
  const annotation = request.manager === kubectl ? (live as KubeObject).metadata?.annotations?.[lastAppliedAnnotation] : undefined;
  const lastApplied = annotation ? parseLastApplied(annotation, request) : undefined;
  if (!lastApplied) return conflicts;
  const comparison = compareObjects(lastApplied, live, schema);
  const own = [comparison.modified, comparison.added, comparison.removed].reduce(difference, fieldsOf(lastApplied, schema));
  return conflicts.filter(({ path }) => !hasPath(own, path));
}

function parseLastApplied(annotation: string, { versions: { apiVersion, schema } }: ApplyRequest): Json | undefined {
  try {
    const object = parseJson(annotation) as KubeObject | null;
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
  const text = `${stringifyJson({ ...applied, metadata })}\n`;
  object.metadata = { ...object.metadata, annotations: { ...object.metadata.annotations, [lastAppliedAnnotation]: text } };
}
