// The arithmetic operators, with cel-go's errors where a result does not fit.

import { CelError } from './cel-error.ts';
import { CelDuration, CelTimestamp, CelUint, intMax, intMin, uintMax } from './values.ts';

const noOverload = () => new CelError('no such overload');

function int(value: bigint): bigint {
  if (value > intMax || value < intMin) throw new CelError('integer overflow');
  return value;
}

function uint(value: bigint): CelUint {
  if (value > uintMax || value < 0n) throw new CelError('unsigned integer overflow');
  return new CelUint(value);
}

/** Lists are no business of this. @throws CelError */
export function add(a: unknown, b: unknown): unknown {
  if (typeof a === 'bigint' && typeof b === 'bigint') return int(a + b);
  if (typeof a === 'string' && typeof b === 'string') return a + b;
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a instanceof CelUint && b instanceof CelUint) return uint(a.value + b.value);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return new Uint8Array(Buffer.concat([a, b]));
  if (a instanceof CelDuration && b instanceof CelDuration) return new CelDuration(a.nanos + b.nanos);
  if (a instanceof CelTimestamp && b instanceof CelDuration) return new CelTimestamp(a.nanos + b.nanos, a.offsetSeconds);
  if (a instanceof CelDuration && b instanceof CelTimestamp) return new CelTimestamp(a.nanos + b.nanos, b.offsetSeconds);
  throw noOverload();
}

export function subtract(a: unknown, b: unknown): unknown {
  if (typeof a === 'bigint' && typeof b === 'bigint') return int(a - b);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (a instanceof CelUint && b instanceof CelUint) return uint(a.value - b.value);
  if (a instanceof CelDuration && b instanceof CelDuration) return new CelDuration(a.nanos - b.nanos);
  if (a instanceof CelTimestamp && b instanceof CelDuration) return new CelTimestamp(a.nanos - b.nanos, a.offsetSeconds);
  if (a instanceof CelTimestamp && b instanceof CelTimestamp) return new CelDuration(a.nanos - b.nanos);
  throw noOverload();
}

export function multiply(a: unknown, b: unknown): unknown {
  if (typeof a === 'bigint' && typeof b === 'bigint') return int(a * b);
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  if (a instanceof CelUint && b instanceof CelUint) return uint(a.value * b.value);
  throw noOverload();
}

export function divide(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a / b;
  const [left, right] = integers(a, b);
  if (right === 0n) throw new CelError('division by zero');
  return typeof a === 'bigint' ? int(left / right) : uint(left / right);
}

export function modulo(a: unknown, b: unknown): unknown {
  const [left, right] = integers(a, b);
  if (right === 0n) throw new CelError('modulus by zero');
  return typeof a === 'bigint' ? int(left % right) : uint(left % right);
}

function integers(a: unknown, b: unknown): [bigint, bigint] {
  if (typeof a === 'bigint' && typeof b === 'bigint') return [a, b];
  if (a instanceof CelUint && b instanceof CelUint) return [a.value, b.value];
  throw noOverload();
}

export function negate(a: unknown): unknown {
  if (typeof a === 'bigint') return int(-a);
  if (typeof a === 'number') return -a;
  throw noOverload();
}
