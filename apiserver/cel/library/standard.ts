// CEL's own functions: sizes, conversions, texts, times and optionals, as cel-go has them.

import { RE2JS } from 're2js';
import { CelError } from '../cel-error.ts';
import { type MapValue, mapOf } from '../map-values.ts';
import {
  CelDuration,
  type CelMap,
  CelTimestamp,
  CelUint,
  intMax,
  intMin,
  Optional,
  parseDuration,
  parseTimestamp,
  TypeValue,
  uintMax,
} from '../values.ts';
import { typeNameOf } from './classes.ts';
import { doubleText } from './format-text.ts';
import type { LibraryFunction } from './library-function.ts';

const nanosPerSecond = 1_000_000_000n;
const codePoints = (text: string) => [...text];

const sizes: readonly LibraryFunction[] = [
  ['string', (text: string) => BigInt(codePoints(text).length)] as const,
  ['bytes', (bytes: Uint8Array) => BigInt(bytes.length)] as const,
  ['list<T>', (items: unknown[]) => BigInt(items.length)] as const,
  ['map<K, V>', (map: object) => BigInt((mapOf(map) as MapValue).size)] as const,
].flatMap(([type, compute]): LibraryFunction[] => [
  [`size(${type}): int`, compute],
  [`${type}.size(): int`, compute],
]);

function intOf(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (value instanceof CelUint) return inRange(value.value, intMin, intMax);
  if (typeof value === 'string') return parseInteger(value, intMin, intMax);
  const number = value as number;
  // Beyond 2^63 nothing fits, and at it nothing can be told.
  if (!(number > -(2 ** 63) && number < 2 ** 63)) throw new CelError('integer overflow');
  return BigInt(Math.trunc(number));
}

function inRange(value: bigint, min: bigint, max: bigint): bigint {
  if (value < min || value > max) throw new CelError(min === 0n ? 'unsigned integer overflow' : 'integer overflow');
  return value;
}

function parseInteger(text: string, min: bigint, max: bigint): bigint {
  const name = min === 0n ? 'uint' : 'int';
  const isNumber = min === 0n ? /^\+?\d+$/.test(text) : /^[+-]?\d+$/.test(text);
  const value = isNumber ? BigInt(text.replace(/^\+/, '')) : undefined;
  if (value === undefined || value < min || value > max) throw new CelError(`type conversion error from 'string' to '${name}'`);
  return value;
}

function uintOf(value: unknown): CelUint {
  if (value instanceof CelUint) return value;
  if (typeof value === 'string') return new CelUint(parseInteger(value, 0n, uintMax));
  if (typeof value === 'bigint') return new CelUint(inRange(value, 0n, uintMax));
  const number = value as number;
  if (!(number >= 0 && number < 2 ** 64)) throw new CelError('unsigned integer overflow');
  return new CelUint(BigInt(Math.trunc(number)));
}

function doubleOf(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof CelUint) return Number(value.value);
  const text = value as string;
  const special = { nan: Number.NaN, inf: Infinity, infinity: Infinity }[text.replace(/^[+-]/, '').toLowerCase()];
  if (special !== undefined) return text.startsWith('-') ? -special : special;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw new CelError("type conversion error from 'string' to 'double'");
  return Number(text);
}

function boolOf(text: string): boolean {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(text)) return false;
  throw new CelError("type conversion error from 'string' to 'bool'");
}

function textOfBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw new CelError('invalid UTF-8 in bytes, cannot convert to string', { cause: error });
    throw error;
  }
}

function durationOf(text: string): CelDuration {
  const found = parseDuration(text);
  if (!found) throw new CelError(`time: invalid duration ${JSON.stringify(text)}`);
  return found;
}

function timestampOf(text: string): CelTimestamp {
  const found = parseTimestamp(text);
  if (!found) throw new CelError(`type conversion error from 'string' to 'google.protobuf.Timestamp'`);
  return found;
}

const same = (value: unknown) => value;

const conversions: readonly LibraryFunction[] = [
  ['dyn(T): dyn', same],
  ['type(T): type<T>', (value: unknown) => new TypeValue(typeNameOf(value))],
  ['bool(bool): bool', same],
  ['bool(string): bool', boolOf],
  ['bytes(bytes): bytes', same],
  ['bytes(string): bytes', (text: string) => new Uint8Array(Buffer.from(text))],
  ...['double', 'int', 'string', 'uint'].flatMap((type): LibraryFunction[] => [
    [`double(${type}): double`, doubleOf],
    [`int(${type}): int`, intOf],
    [`uint(${type}): uint`, uintOf],
  ]),
  ['int(timestamp): int', (time: CelTimestamp) => time.seconds],
  ['int(duration): int', (length: CelDuration) => length.nanos],
  ['string(string): string', same],
  ['string(bool): string', String],
  ['string(bytes): string', textOfBytes],
  ['string(double): string', doubleText],
  ['string(int): string', String],
  ['string(uint): string', ({ value }: CelUint) => String(value)],
  ['string(timestamp): string', String],
  ['string(duration): string', String],
  ['duration(duration): duration', same],
  ['duration(string): duration', durationOf],
  ['duration(int): duration', (nanos: bigint) => new CelDuration(nanos)],
  ['timestamp(timestamp): timestamp', same],
  ['timestamp(string): timestamp', timestampOf],
  ['timestamp(int): timestamp', (seconds: bigint) => new CelTimestamp(seconds * nanosPerSecond)],
];

