// Strategic merge patch: Kubernetes' own merge, in which lists of objects are merged by key, and directives within the
// patch delete, replace, retain and order. See
// https://git.k8s.io/community/contributors/devel/sig-api-machinery/strategic-merge-patch.md

import { StatusError } from '../status.ts';
import { badPatchError, goText, unprocessablePatchError } from './patch-error.ts';

/** What the merge asks of a schema; apiserver/schema's nodes are such. */
export interface PatchSchema {
  readonly type: string;
  readonly patch?:
    | {
        merge?: boolean;
        /** Replaces the object whole instead of merging it. */
        replace?: boolean;
        mergeKey?: string;
      }
    | undefined;
  /** Of an object. */
  readonly fields?: ReadonlyMap<string, PatchSchema>;
  /** Of a map's values. */
  readonly value?: PatchSchema;
  /** Of a list's items. */
  readonly item?: PatchSchema;
  /** As messages call it. */
  readonly goType?: string;
}

type Json = Record<string, unknown>;

const directive = '$patch';
const retainKeys = '$retainKeys';
const deletePrefix = '$deleteFromPrimitiveList/';
const orderPrefix = '$setElementOrder/';

/** `current` with `patch` merged in; neither is changed, and the result may share parts with both. @throws StatusError */
export function strategicMergePatch(current: object, patch: unknown, schema: PatchSchema): object {
  if (!isObject(patch)) throw badPatchError('invalid JSON document');
  return mergeMap(current as Json, patch, schema);
}

function mergeMap(original: Json, patch: Json, schema: PatchSchema | undefined): Json {
  const marker = patch[directive];
  if (marker === 'replace') return without(patch, directive);
  if (marker === 'delete') return {};
  if (marker !== undefined) throw internal(`unknown patch type: ${goText(marker)} in map: ${goText(patch)}`);
  const result = retained(original, patch);
  const ordered = mergeOrderedLists(result, patch, schema);
  for (const [name, value] of Object.entries(patch)) {
    if (name === retainKeys || name.startsWith(orderPrefix) || ordered.has(name)) continue;
    if (name.startsWith(deletePrefix)) {
      const key = name.slice(deletePrefix.length);
      const list = own(result, key);
      if (!Array.isArray(value)) throw badPatchError('invalid patch format of primitive list');
      if (Array.isArray(list)) result[key] = list.filter((item) => !value.includes(item));
    } else if (value === null) delete result[name];
    else mergeField(result, name, value, fieldOf(schema, name));
  }
  return result;
}

/** Merges one field's value into `result`. */
function mergeField(result: Json, name: string, value: unknown, field: PatchSchema | undefined): void {
  const before = own(result, name);
  if (isObject(before) && isObject(value)) {
    define(result, name, field?.patch?.replace ? value : mergeMap(before, value, field));
  } else if (Array.isArray(before) && Array.isArray(value)) {
    define(result, name, field?.patch?.merge ? mergeList(before, value, field) : value);
  } else {
    const added = cleaned(value);
    if (added === undefined) delete result[name];
    else define(result, name, added);
  }
}

/** $retainKeys: `original` with only the listed fields, which must be all that the patch sets. */
function retained(original: Json, patch: Json): Json {
  if (!(retainKeys in patch)) return { ...original };
  const keys = patch[retainKeys];
  if (!Array.isArray(keys)) throw badPatchError('invalid patch format of retainKeys');
  for (const [name, value] of Object.entries(patch)) {
    if (value === null || name === retainKeys || name.startsWith(deletePrefix) || name.startsWith(orderPrefix)) continue;
    if (!keys.includes(name)) throw badPatchError('invalid patch format of retainKeys');
  }
  return Object.fromEntries(Object.entries(original).filter(([name]) => keys.includes(name)));
}

/** $setElementOrder: merges those lists and puts them in order. Returns the names that are dealt with. */
function mergeOrderedLists(result: Json, patch: Json, schema: PatchSchema | undefined): Set<string> {
  const done = new Set<string>();
  for (const [directiveName, order] of Object.entries(patch)) {
    if (!directiveName.startsWith(orderPrefix)) continue;
    const name = directiveName.slice(orderPrefix.length);
    const before = own(result, name);
    const change = own(patch, name);
    if (!Array.isArray(order) || (change !== undefined && change !== null && !Array.isArray(change))) {
      throw badPatchError('invalid patch format of setElementOrder list');
    }
    const field = fieldOf(schema, name);
    const mergeKey = field?.patch?.mergeKey ?? '';
    if (change === null) continue;
    if (Array.isArray(change)) checkOrder(change, order, mergeKey);
    const list = Array.isArray(before) ? before : undefined;
    let merged: unknown[];
    if (list && Array.isArray(change)) merged = field?.patch?.merge ? mergeList(list, change, field) : change;
    else if (list) merged = list;
    else if (Array.isArray(change)) merged = cleaned(change) as unknown[];
    else continue;
    done.add(name);
    const removals = own(patch, deletePrefix + name);
    // Deletions come before the order, or what they take away would find a place in it.
    if (Array.isArray(removals)) merged = merged.filter((item) => !removals.includes(item));
    define(result, name, arrange(merged, order, list ?? [], mergeKey));
  }
  return done;
}

