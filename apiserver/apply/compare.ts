// What a change added, modified and removed, as sets of fields, by the rules of a schema; and the set of fields of one
// object. Objects that are there even when nothing is said count as there.

import { isDeepStrictEqual } from 'node:util';
import type { ListNode, ObjectNode, SchemaNode } from '../schema/node.ts';
import { emptySet, entryOf, type FieldSet } from './field-set.ts';
import { itemElement } from './path-element.ts';

export interface Comparison {
  added: FieldSet;
  modified: FieldSet;
  removed: FieldSet;
}

export type Json = Record<string, unknown>;
type Growing = Record<string, FieldSet>;

/** @throws MissingKeyError when a list element cannot be named */
export function compareObjects(before: Json | undefined, after: Json, schema: ObjectNode): Comparison {
  const out = new Outcome();
  // Even a new object is compared with what is there when nothing is said.
  compareFields(before ?? {}, after, schema, out);
  return out;
}

class Outcome implements Comparison {
  added: Growing = {};
  modified: Growing = {};
  removed: Growing = {};

  /** Takes over what was found below `element`. */
  nest(element: string, inner: Outcome, isAdded: boolean, isRemoved: boolean): void {
    put(this.added, element, entryOf(isAdded, inner.added));
    put(this.modified, element, entryOf(false, inner.modified));
    put(this.removed, element, entryOf(isRemoved, inner.removed));
  }
}

function put(set: Growing, element: string, entry: FieldSet | undefined): void {
  if (entry) set[element] = entry;
}

/** An element of either side; undefined is absent. Unchanged ones cost a comparison of references. */
function compareElement(element: string, before: unknown, after: unknown, node: SchemaNode, out: Outcome): void {
  if (before === after) return;
  const shape = shapeOf(node, before, after);
  if (shape === 'leaf') {
    if (before === undefined) out.added[element] = emptySet;
    else if (after === undefined) out.removed[element] = emptySet;
    else if (!isDeepStrictEqual(before, after)) out.modified[element] = emptySet;
    return;
  }
  const inner = new Outcome();
  if (shape === 'list') compareItems((before ?? none) as unknown[], (after ?? none) as unknown[], node as ListNode, inner);
  else compareFields(before as Json | undefined, after as Json | undefined, node, inner);
  out.nest(element, inner, before === undefined, after === undefined);
}

const none: readonly unknown[] = Object.freeze([]);

/** How two values of a node are compared: whole, item by item, or field by field. */
function shapeOf(node: SchemaNode, a: unknown, b: unknown): 'leaf' | 'list' | 'fields' {
  switch (node.type) {
    case 'scalar':
      return 'leaf';
    case 'list':
      if (node.listType === 'atomic' || !isListOrNothing(a) || !isListOrNothing(b)) return 'leaf';
      return isEmptyList(a) && isEmptyList(b) ? 'leaf' : 'list';
    case 'any':
      if (!node.isGranular) return 'leaf';
      break;
    case 'object':
    case 'map':
      if (node.isAtomic) return 'leaf';
  }
  if (!isObjectOrNothing(a) || !isObjectOrNothing(b)) return 'leaf';
  return isEmptyObject(a, node) && isEmptyObject(b, node) ? 'leaf' : 'fields';
}

function isListOrNothing(value: unknown): boolean {
  return value === undefined || value === null || Array.isArray(value);
}
function isObjectOrNothing(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && !Array.isArray(value));
}
function isEmptyList(value: unknown): boolean {
  return value === undefined || value === null || (value as unknown[]).length === 0;
}
function isEmptyObject(value: unknown, node: SchemaNode): boolean {
  if (value === undefined || value === null) return true;
  for (const _ in value) return false;
  return node.type !== 'object' || implicitFields(node).length === 0;
}

/** Compares what two objects hold; an absent one holds nothing, not even what is implicit. */
function compareFields(before: Json | undefined | null, after: Json | undefined | null, node: SchemaNode, out: Outcome): void {
  const implicit = node.type === 'object' ? implicitFields(node) : noFields;
  const a = before ?? undefined;
  const b = after ?? undefined;
  for (const key in b) {
    if (b[key] === undefined) continue;
    const old = a === undefined ? undefined : own(a, key);
    compareElement(`f:${key}`, old === undefined && a ? implicitValue(implicit, key) : old, b[key], childOf(node, key), out);
  }
  for (const key in a) {
    if (a[key] === undefined || (b !== undefined && own(b, key) !== undefined)) continue;
    compareElement(`f:${key}`, a[key], b ? implicitValue(implicit, key) : undefined, childOf(node, key), out);
  }
  // What neither says, but only one side has.
  if (a === undefined || b === undefined) {
    for (const [key, value] of implicit) {
      if ((a && own(a, key) !== undefined) || (b && own(b, key) !== undefined)) continue;
      compareElement(`f:${key}`, a && value, b && value, childOf(node, key), out);
    }
  }
}

