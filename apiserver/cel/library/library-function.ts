// How the functions of Kubernetes' CEL libraries are declared: a signature beside what computes it. Integers are bigint, doubles
// number, lists arrays; the libraries' own types are classes that know their equality.

/** `string.charAt(int): string`; with lower-case names before the dot that are no types, as `sets.contains(...)`, a namespace. */
export type LibraryFunction = readonly [signature: string, compute: (...args: never[]) => unknown];

/** A value of a library's own type. */
export interface LibraryValue {
  equals(other: unknown): boolean;
}

const isLibraryValue = (value: object): value is LibraryValue => 'equals' in value && typeof value.equals === 'function';

/** Whether CEL holds two values equal: numbers by their amount, whatever their types, collections by what they hold. */
export function areEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isNumeric(a) && isNumeric(b)) return isSameAmount(amount(a), amount(b));
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime();
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => areEqual(item, b[i]));
  if (isLibraryValue(a)) return a.equals(b);
  if (a.constructor !== b.constructor || Array.isArray(b)) return false;
  if ('seconds' in a && 'nanos' in a && 'seconds' in b && 'nanos' in b) return a.seconds === b.seconds && a.nanos === b.nanos;
  const [left, right] = [entriesOf(a), entriesOf(b)];
  return left.size === right.size && [...left].every(([key, value]) => right.has(key) && areEqual(value, right.get(key)));
}

/** The entries of a map, however it is kept. */
export const entriesOf = (map: object): Map<unknown, unknown> => (map instanceof Map ? map : new Map(Object.entries(map)));

/** Unsigned integers are objects that know their value. */
function isNumeric(value: unknown): value is number | bigint | object {
  return typeof value === 'bigint' || typeof value === 'number' || isUnsigned(value);
}

/** Whether a value is the CEL library's unsigned integer. */
export const isUnsigned = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && value.constructor.name === 'UnsignedInt' && typeof value.valueOf() === 'bigint';

const amount = (value: number | bigint | object): number | bigint => (typeof value === 'object' ? BigInt(String(value.valueOf())) : value);
/** Not `===`: an integer and a double of the same amount are equal. */
const isSameAmount = (a: number | bigint, b: number | bigint) => a <= b && a >= b;

/** -1, 0 or 1. @throws TypeError when the two have no order */
export function compareValues(a: unknown, b: unknown): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  const [left, right] = [orderOf(a), orderOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function orderOf(value: unknown): number | bigint {
  const order: unknown = typeof value === 'object' && value !== null ? value.valueOf() : typeof value === 'boolean' ? Number(value) : value;
  if (typeof order !== 'number' && typeof order !== 'bigint') throw new TypeError('no such overload');
  return order;
}
