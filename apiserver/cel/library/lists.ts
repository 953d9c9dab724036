// Kubernetes' list library (sum, min, max, isSorted, indexOf, lastIndexOf), cel-go's (slice, flatten, distinct, sort, reverse, range,
// first, last) and its sets.

import { add } from '../arithmetic.ts';
import { CelError } from '../cel-error.ts';
import { areEqual, compareValues } from '../equality.ts';
import { CelDuration, Optional } from '../values.ts';
import type { LibraryFunction } from './library-function.ts';

type Items = readonly unknown[];

/** As long as a list may get that is made from a number alone. */
const rangeLengthMax = 1_000_000n;

const order = (a: unknown, b: unknown) => compareValues(a, b) ?? 0;

function extreme(items: Items, name: 'max' | 'min'): unknown {
  if (items.length === 0) throw new CelError(`${name} called on empty list`);
  return items.reduce((best, item) => ((name === 'max' ? order(item, best) > 0 : order(item, best) < 0) ? item : best));
}

function slice(items: Items, start: bigint, end: bigint): Items {
  const call = `cannot slice(${start}, ${end})`;
  if (start < 0n || end < 0n) throw new CelError(`${call}, negative indexes not supported`);
  if (start > end) throw new CelError(`${call}, start index must be less than or equal to end index`);
  if (BigInt(items.length) < end) throw new CelError(`${call}, list is length ${items.length}`);
  return items.slice(Number(start), Number(end));
}

function flatten(items: Items, depth = 1n): Items {
  if (depth < 0n) throw new CelError('level must be non-negative');
  return items.flat(Number(depth > 1000n ? 1000n : depth));
}

function sort(items: Items): Items {
  if (items.some((item) => typeof item !== typeof items[0])) throw new CelError('list elements must have the same type');
  return [...items].sort(order);
}

function sortByKeys(items: Items, keys: Items): Items {
  if (keys.some((key) => typeof key !== typeof keys[0])) throw new CelError('list elements must have the same type');
  return items
    .map((item, i) => ({ item, key: keys[i] }))
    .sort((a, b) => order(a.key, b.key))
    .map(({ item }) => item);
}

function range(length: bigint): bigint[] {
  if (length > rangeLengthMax) throw new CelError('operation cancelled: actual cost limit exceeded');
  return Array.from({ length: Number(length > 0n ? length : 0n) }, (_, i) => BigInt(i));
}

const has = (items: Items, wanted: unknown) => items.some((item) => areEqual(item, wanted));
const distinct = (items: Items) => items.filter((item, i) => !has(items.slice(0, i), item));
const containsAll = (items: Items, wanted: Items) => wanted.every((each) => has(items, each));
const optionalOf = (items: Items, at: number) => (items.length === 0 ? Optional.none() : Optional.of(items.at(at)));

/** What an empty list sums up to. */
const zeros: readonly (readonly [type: string, zero: unknown])[] = [
  ['int', 0n],
  ['uint', 0n],
  ['double', 0],
  ['duration', new CelDuration(0n)],
];
const sum = (zero: unknown) => (items: Items) => (items.length === 0 ? zero : items.slice(1).reduce(add, items[0]));
const comparable = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'];

/** Everything about lists that CEL itself lacks. */
export const listFunctions: readonly LibraryFunction[] = [
  ...zeros.map(([type, zero]): LibraryFunction => [`list<${type}>.sum(): ${type}`, sum(zero)]),
  ...comparable.flatMap((type): LibraryFunction[] => [
    [`list<${type}>.isSorted(): bool`, (items: Items) => items.every((item, i) => i === 0 || order(items[i - 1], item) <= 0)],
    [`list<${type}>.min(): ${type}`, (items: Items) => extreme(items, 'min')],
    [`list<${type}>.max(): ${type}`, (items: Items) => extreme(items, 'max')],
    [`list<${type}>.sort(): list<${type}>`, sort],
    [`list<T>.@sortByAssociatedKeys(list<${type}>): list<T>`, sortByKeys],
  ]),
  ['list<T>.indexOf(T): int', (items: Items, wanted: unknown) => BigInt(items.findIndex((item) => areEqual(item, wanted)))],
  ['list<T>.lastIndexOf(T): int', (items: Items, wanted: unknown) => BigInt(items.findLastIndex((item) => areEqual(item, wanted)))],
  ['list<T>.slice(int, int): list<T>', slice],
  ['list<dyn>.flatten(): list<dyn>', (items: Items) => flatten(items)],
  ['list<dyn>.flatten(int): list<dyn>', flatten],
  ['list<T>.distinct(): list<T>', distinct],
  ['list<T>.reverse(): list<T>', (items: Items) => items.toReversed()],
  ['lists.range(int): list<int>', range],
  ['list<T>.first(): optional<T>', (items: Items) => optionalOf(items, 0)],
  ['list<T>.last(): optional<T>', (items: Items) => optionalOf(items, -1)],
  ['sets.contains(list<T>, list<T>): bool', containsAll],
  ['sets.equivalent(list<T>, list<T>): bool', (a: Items, b: Items) => containsAll(a, b) && containsAll(b, a)],
  ['sets.intersects(list<T>, list<T>): bool', (a: Items, b: Items) => a.some((item) => has(b, item))],
];
