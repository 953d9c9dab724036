// Which values are equal, and which come before which: numbers by their amount, whatever their types, collections by what they hold.

import { CelError } from './cel-error.ts';
import { entriesOf, mapOf } from './map-values.ts';
import { CelDuration, CelStruct, CelTimestamp, CelUint, Optional, TypeValue } from './values.ts';

/** A value that knows its own equality: of the libraries' types, and lists whose order does not count. */
export interface Comparable {
  equals(other: unknown): boolean;
}

const isComparable = (value: object): value is Comparable => 'equals' in value && typeof value.equals === 'function';

/** Whether two values are equal; those of different types never are. The left one decides how lists are compared. */
export function areEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  const [left, right] = [amountOf(a), amountOf(b)];
  if (left !== undefined || right !== undefined) return left !== undefined && right !== undefined && compareAmounts(left, right) === 0;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (isComparable(a)) return a.equals(b);
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => areEqual(item, b[i]));
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof CelTimestamp || a instanceof CelDuration) return a.constructor === b.constructor && a.nanos === (b as CelDuration).nanos;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Optional) {
    if (!(b instanceof Optional) || a.hasValue() !== b.hasValue()) return false;
    return !a.hasValue() || areEqual(a.value(), b.value());
  }
  if (a instanceof CelStruct) return b instanceof CelStruct && a.typeName === b.typeName && areEqual(a.fields, b.fields);
  const [one, other] = [mapOf(a), mapOf(b)];
  if (!one || !other || one.size !== other.size) return false;
  return entriesOf(one).every(([key, value]) => {
    const found = other.find(key);
    return found !== undefined && areEqual(value, found.value);
  });
}

/** Of a number of any type. */
function amountOf(value: unknown): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return value instanceof CelUint ? value.value : undefined;
}

/** Negative, zero or positive; undefined beside NaN. @throws CelError when the two have no order */
export function compareValues(a: unknown, b: unknown): number | undefined {
  const [left, right] = [amountOf(a), amountOf(b)];
  if (left !== undefined && right !== undefined) return compareAmounts(left, right);
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  const isTime = (a instanceof CelTimestamp && b instanceof CelTimestamp) || (a instanceof CelDuration && b instanceof CelDuration);
  if (isTime) return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
  throw new CelError('no such overload');
}

/** Beside a double an integer is one, as near as it gets. */
function compareAmounts(a: bigint | number, b: bigint | number): number | undefined {
  if (typeof a !== typeof b) return compareAmounts(Number(a), Number(b));
  return a < b ? -1 : a > b ? 1 : a === b ? 0 : undefined;
}

/** By code points; those beyond the first 65536 come last, unlike in JavaScript. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return /[\ud800-\udfff]/.test(a + b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1;
}
