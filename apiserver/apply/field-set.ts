// Sets of fields in the form FieldsV1 has on the wire: a tree of plain objects keyed by path elements, in which an empty
// object is a member, `.` marks a member that has members below it, and anything else is only on the way to one. Sets
// are never changed, so trees share their branches.

import { compareElements, elementText } from './path-element.ts';

/** The members below one element, by element. Never mutated once made. */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

export const emptySet: FieldSet = Object.freeze({});
const self = '.';

export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** Whether an element's entry says that it is itself a member. */
export function isMember(entry: FieldSet): boolean {
  return self in entry || isEmptySet(entry);
}

/** An entry from its two halves; undefined when it would say nothing. */
export function entryOf(member: boolean, children: FieldSet): FieldSet | undefined {
  if (isEmptySet(children)) return member ? emptySet : undefined;
  if (member === self in children) return children;
  if (member) return { [self]: emptySet, ...children };
  const { [self]: _, ...rest } = children;
  return rest;
}

/** What is in either. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  const result: Record<string, FieldSet> = { ...a };
  for (const element in b) {
    if (element === self) continue;
    const mine = a[element];
    const other = b[element]!;
    result[element] = mine === undefined ? other : entryOf(isMember(mine) || isMember(other), union(below(mine), below(other)))!;
  }
  return result;
}

/** What is in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const result: Record<string, FieldSet> = {};
  for (const element in a) {
    const other = b[element];
    if (element === self || other === undefined) continue;
    const mine = a[element]!;
    const entry = entryOf(isMember(mine) && isMember(other), intersection(below(mine), below(other)));
    if (entry) result[element] = entry;
  }
  return result;
}

/** What is in `a` but not in `b`. Members below a member of `b` stay. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, false);
}

/** What is in `a`, without the members of `b` and all that lies below them. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, true);
}

function subtract(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet {
  if (isEmptySet(a) || isEmptySet(b)) return a;
  let result: Record<string, FieldSet> | undefined;
  for (const element in a) {
    const other = b[element];
    if (element === self || other === undefined) continue;
    const mine = a[element]!;
    const isTaken = isMember(other);
    const children = recursive && isTaken ? emptySet : subtract(below(mine), below(other), recursive);
    const entry = entryOf(isMember(mine) && !isTaken, children);
    result ??= { ...a };
    if (entry) result[element] = entry;
    else delete result[element];
  }
  return result ?? a;
}

/** Without the mark of the entry's own membership. */
export function below(entry: FieldSet): FieldSet {
  if (!(self in entry)) return entry;
  const { [self]: _, ...children } = entry;
  return children;
}

/** Whether the path is a member. */
export function hasPath(set: FieldSet, path: readonly string[]): boolean {
  let entry = set;
  for (const element of path) {
    const next = entry[element];
    if (next === undefined) return false;
    entry = next;
  }
  return isMember(entry);
}

/** The set of one path. */
export function setOfPath(path: readonly string[]): FieldSet {
  return path.reduceRight<FieldSet>((entry, element) => ({ [element]: entry }), emptySet);
}

/** Every member's path: at each level the members themselves come first, and then what is below, both in canonical order. */
export function pathsOf(set: FieldSet, prefix: readonly string[] = []): string[][] {
  const elements = elementsOf(set);
  return [
    ...elements.filter((element) => isMember(set[element]!)).map((element) => [...prefix, element]),
    ...elements.flatMap((element) => pathsOf(set[element]!, [...prefix, element])),
  ];
}

/** `.spec.containers[name="a"].image` */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join('');
}

/** The same set with its keys in the order Kubernetes writes them. */
export function canonicalSet(set: FieldSet): FieldSet {
  const result: Record<string, FieldSet> = {};
  if (self in set) result[self] = emptySet;
  for (const element of elementsOf(set)) result[element] = canonicalSet(set[element]!);
  return result;
}

function elementsOf(set: FieldSet): string[] {
  const elements: string[] = [];
  for (const element in set) if (element !== self) elements.push(element);
  return elements.length > 1 ? elements.sort(compareElements) : elements;
}
