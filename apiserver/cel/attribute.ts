// A value and what is selected of it, resolved in one go, as cel-go does: what that costs, and when it ends early, is a matter of the whole.

import { CelCostError, CelError } from './cel-error.ts';
import { fieldOf } from './library/classes.ts';
import { mapOf } from './map-values.ts';
import { CelUint, Optional } from './values.ts';

export type Values = Readonly<Record<string, unknown>>;

/** What one run has cost so far. */
export interface Meter {
  cost: number;
  /** A run that would cost more ends. */
  readonly limit: number;
}

export interface Frame extends Meter {
  readonly values: Values;
  /** The variables of loops and what they gather, each at its own place. */
  readonly slots: unknown[];
}

/** A part of a program. */
export interface Step {
  run(frame: Frame): unknown;
  /** Present where the value is known before anything runs. */
  readonly constant?: { readonly value: unknown };
  /** Present for identifiers, selections and choices, which are resolved as one with what is selected of them. */
  readonly attribute?: Attribute;
}

export const costExceeded = 'operation cancelled: actual cost limit exceeded';

/** @throws CelCostError when the run may not cost so much */
export function charge(frame: Frame, cost: number): void {
  frame.cost += cost;
  if (frame.cost > frame.limit) throw new CelCostError(costExceeded);
}

export interface Qualifier {
  readonly isOptional: boolean;
  /** Only whether it is there. */
  readonly isTest: boolean;
  /** What it costs once the key is known. */
  readonly cost: number;
  key(frame: Frame): unknown;
}

/** A value and what is selected of it, in one go. */
export class Attribute implements Step {
  readonly #base: (frame: Frame) => unknown;
  readonly #ownCost: number;
  readonly #qualifiers: readonly Qualifier[];

  constructor(base: (frame: Frame) => unknown, ownCost: number, qualifiers: readonly Qualifier[] = []) {
    this.#base = base;
    this.#ownCost = ownCost;
    this.#qualifiers = qualifiers;
  }

  get attribute(): Attribute {
    return this;
  }

  get ownCost(): number {
    return this.#ownCost;
  }

  with(qualifier: Qualifier): Attribute {
    // Whether something is there costs nothing beside the selection.
    return new Attribute(this.#base, qualifier.isTest ? 0 : this.#ownCost, [...this.#qualifiers, qualifier]);
  }

  run(frame: Frame): unknown {
    const value = this.resolve(frame);
    if (this.#ownCost > 0) charge(frame, this.#ownCost);
    return value;
  }

  /** The value, without what it costs to ask for it. */
  resolve(frame: Frame): unknown {
    let value = this.#base(frame);
    if (this.#qualifiers.length === 0) return value;
    let isOptional = false;
    const absent = this.#qualifiers.at(-1)?.isTest ? false : Optional.none();
    for (const qualifier of this.#qualifiers) {
      if (value instanceof Optional) {
        if (!value.hasValue()) return absent;
        value = value.value();
        isOptional = true;
      }
      isOptional ||= qualifier.isOptional;
      const key = qualifier.key(frame);
      const found = qualify(value, key, isOptional || qualifier.isTest);
      if (found || !isOptional || qualifier.isTest) charge(frame, qualifier.cost);
      if (qualifier.isTest) return found !== undefined;
      if (!found) return absent;
      value = found.value;
    }
    return isOptional ? Optional.of(value) : value;
  }
}

/** A field, an entry or an item; undefined only where it may be absent. @throws CelError */
function qualify(value: unknown, key: unknown, mayBeAbsent: boolean): { value: unknown } | undefined {
  if (Array.isArray(value)) {
    const index = indexOf(key);
    if (index !== undefined && index >= 0 && index < value.length) return { value: value[index] };
    if (mayBeAbsent) return undefined;
    throw new CelError(`index out of bounds: ${keyText(key)}`);
  }
  const found = mapOf(value)?.find(key) ?? fieldOf(value, key);
  if (found || mayBeAbsent) return found;
  throw new CelError(`no such key: ${keyText(key)}`);
}

/** A key as messages show it. */
export const keyText = (key: unknown) => (key instanceof CelUint ? String(key.value) : String(key));

/** @throws CelError for what is no number */
function indexOf(key: unknown): number | undefined {
  if (typeof key === 'bigint') return Number(key);
  if (key instanceof CelUint) return Number(key.value);
  if (typeof key === 'number') return Number.isInteger(key) ? key : undefined;
  throw new CelError('no such overload');
}

/** @throws CelError for a variable that has no value */
export function valueNamed(values: Values, name: string): unknown {
  if (!Object.hasOwn(values, name)) throw new CelError(`no such attribute(s): ${name}`);
  return values[name];
}

/** The variable `a.b`, which lies in what `a` is. */
export function partOf(values: Values, name: string): unknown {
  const [first = '', ...rest] = name.split('.');
  return rest.reduce<unknown>((value, field) => qualify(value, field, false)?.value, valueNamed(values, first));
}
