// Finds the form of a function that fits what it is called with. Which forms there are stands in declarations.ts.

import { CelError } from './cel-error.ts';
import { type Overload, overloadsOf } from './declarations.ts';
import { isOfClass } from './library/classes.ts';
import { mapOf } from './map-values.ts';
import type { CelType } from './types.ts';
import { CelDuration, CelTimestamp, CelUint, Optional, TypeValue } from './values.ts';

export const isFunction = (name: string) => overloadsOf(name) !== undefined;

/** The forms of a function that can be called so. */
export function formsOf(name: string, count: number, isMember: boolean): readonly Overload[] {
  return (overloadsOf(name) ?? []).filter((form) => form.isMember === isMember && form.params.length === count);
}

/** Calls the first form that fits. The target, if there is one, comes first. @throws CelError, also for what the function itself throws */
export function callFunction(forms: readonly Overload[], values: readonly unknown[]): unknown {
  for (const { params, compute } of forms) {
    if (!compute) continue;
    if (!params.every((type, i) => fits(values[i], type))) continue;
    try {
      return compute(...(values as never[]));
    } catch (error) {
      if (error instanceof CelError) throw error;
      if (error instanceof Error) throw new CelError(error.message, { cause: error });
      throw error;
    }
  }
  throw new CelError('no such overload');
}

function fits(value: unknown, type: CelType): boolean {
  switch (type.kind) {
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return typeof value === 'bigint';
    case 'double':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'uint':
      return value instanceof CelUint;
    case 'bytes':
      return value instanceof Uint8Array;
    case 'duration':
      return value instanceof CelDuration;
    case 'timestamp':
      return value instanceof CelTimestamp;
    case 'type':
      return value instanceof TypeValue;
    case 'null':
      return value === null;
    case 'list':
      // Of lists of one type the first item tells.
      return Array.isArray(value) && (value.length === 0 || fits(value[0], type.params[0] as CelType));
    case 'map':
      return mapOf(value) !== undefined;
    case 'opaque':
      return type.name === 'optional_type' ? value instanceof Optional : isOfClass(value, type.name);
    case 'struct':
      return isOfClass(value, type.name);
    default:
      return true;
  }
}
