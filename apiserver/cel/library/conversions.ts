// Conversions of times, durations and types that the CEL library leaves out.

import { Optional } from '@marcbachmann/cel-js';
import type { LibraryFunction } from './library-function.ts';

interface Duration {
  readonly seconds: bigint;
  readonly nanos: number;
}

const inNanos = ({ seconds, nanos }: Duration) => seconds * 1_000_000_000n + BigInt(nanos);

/** As Go's protobuf durations are written: in seconds, with as many decimals as it takes. */
function durationText(duration: Duration): string {
  const nanos = inNanos(duration);
  const [sign, size] = nanos < 0n ? ['-', -nanos] : ['', nanos];
  const fraction = String(size % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${sign}${size / 1_000_000_000n}${fraction === '' ? '' : `.${fraction}`}s`;
}

const isZero = (value: unknown) =>
  value === null ||
  value === '' ||
  value === false ||
  value === 0 ||
  value === 0n ||
  (typeof value === 'object' &&
    (Array.isArray(value) || value instanceof Uint8Array ? value.length === 0 : value instanceof Map ? value.size === 0 : false));

const timestamp = 'google.protobuf.Timestamp';
const duration = 'google.protobuf.Duration';

/** Conversions and optionals that the CEL library lacks. */
export const conversionFunctions: readonly LibraryFunction[] = [
  [`int(${timestamp}): int`, (time: Date) => BigInt(Math.floor(time.getTime() / 1000))],
  [`int(${duration}): int`, inNanos],
  [`string(${timestamp}): string`, (time: Date) => time.toISOString().replace(/\.?0*Z$/, 'Z')],
  [`string(${duration}): string`, durationText],
  [`timestamp(${timestamp}): ${timestamp}`, (time: Date) => time],
  [`duration(${duration}): ${duration}`, (length: Duration) => length],
  ['optional.ofNonZeroValue(T): optional<T>', (value: unknown) => (isZero(value) ? Optional.none() : Optional.of(value))],
];
