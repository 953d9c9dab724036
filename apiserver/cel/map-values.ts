// Everything that expressions may use as a map: those of CEL, plain JSON objects, JavaScript's Map, and classes that say how.

import { CelMap } from './values.ts';

/** A map as expressions see it. */
export interface MapValue {
  readonly size: number;
  /** undefined: there is no such key. */
  find(key: unknown): { value: unknown } | undefined;
  keys(): Iterable<unknown>;
}

/** Implemented by classes whose instances are maps to expressions. */
export const asMapValue: unique symbol = Symbol('map value');

class PlainObject implements MapValue {
  readonly #object: Readonly<Record<string, unknown>>;
  constructor(object: object) {
    this.#object = object as Readonly<Record<string, unknown>>;
  }
  get size(): number {
    return Object.keys(this.#object).length;
  }
  find(key: unknown): { value: unknown } | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.#object, key)) return undefined;
    const value = this.#object[key];
    return value === undefined ? undefined : { value };
  }
  keys(): string[] {
    return Object.keys(this.#object);
  }
}

/** `value` as a map; undefined when it is none. */
export function mapOf(value: unknown): MapValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (value instanceof CelMap) return value;
  if (asMapValue in value) return value as object as MapValue;
  if (value instanceof Map) return CelMap.of(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? new PlainObject(value) : undefined;
}

/** Keys with their values. */
export function entriesOf(map: MapValue): [key: unknown, value: unknown][] {
  return [...map.keys()].map((key) => [key, map.find(key)?.value]);
}