/** Items are compared by their elements; repeated ones together, as one leaf. */
function compareItems(before: readonly unknown[], after: readonly unknown[], list: ListNode, out: Outcome): void {
  const old = itemsByElement(before, list);
  const now = itemsByElement(after, list);
  for (const element of new Set([...old.keys(), ...now.keys()])) {
    const a = old.get(element) ?? none;
    const b = now.get(element) ?? none;
    if (a.length <= 1 && b.length <= 1) compareElement(element, a[0], b[0], list.item, out);
    else if (a.length >= 2 && b.length >= 2) {
      if (!isDeepStrictEqual(a, b)) out.modified[element] = emptySet;
    } else if (a.length >= 2) {
      if (b.length > 0) compareElement(element, undefined, b[0], list.item, out);
      out.removed[element] = emptySet;
    } else {
      if (a.length > 0) compareElement(element, a[0], undefined, list.item, out);
      out.added[element] = emptySet;
    }
  }
}

function itemsByElement(items: readonly unknown[], list: ListNode): Map<string, unknown[]> {
  const byElement = new Map<string, unknown[]>();
  for (const item of items) {
    const element = itemElement(item, list);
    const same = byElement.get(element);
    if (same) same.push(item);
    else byElement.set(element, [item]);
  }
  return byElement;
}

/** What is there when nothing is said, by field: `{}` for an object, null for a required list or map. */
type ImplicitField = readonly [name: string, value: unknown];
const noFields: readonly ImplicitField[] = [];
const implicitByNode = new WeakMap<ReadonlyMap<string, SchemaNode>, readonly ImplicitField[]>();
const implicitObject = Object.freeze({});

function implicitFields(node: ObjectNode): readonly ImplicitField[] {
  const { fields } = node;
  let found = implicitByNode.get(fields);
  if (!found) {
    found = [...fields].flatMap(([name, field]): ImplicitField[] => {
      if (field.type === 'object' && field.isValue) return [[name, implicitObject]];
      // Custom resources are compared as they are written.
      const isRequired = node.name !== '' && node.required.includes(name) && (field.type === 'list' || field.type === 'map');
      return isRequired ? [[name, null]] : [];
    });
    implicitByNode.set(fields, found);
  }
  return found;
}

function implicitValue(implicit: readonly ImplicitField[], key: string): unknown {
  for (const [name, value] of implicit) if (name === key) return value;
  return undefined;
}

/** Whatever no schema says: objects are taken apart, lists are whole. */
export const deducedNode: SchemaNode = { type: 'any', mustBeObject: false, isGranular: true, goType: 'interface {}' };

/** The node of a field; what a schema does not name is deduced. */
export function childOf(node: SchemaNode, key: string): SchemaNode {
  if (node.type === 'object') return node.fields.get(key) ?? deducedNode;
  return node.type === 'map' ? node.value : deducedNode;
}

/** Whether the schema names the field. */
export function isNamedField(node: SchemaNode, key: string): boolean {
  return node.type === 'object' && node.fields.has(key);
}

function own(object: Json, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The fields that an applied object claims: its leaves, its list elements, and the keys of its maps. */
export function fieldsOf(value: Json, schema: ObjectNode): FieldSet {
  return fieldsBelow(value, schema);
}

function fieldsBelow(value: Json, node: SchemaNode): FieldSet {
  const set: Growing = {};
  for (const key in value) {
    const item = value[key];
    if (item === undefined) continue;
    const claims = item === null || isBareObject(item) || !isNamedField(node, key);
    put(set, `f:${key}`, claimOf(item, childOf(node, key), claims));
  }
  return set;
}

function isBareObject(value: unknown): boolean {
  if (typeof value !== 'object' || Array.isArray(value)) return false;
  for (const _ in value) return false;
  return true;
}

/** What one value claims, below the element that leads to it. */
function claimOf(value: unknown, node: SchemaNode, claimsItself: boolean): FieldSet | undefined {
  if (node.type === 'list' && node.listType !== 'atomic' && isListOrNothing(value)) {
    const set: Growing = {};
    for (const [element, items] of itemsByElement((value ?? none) as unknown[], node)) {
      set[element] = (items.length > 1 ? undefined : claimOf(items[0], node.item, true)) ?? emptySet;
    }
    return entryOf(claimsItself, set);
  }
  const isTakenApart =
    (node.type === 'object' && !node.isAtomic) || (node.type === 'map' && !node.isAtomic) || (node.type === 'any' && node.isGranular);
  if (!isTakenApart || typeof value !== 'object' || value === null || Array.isArray(value)) return emptySet;
  return entryOf(claimsItself, fieldsBelow(value as Json, node));
}
