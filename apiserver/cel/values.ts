// The values that JavaScript has no type of its own for. null, booleans, strings, bigint (int), number (double), Uint8Array (bytes) and
// arrays are CEL's own; maps are whatever map-values.ts knows as one.

import { CelError } from './cel-error.ts';

export const intMax = 2n ** 63n - 1n;
export const intMin = -(2n ** 63n);
export const uintMax = 2n ** 64n - 1n;
const nanosPerSecond = 1_000_000_000n;

/** An unsigned integer. */
export class CelUint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** A length of time. */
export class CelDuration {
  readonly nanos: bigint;
  /** @throws CelError beyond what 64 bits of nanoseconds hold */
  constructor(nanos: bigint) {
    if (nanos > intMax || nanos < intMin) throw new CelError('duration overflow');
    this.nanos = nanos;
  }

  /** In seconds, with as many decimals as it takes. */
  toString(): string {
    const [sign, size] = this.nanos < 0n ? ['-', -this.nanos] : ['', this.nanos];
    const fraction = String(size % nanosPerSecond)
      .padStart(9, '0')
      .replace(/0+$/, '');
    return `${sign}${size / nanosPerSecond}${fraction === '' ? '' : `.${fraction}`}s`;
  }
}

const unitNanos: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** As Go's time.ParseDuration; undefined when the text is none. */
export function parseDuration(text: string): CelDuration | undefined {
  const [, sign, rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (rest === '0') return new CelDuration(0n);
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined;
  let nanos = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of rest.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const each = BigInt(unitNanos[unit] as number);
    nanos += BigInt(whole || '0') * each;
    if (fraction !== '') nanos += (BigInt(fraction) * each) / 10n ** BigInt(fraction.length);
  }
  const signed = sign === '-' ? -nanos : nanos;
  return signed > intMax || signed < intMin ? undefined : new CelDuration(signed);
}

const firstSecond = -62135596800n;
const lastSecond = 253402300799n;

/** A point in time, in nanoseconds since 1970. */
export class CelTimestamp {
  readonly nanos: bigint;
  /** Of the zone in which it was written, which is only seen when it is written again. */
  readonly offsetSeconds: number;
  /** @throws CelError outside of the years 1 to 9999 */
  constructor(nanos: bigint, offsetSeconds = 0) {
    if (nanos < firstSecond * nanosPerSecond || nanos >= (lastSecond + 1n) * nanosPerSecond) throw new CelError('timestamp overflow');
    this.nanos = nanos;
    this.offsetSeconds = offsetSeconds;
  }

  /** Whether it is the beginning of the year 1, which counts as no time at all. */
  get isFirst(): boolean {
    return this.nanos === firstSecond * nanosPerSecond;
  }

  static ofMs(ms: number): CelTimestamp {
    return new CelTimestamp(BigInt(Math.trunc(ms)) * 1_000_000n);
  }

  /** Whole seconds since 1970, rounded down. */
  get seconds(): bigint {
    const seconds = this.nanos / nanosPerSecond;
    return this.nanos % nanosPerSecond < 0n ? seconds - 1n : seconds;
  }

  /** Nanoseconds within the second. */
  get fraction(): number {
    return Number(this.nanos - this.seconds * nanosPerSecond);
  }

  /** RFC 3339, with as many decimals as it takes. */
  toString(): string {
    const text = new Date((Number(this.seconds) + this.offsetSeconds) * 1000).toISOString().slice(0, 19);
    const fraction = this.fraction === 0 ? '' : `.${String(this.fraction).padStart(9, '0').replace(/0+$/, '')}`;
    return `${text}${fraction}${zoneText(this.offsetSeconds)}`;
  }
}

function zoneText(offsetSeconds: number): string {
  if (offsetSeconds === 0) return 'Z';
  const minutes = Math.abs(offsetSeconds) / 60;
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${offsetSeconds < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}

/** RFC 3339, to the nanosecond; undefined when the text is none. */
export function parseTimestamp(text: string): CelTimestamp | undefined {
  const [, year, month, day, hour, minute, second, fraction = '', zone = ''] =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  if (year === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  // 30 February becomes a day in March.
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d\d):(\d\d)$/.exec(zone) ?? [];
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const offset = (Number(hours) * 3600 + Number(minutes) * 60) * (sign === '-' ? -1 : 1);
  const seconds = date.getTime() / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offset;
  const nanos = BigInt(seconds) * nanosPerSecond + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  if (nanos < firstSecond * nanosPerSecond || nanos >= (lastSecond + 1n) * nanosPerSecond) return undefined;
  return new CelTimestamp(nanos, offset);
}

/** A value that may be absent. */
export class Optional {
  readonly #held: { value: unknown } | undefined;
  private constructor(held: { value: unknown } | undefined) {
    this.#held = held;
  }
  static of(value: unknown): Optional {
    return new Optional({ value });
  }
  static none(): Optional {
    return absent;
  }
  hasValue(): boolean {
    return this.#held !== undefined;
  }
  /** @throws CelError when there is none */
  value(): unknown {
    if (!this.#held) throw new CelError('optional.none() dereference');
    return this.#held.value;
  }
  static readonly nothing = new Optional(undefined);
}
const absent = Optional.nothing;

/** A type as a value: what `type(x)` gives. */
export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A map written in an expression, or made by a macro. Keys are strings, booleans, ints and uints. */
export class CelMap {
  readonly #entries = new Map<string | boolean | bigint, readonly [key: unknown, value: unknown]>();

  static of(entries: Iterable<readonly [unknown, unknown]>): CelMap {
    const map = new CelMap();
    for (const [key, value] of entries) map.insert(key, value);
    return map;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @throws CelError when the key is there, or can be none */
  insert(key: unknown, value: unknown): void {
    const plain = plainKey(key);
    if (plain === undefined || typeof key === 'number') throw new CelError('unsupported key type');
    if (this.#entries.has(plain)) throw new CelError(`insert failed: key ${keyText(key)} already exists`);
    this.#entries.set(plain, [key, value]);
  }

  /** As `insert`, over what is there; undefined takes it away. */
  set(key: unknown, value: unknown): void {
    const plain = plainKey(key);
    if (plain !== undefined) this.#entries.delete(plain);
    if (value !== undefined) this.insert(key, value);
  }

  /** The value of a key, which may be a number of another type; undefined when there is none. */
  find(key: unknown): { value: unknown } | undefined {
    const plain = plainKey(key);
    const entry = plain === undefined ? undefined : this.#entries.get(plain);
    return entry && { value: entry[1] };
  }

  keys(): unknown[] {
    return [...this.#entries.values()].map(([key]) => key);
  }

  entries(): (readonly [key: unknown, value: unknown])[] {
    return [...this.#entries.values()];
  }
}

const keyText = (key: unknown) => (key instanceof CelUint ? String(key.value) : String(key));

/** Numbers of the same amount are the same key, whatever their type. */
function plainKey(key: unknown): string | boolean | bigint | undefined {
  if (typeof key === 'string' || typeof key === 'boolean' || typeof key === 'bigint') return key;
  if (key instanceof CelUint) return key.value;
  return typeof key === 'number' && Number.isInteger(key) ? BigInt(key) : undefined;
}

/** What `Object.spec{...}` makes, unless its type says otherwise. */
export class CelStruct {
  readonly typeName: string;
  readonly fields: ReadonlyMap<string, unknown>;
  constructor(typeName: string, fields: ReadonlyMap<string, unknown>) {
    this.typeName = typeName;
    this.fields = fields;
  }
}
