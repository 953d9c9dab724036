// Kubernetes' list library (sum, min, max, isSorted, indexOf, lastIndexOf), cel-go's (slice, flatten, distinct, sort, reverse, range,
// first, last) and its sets.

import { Optional } from '@marcbachmann/cel-js';
import { areEqual, compareValues, isUnsigned, type LibraryFunction } from './library-function.ts';

type Items = readonly unknown[];

const intMax = 2n ** 63n - 1n;
/** As long as a list may get that is made from a number alone. */
const rangeLengthMax = 1_000_000n;

function sum(items: Items): unknown {
  let total = 0n;
  if (items.some((item) => typeof item === 'number')) return items.reduce<number>((all, item) => all + Number(item), 0);
  for (const item of items) total += BigInt(String((item as object).valueOf()));
  if (total > intMax || total < -intMax - 1n) throw new Error('integer overflow');
  const [first] = items;
  return isUnsigned(first) ? Reflect.construct(first.constructor, [total]) : total;
}

function sumDurations(items: Items): unknown {
  return items.slice(1).reduce((all, item) => (all as Adding).addDuration(item), items[0]);
}

interface Adding {
  addDuration(other: unknown): unknown;
}

function extreme(items: Items, name: 'max' | 'min'): unknown {
  if (items.length === 0) throw new Error(`${name} called on empty list`);
  const wanted = name === 'max' ? -1 : 1;
  return items.reduce((best, item) => (compareValues(best, item) === wanted ? item : best));
}

function slice(items: Items, start: bigint, end: bigint): Items {
  const call = `cannot slice(${start}, ${end})`;
  if (start < 0n || end < 0n) throw new Error(`${call}, negative indexes not supported`);
  if (start > end) throw new Error(`${call}, start index must be less than or equal to end index`);
  if (BigInt(items.length) < end) throw new Error(`${call}, list is length ${items.length}`);
  return items.slice(Number(start), Number(end));
}

function flatten(items: Items, depth = 1n): Items {
  if (depth < 0n) throw new Error('level must be non-negative');
  return items.flat(Number(depth > 1000n ? 1000n : depth));
}

function sort(items: Items): Items {
  if (items.some((item) => typeof item !== typeof items[0])) throw new Error('list elements must have the same type');
  return [...items].sort(compareValues);
}

function range(length: bigint): bigint[] {
  if (length > rangeLengthMax) throw new Error('operation cancelled: actual cost limit exceeded');
  return Array.from({ length: Number(length > 0n ? length : 0n) }, (_, i) => BigInt(i));
}

const has = (items: Items, wanted: unknown) => items.some((item) => areEqual(item, wanted));
const distinct = (items: Items) => items.filter((item, i) => !has(items.slice(0, i), item));
const containsAll = (items: Items, wanted: Items) => wanted.every((each) => has(items, each));
const optionalOf = (items: Items, at: number) => (items.length === 0 ? Optional.none() : Optional.of(items.at(at)));

const summable = ['int', 'uint', 'double'];
const comparable = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'];

/** Everything about lists that CEL itself lacks. */
export const listFunctions: readonly LibraryFunction[] = [
  ...summable.map((type): LibraryFunction => [`list<${type}>.sum(): ${type}`, sum]),
  ['list<duration>.sum(): duration', sumDurations],
  ...comparable.flatMap((type): LibraryFunction[] => [
    [`list<${type}>.isSorted(): bool`, (items: Items) => items.every((item, i) => i === 0 || compareValues(items[i - 1], item) <= 0)],
    [`list<${type}>.min(): ${type}`, (items: Items) => extreme(items, 'min')],
    [`list<${type}>.max(): ${type}`, (items: Items) => extreme(items, 'max')],
    [`list<${type}>.sort(): list<${type}>`, sort],
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