/** The items of a patch must come in the order that it asks for. */
function checkOrder(change: unknown[], order: unknown[], mergeKey: string): void {
  const kept = change.filter((item) => !(isObject(item) && directive in item));
  if (kept.length === 0 || order.length === 0) return;
  let at = 0;
  for (let i = 0; i < order.length && at < kept.length; i++) if (identity(kept[at], mergeKey) === identity(order[i], mergeKey)) at++;
  if (at < kept.length) {
    throw internal(`The order in patch list:\n${goText(change)}\n doesn't match $setElementOrder list:\n${goText(order)}\n`);
  }
}

function mergeList(original: unknown[], patch: unknown[], schema: PatchSchema): unknown[] {
  if (original.length === 0 && patch.length === 0) return original;
  const kind = elementKind([...original, ...patch]);
  if (kind !== 'object') return arrange([...new Set([...original, ...patch])], patch, original, '');
  const mergeKey = schema.patch?.mergeKey;
  if (!mergeKey) throw internal(`cannot merge lists without merge key for ${schema.goType ?? 'list'}`);
  let base = original as Json[];
  const changes: Json[] = [];
  let replaces = false;
  for (const item of patch as Json[]) {
    const marker = item[directive];
    if (marker === undefined) changes.push(item);
    else if (marker === 'delete') {
      const key = keyOf(item, mergeKey);
      base = base.filter((candidate) => candidate[mergeKey] !== key);
    } else if (marker === 'replace') replaces = true;
    else if (marker === 'merge') throw internal('merging lists cannot yet be specified in the patch');
    else throw internal(`unknown patch type: ${goText(marker)} in map: ${goText(item)}`);
  }
  if (replaces) return changes;
  const merged = [...base];
  for (const change of changes) {
    const key = keyOf(change, mergeKey);
    const at = merged.findIndex((candidate) => candidate[mergeKey] === key);
    if (at < 0) merged.push(cleaned(change) as Json);
    else merged[at] = mergeMap(merged[at]!, change, schema.item);
  }
  return arrange(merged, changes, base, mergeKey);
}

/**
 * Puts what `order` names in its order, and keeps what only the server has in its own, each before the first named item
 * that stood behind it on the server.
 */
function arrange(merged: unknown[], order: unknown[], server: unknown[], mergeKey: string): unknown[] {
  const rank = new Map(order.map((item, i) => [identity(item, mergeKey), i] as const));
  const serverRank = new Map(server.map((item, i) => [identity(item, mergeKey), i] as const));
  const rankOf = (item: unknown) => rank.get(identity(item, mergeKey))!;
  const serverRankOf = (item: unknown) => serverRank.get(identity(item, mergeKey));
  const named = merged.filter((item) => rank.has(identity(item, mergeKey))).sort((a, b) => rankOf(a) - rankOf(b));
  const serverOnly = merged.filter((item) => !rank.has(identity(item, mergeKey)));
  const result: unknown[] = [];
  let next = 0;
  for (const item of named) {
    for (; next < serverOnly.length; next++) {
      const [left, right] = [serverRankOf(serverOnly[next]), serverRankOf(item)];
      if (left === undefined || right === undefined || left >= right) break;
      result.push(serverOnly[next]);
    }
    result.push(item);
  }
  return result.concat(serverOnly.slice(next));
}

function identity(item: unknown, mergeKey: string): unknown {
  return mergeKey && isObject(item) ? item[mergeKey] : item;
}

function keyOf(item: Json, mergeKey: string): unknown {
  const key = own(item, mergeKey);
  if (key === undefined) throw internal(`map: ${goText(item)} does not contain declared merge key: ${mergeKey}`);
  return key;
}

function elementKind(items: unknown[]): string {
  const kinds = new Set(items.map((item) => (Array.isArray(item) ? 'list' : item === null ? 'null' : typeof item)));
  if (kinds.has('list')) throw unprocessablePatchError();
  if (kinds.size > 1) throw internal(`list element types are not identical: ${goText(items)}`);
  return [...kinds][0]!;
}

function fieldOf(schema: PatchSchema | undefined, name: string): PatchSchema | undefined {
  return schema?.fields?.get(name) ?? schema?.value;
}

/** A value from the patch that meets nothing in the object: without nulls and directives. Undefined: it is but a directive. */
function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleaned).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (directive in value) return undefined;
  const result: Json = {};
  for (const [name, item] of Object.entries(value)) {
    if (item === null || name === retainKeys || name.startsWith(orderPrefix) || name.startsWith(deletePrefix)) continue;
    const kept = cleaned(item);
    if (kept !== undefined) define(result, name, kept);
  }
  return result;
}

function without(object: Json, name: string): Json {
  const { [name]: _, ...rest } = object;
  return rest;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(object: Json, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Sets even a key that has a meaning of its own in JavaScript. */
function define(object: Json, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

/** Kubernetes answers these with 500 and the bare message. */
function internal(message: string): StatusError {
  return new StatusError('', message);
}