/** @throws CelError for a pattern that is none */
function matches(text: string, pattern: string): boolean {
  try {
    return RE2JS.compile(pattern).matcher(text).find();
  } catch (error) {
    if (error instanceof Error) throw new CelError(error.message, { cause: error });
    throw error;
  }
}

const texts: readonly LibraryFunction[] = [
  ['string.contains(string): bool', (text: string, part: string) => text.includes(part)],
  ['string.endsWith(string): bool', (text: string, part: string) => text.endsWith(part)],
  ['string.startsWith(string): bool', (text: string, part: string) => text.startsWith(part)],
  ['string.matches(string): bool', matches],
  ['matches(string, string): bool', matches],
];

type Part = (time: Date, fraction: number) => number;

/** Of a time as UTC shows it once its zone's offset has been added. */
const parts: Readonly<Record<string, Part>> = {
  FullYear: (time) => time.getUTCFullYear(),
  Month: (time) => time.getUTCMonth(),
  Date: (time) => time.getUTCDate(),
  DayOfMonth: (time) => time.getUTCDate() - 1,
  DayOfWeek: (time) => time.getUTCDay(),
  DayOfYear: (time) => {
    const day = new Date(time);
    day.setUTCHours(0, 0, 0, 0);
    const first = new Date(day);
    first.setUTCMonth(0, 1);
    return Math.round((day.getTime() - first.getTime()) / 86_400_000);
  },
  Hours: (time) => time.getUTCHours(),
  Minutes: (time) => time.getUTCMinutes(),
  Seconds: (time) => time.getUTCSeconds(),
  Milliseconds: (_, fraction) => Math.floor(fraction / 1e6),
};
const perUnit: readonly (readonly [name: string, nanos: bigint])[] = [
  ['Hours', 3600n * nanosPerSecond],
  ['Minutes', 60n * nanosPerSecond],
  ['Seconds', nanosPerSecond],
];

/** How far a zone is from UTC at a time, in seconds. `+02:00`, or a name of the time zone database. @throws CelError */
function offsetOf(zone: string, time: CelTimestamp): number {
  const [, sign, hours, minutes] = /^([+-]?)(\d\d):(\d\d)$/.exec(zone) ?? [];
  if (hours !== undefined) return (Number(hours) * 3600 + Number(minutes) * 60) * (sign === '-' ? -1 : 1);
  let shown: string;
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    shown = format.formatToParts(new Date(Number(time.seconds) * 1000)).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  } catch (error) {
    if (error instanceof RangeError) throw new CelError(`unknown time zone ${zone}`, { cause: error });
    throw error;
  }
  const [, plus, h = '0', m = '0', s = '0'] = /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(shown) ?? [];
  return (Number(h) * 3600 + Number(m) * 60 + Number(s)) * (plus === '-' ? -1 : 1);
}

const partOf = (part: Part) => (time: CelTimestamp, zone?: string) => {
  const offset = zone === undefined ? 0 : offsetOf(zone, time);
  return BigInt(part(new Date((Number(time.seconds) + offset) * 1000), time.fraction));
};

const times: readonly LibraryFunction[] = [
  ...Object.entries(parts).flatMap(([name, part]): LibraryFunction[] => [
    [`timestamp.get${name}(): int`, partOf(part)],
    [`timestamp.get${name}(string): int`, partOf(part)],
  ]),
  ...perUnit.map(([name, nanos]): LibraryFunction => [`duration.get${name}(): int`, (length: CelDuration) => length.nanos / nanos]),
  ['duration.getMilliseconds(): int', ({ nanos }: CelDuration) => nanos / 1_000_000n],
];

const isZero = (value: unknown): boolean =>
  value === null ||
  value === '' ||
  value === false ||
  value === 0 ||
  value === 0n ||
  (value instanceof CelUint && value.value === 0n) ||
  (value instanceof CelDuration && value.nanos === 0n) ||
  (value instanceof CelTimestamp && value.isFirst) ||
  ((Array.isArray(value) || value instanceof Uint8Array) && value.length === 0) ||
  mapOf(value)?.size === 0;

const optionals: readonly LibraryFunction[] = [
  ['optional.none(): optional<T>', () => Optional.none()],
  ['optional.of(T): optional<T>', (value: unknown) => Optional.of(value)],
  ['optional.ofNonZeroValue(T): optional<T>', (value: unknown) => (isZero(value) ? Optional.none() : Optional.of(value))],
  ['optional<T>.hasValue(): bool', (optional: Optional) => optional.hasValue()],
  ['optional<T>.value(): T', (optional: Optional) => optional.value()],
  // Both are carried out by the interpreter, which asks for the argument only where it is needed.
  ['optional<T>.or(optional<T>): optional<T>', undefined],
  ['optional<T>.orValue(T): T', undefined],
];

/** `cel.@mapInsert` of a map that its loop alone has seen. */
function insert(map: CelMap, ...given: readonly unknown[]): CelMap {
  if (given.length === 2) map.insert(given[0], given[1]);
  else {
    const entries = mapOf(given[0]) as MapValue;
    for (const key of entries.keys()) map.insert(key, entries.find(key)?.value);
  }
  return map;
}

/** What macros are made of. */
const inner: readonly LibraryFunction[] = [
  ['@not_strictly_false(bool): bool', undefined],
  ['cel.@mapInsert(map<K, V>, K, V): map<K, V>', insert],
  ['cel.@mapInsert(map<K, V>, map<K, V>): map<K, V>', insert],
];

export const standardFunctions: readonly LibraryFunction[] = [...sizes, ...conversions, ...texts, ...times, ...optionals, ...inner];
