// The operators that compute a value from values; those that may leave operands alone are the interpreter's.

import { add, divide, modulo, multiply, negate, subtract } from './arithmetic.ts';
import { CelError } from './cel-error.ts';
import { areEqual, compareValues } from './equality.ts';
import { addToList } from './list-values.ts';
import { mapOf } from './map-values.ts';
import { CelUint } from './values.ts';

/** A list that only the loop that makes it has seen, and may be added to in place. */
export class Gathering extends Array<unknown> {}

const arithmetic: Readonly<Record<string, (a: unknown, b: unknown) => unknown>> = {
  '_-_': subtract,
  '_*_': multiply,
  '_/_': divide,
  '_%_': modulo,
};
const orders: Readonly<Record<string, (order: number) => boolean>> = {
  '_<_': (order) => order < 0,
  '_<=_': (order) => order <= 0,
  '_>_': (order) => order > 0,
  '_>=_': (order) => order >= 0,
};

/** What an operator computes, by cel-go's name for it; undefined for what is none. */
export function operator(name: string): ((values: readonly unknown[]) => unknown) | undefined {
  const compute = arithmetic[name];
  if (compute) return ([a, b]) => compute(a, b);
  const holds = orders[name];
  if (holds) {
    return ([a, b]) => {
      const order = compareValues(a, b);
      return order !== undefined && holds(order);
    };
  }
  switch (name) {
    case '_+_':
      return ([a, b]) => sum(a, b);
    case '_==_':
      return ([a, b]) => areEqual(a, b);
    case '_!=_':
      return ([a, b]) => !areEqual(a, b);
    case '!_':
      return ([a]) => {
        if (typeof a !== 'boolean') throw new CelError('no such overload');
        return !a;
      };
    case '-_':
      return ([a]) => negate(a);
    case '@in':
      return ([item, container]) => isIn(item, container);
    default:
      return undefined;
  }
}

function sum(a: unknown, b: unknown): unknown {
  if (!Array.isArray(a)) return add(a, b);
  if (!Array.isArray(b)) throw new CelError('no such overload');
  if (a instanceof Gathering) {
    for (const item of b) a.push(item);
    return a;
  }
  return addToList(a, b);
}

function isIn(item: unknown, container: unknown): boolean {
  if (Array.isArray(container)) return container.some((each) => areEqual(each, item));
  const map = mapOf(container);
  if (!map) throw new CelError('no such overload');
  return map.find(item) !== undefined;
}

/** Whether a value is among the constants of a list, all of which are plain; undefined when they are not. */
export function membership(list: unknown): ((value: unknown) => boolean) | undefined {
  if (!Array.isArray(list)) return undefined;
  const isPlain = (item: unknown) => ['string', 'boolean', 'bigint', 'number'].includes(typeof item) || item instanceof CelUint;
  return list.every(isPlain) ? (value) => list.some((item) => areEqual(item, value)) : undefined;
}
