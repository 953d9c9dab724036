// Merging an applied object into the live one by the rules of a schema, and taking a set of fields out of an object.

import type { ListNode, ObjectNode, SchemaNode } from '../schema/node.ts';
import { childOf, deducedNode, isNamedField, type Json } from './compare.ts';
import { below, entryOf, type FieldSet, isMember } from './field-set.ts';
import { itemElement } from './path-element.ts';

/** `live` with everything that `applied` says; neither is changed. Nulls stay, see `withoutNulls`. */
export function mergeObjects(live: Json, applied: Json, schema: ObjectNode): Json {
  return (mergeValue(live, applied, schema) ?? {}) as Json;
}

function mergeValue(live: unknown, applied: unknown, node: SchemaNode): unknown {
  if (applied === undefined) return live;
  if (node.type === 'list') {
    if (node.listType === 'atomic' || !Array.isArray(applied)) return applied;
    const items = Array.isArray(live) ? live : [];
    return items.length === 0 && applied.length === 0 ? applied : mergeItems(items, applied, node);
  }
  const isWhole = node.type === 'scalar' || (node.type === 'any' ? !node.isGranular : node.isAtomic);
  if (isWhole || !isObject(applied) || (live !== undefined && live !== null && !isObject(live))) return applied;
  if (!isObject(live)) return applied;
  const result: Json = { ...live };
  for (const [key, value] of Object.entries(applied)) define(result, key, mergeValue(own(live, key), value, childOf(node, key)));
  return result;
}

/**
 * Items of both lists, once each: in the order of the applied ones, with those that only the live list has as near to
 * their old neighbours as that allows.
 */
function mergeItems(live: readonly unknown[], applied: readonly unknown[], list: ListNode): unknown[] {
  const liveElements = live.map((item) => itemElement(item, list));
  const appliedElements = applied.map((item) => itemElement(item, list));
  const liveByElement = new Map<string, unknown>();
  // Repeated items are not merged with: an applied one takes their place.
  liveElements.forEach((element, i) => void liveByElement.set(element, liveByElement.has(element) ? undefined : live[i]));
  const appliedByElement = new Map(appliedElements.map((element, i) => [element, applied[i]]));
  const shared = appliedElements.filter((element) => liveByElement.has(element));
  let nextShared = shared.shift();
  const merged = new Set<string>();
  const out: unknown[] = [];
  const take = (element: string) => {
    merged.add(element);
    out.push(mergeValue(liveByElement.get(element), appliedByElement.get(element), list.item));
    if (element === nextShared) nextShared = shared.shift();
  };
  let l = 0;
  let a = 0;
  while (l < live.length || a < applied.length) {
    const mine = liveElements[l];
    const other = appliedElements[a];
    if (mine !== undefined && other !== undefined) {
      if (mine === other) {
        take(mine);
        l++;
        a++;
        continue;
      }
      if (appliedByElement.has(mine) && nextShared !== undefined && nextShared !== mine) {
        l++;
        continue;
      }
    }
    if (mine !== undefined) {
      if (!appliedByElement.has(mine)) {
        out.push(live[l]);
        l++;
        continue;
      }
      if (merged.has(mine)) l++;
    }
    if (other !== undefined) {
      take(other);
      a++;
    }
  }
  return out;
}

/** `object` without the members of `set`. What is emptied by that becomes null, see `withoutNulls`. */
export function removeFields(object: Json, set: FieldSet, schema: ObjectNode): Json {
  return (removeFrom(object, set, schema) ?? {}) as Json;
}

function removeFrom(value: unknown, set: FieldSet, node: SchemaNode): unknown {
  if (node.type === 'list') {
    if (!Array.isArray(value) || value.length === 0 || node.listType === 'atomic') return null;
    const items: unknown[] = [];
    for (const item of value) {
      const entry = set[itemElement(item, node)];
      if (entry === undefined) items.push(item);
      else if (!isMember(entry)) items.push(removeFrom(item, entry, node.item));
    }
    return items.length > 0 ? items : null;
  }
  if (node.type === 'scalar') return value;
  if (!isObject(value) || (node.type === 'any' ? !node.isGranular : node.isAtomic)) return null;
  const result: Json = {};
  for (const [key, item] of Object.entries(value)) {
    const entry = set[`f:${key}`];
    if (entry === undefined) define(result, key, item);
    else if (!isMember(entry)) define(result, key, removeFrom(item, entry, childOf(node, key)));
  }
  for (const _ in result) return result;
  return null;
}

/** The set with every field that the schema names a member itself, where it leads to one. */
export function withNamedFields(set: FieldSet, node: SchemaNode | undefined): FieldSet {
  const result: Record<string, FieldSet> = {};
  for (const element in set) {
    if (element === '.') continue;
    const entry = set[element]!;
    const key = element.startsWith('f:') ? element.slice(2) : undefined;
    const child = key === undefined ? (node?.type === 'list' ? node.item : undefined) : node && childOf(node, key);
    const isNamed = key !== undefined && node !== undefined && isNamedField(node, key);
    result[element] = entryOf(isMember(entry) || isNamed, withNamedFields(below(entry), child))!;
  }
  return result;
}

/**
 * Without the nulls that a typed object would not have; shares what has none. A custom resource may hold some: in fields of one value, where
 * removing leaves none behind, and in whatever its schema does not name.
 */
export function withoutNulls(value: unknown, node: SchemaNode): unknown {
  if (node.type === 'any' && node.isCustom) return value;
  if (Array.isArray(value)) {
    const item = node.type === 'list' ? node.item : deducedNode;
    const items = value.map((each) => withoutNulls(each, item));
    return items.some((each, i) => each !== value[i]) ? items : value;
  }
  if (!isObject(value)) return value;
  let result: Json | undefined;
  for (const [key, before] of Object.entries(value)) {
    const child = childOf(node, key);
    if (node.isCustom && (child === deducedNode || (before === null && child.type === 'scalar'))) continue;
    const after = withoutNulls(before, child);
    if (after === before && after !== null) continue;
    result ??= { ...value };
    if (after === null) delete result[key];
    else define(result, key, after);
  }
  return result ?? value;
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
