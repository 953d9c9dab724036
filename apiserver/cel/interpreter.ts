// Makes an expression that has been checked into something to run. What a run costs is counted as cel-go's tracker counts it, step by step
// and only for what is really evaluated: an identifier and each selection cost 1, calls what call-cost.ts says, loops what is within them.
// An error is thrown, and kept where an operator or a loop may yet decide without it.

import { RE2JS } from 're2js';
import type { Call, Comprehension, Expr, ListExpr, MapExpr, Select, StructExpr } from './ast.ts';
import { qualifiedName } from './ast.ts';
import { Attribute, charge, type Frame, keyText, type Meter, partOf, type Step, type Values, valueNamed } from './attribute.ts';
import { callCost } from './call-cost.ts';
import { CelCostError, CelError, CelProgramError } from './cel-error.ts';
import { type Overload, typeNamed } from './declarations.ts';
import { callFunction, formsOf, isFunction } from './functions.ts';
import { entriesOf, mapOf } from './map-values.ts';
import { Gathering, membership, operator } from './operators.ts';
import { structValue } from './patch-types.ts';
import { CelMap, Optional, TypeValue } from './values.ts';

/** `run` counts what it costs on `meter`. @throws CelError, CelCostError */
export type Runner = (values: Values, meter: Meter) => unknown;

export interface PlanOptions {
  /** What is made of constants alone is made once, and costs nothing. Default true. */
  isFolding?: boolean;
  /** The forms that calls may take, as the checker found them. */
  overloads?: ReadonlyMap<Expr, readonly Overload[]>;
}

/** `variables`: the names of all there are. @throws CelProgramError for a pattern or constant that can only fail */
export function plan(expr: Expr, variables: ReadonlySet<string>, options: PlanOptions = {}): Runner {
  const planner = new Planner(variables, options);
  const step = planner.plan(expr, new Map());
  return (values, meter) => {
    const frame: Frame = { values, slots: new Array(planner.slotCount), cost: meter.cost, limit: meter.limit };
    try {
      return step.run(frame);
    } finally {
      meter.cost = frame.cost;
    }
  };
}

const constant = (value: unknown): Step => ({ run: () => value, constant: { value } });

/** What a loop gathers when that has failed: whoever reads it fails, too. */
class Failure {
  readonly error: CelError;
  constructor(error: CelError) {
    this.error = error;
  }
}

/** A run that costs too much is over whatever else might be said. */
function absorbed(error: unknown): CelError {
  if (error instanceof CelError && !(error instanceof CelCostError)) return error;
  throw error;
}

type Scope = ReadonlyMap<string, number>;

const conversions = new Set(['bool', 'bytes', 'double', 'duration', 'dyn', 'int', 'string', 'timestamp', 'type', 'uint']);
class Planner {
  slotCount = 0;
  readonly #variables: ReadonlySet<string>;
  readonly #isFolding: boolean;
  readonly #overloads: ReadonlyMap<Expr, readonly Overload[]> | undefined;

  constructor(variables: ReadonlySet<string>, { isFolding = true, overloads }: PlanOptions) {
    this.#variables = variables;
    this.#isFolding = isFolding;
    this.#overloads = overloads;
  }

  plan(expr: Expr, scope: Scope): Step {
    switch (expr.op) {
      case 'literal':
        return constant(expr.value);
      case 'ident':
        return this.#ident(expr.name, scope);
      case 'select':
        return this.#select(expr, scope);
      case 'call':
        return this.#call(expr, scope);
      case 'list':
        return this.#list(expr, scope);
      case 'map':
        return this.#map(expr, scope);
      case 'struct':
        return this.#struct(expr, scope);
      case 'comprehension':
        return this.#comprehension(expr, scope);
    }
  }

  #ident(written: string, scope: Scope): Step {
    const isRoot = written.startsWith('.');
    const name = isRoot ? written.slice(1) : written;
    const slot = isRoot ? undefined : scope.get(name);
    if (slot !== undefined) {
      return new Attribute(({ slots }) => {
        const value = slots[slot];
        if (value instanceof Failure) throw value.error;
        return value;
      }, 1);
    }
    if (!this.#variables.has(name) && typeNamed(name)) return constant(new TypeValue(name));
    return new Attribute(({ values }) => valueNamed(values, name), 1);
  }

  #select(expr: Select, scope: Scope): Step {
    const name = expr.isTest ? undefined : qualifiedName(expr);
    const isLocal = name !== undefined && scope.has(name.slice(0, name.indexOf('.')));
    if (name !== undefined && !isLocal) {
      const plain = name.replace(/^\./, '');
      // A variable may have a name of several parts.
      if (this.#variables.has(plain)) return new Attribute(({ values }) => partOf(values, plain), 1);
      if (!this.#variables.has(plain.slice(0, plain.indexOf('.'))) && typeNamed(plain)) return constant(new TypeValue(plain));
    }
    const { field } = expr;
    return this.#attribute(expr.operand, scope).with({ isOptional: false, isTest: expr.isTest, cost: 1, key: () => field });
  }

  /** What more can be selected of. */
  #attribute(expr: Expr, scope: Scope): Attribute {
    const step = this.plan(expr, scope);
    return step.attribute ?? new Attribute((frame) => step.run(frame), 1);
  }

  #index(args: readonly Expr[], isOptional: boolean, scope: Scope): Step {
    const [container, index] = args as [Expr, Expr];
    const key = this.plan(index, scope);
    const { attribute } = key;
    const rest = attribute
      ? { cost: attribute.ownCost, key: (frame: Frame) => attribute.resolve(frame) }
      : { cost: 1, key: (frame: Frame) => key.run(frame) };
    return this.#attribute(container, scope).with({ isOptional, isTest: false, ...rest });
  }

  #call(expr: Call, scope: Scope): Step {
    const { name, target, args } = expr;
    switch (name) {
      case '_&&_':
        return this.#decide(args, false, scope);
      case '_||_':
        return this.#decide(args, true, scope);
      case '_?_:_':
        return this.#choice(args, scope);
      case '_[_]':
        return this.#index(args, false, scope);
      case '_[?_]':
      case '_?._':
        return this.#index(args, true, scope);
      case '@not_strictly_false':
        return this.#notStrictlyFalse(args[0] as Expr, scope);
    }
    if (target && args.length === 1 && (name === 'or' || name === 'orValue')) return this.#or(target, args[0] as Expr, name, scope);
    const namespace = target && qualifiedName(target);
    if (namespace !== undefined && !scope.has(namespace) && !this.#variables.has(namespace) && isFunction(`${namespace}.${name}`))
      return this.#function(expr, `${namespace}.${name}`, args, scope);
    return this.#function(expr, name.replace(/^\./, ''), target ? [target, ...args] : args, scope);
  }

  #function(expr: Call, name: string, args: readonly Expr[], scope: Scope): Step {
    const isMember = args.length > expr.args.length;
    const steps = args.map((each) => this.plan(each, scope));
    if (name === '@in') {
      const set = this.#isFolding ? membership(steps[1]?.constant?.value) : undefined;
      // Among constants nothing is counted.
      if (set) return { run: (frame) => set((steps[0] as Step).run(frame)) };
    }
    const forms = this.#overloads?.get(expr) ?? formsOf(name, args.length, isMember);
    const compute = operator(name) ?? ((values: readonly unknown[]) => callFunction(forms, values));
    checkPattern(name, steps[1]);
    const run = (frame: Frame) => {
      const values = steps.map((step) => step.run(frame));
      const result = compute(values);
      charge(frame, callCost(name, values, result));
      return result;
    };
    const isFolded = this.#isFolding && steps.length === 1 && !isMember && steps[0]?.constant && conversions.has(name);
    return isFolded ? folded(() => compute([steps[0]?.constant?.value])) : { run };
  }

  /** One operand that is `deciding` decides; only where none does an error counts. */
  #decide(args: readonly Expr[], deciding: boolean, scope: Scope): Step {
    const steps = args.map((each) => this.plan(each, scope));
    return {
      run(frame) {
        let failure: CelError | undefined;
        for (const step of steps) {
          try {
            const value = step.run(frame);
            if (value === deciding) return deciding;
            if (typeof value !== 'boolean') failure ??= new CelError('no such overload');
          } catch (error) {
            failure ??= absorbed(error);
          }
        }
        if (failure) throw failure;
        return !deciding;
      },
    };
  }

  #choice(args: readonly Expr[], scope: Scope): Step {
    const [condition, first, second] = args.map((each) => this.plan(each, scope)) as [Step, Step, Step];
    const value = (step: Step, frame: Frame) => (step.attribute ? step.attribute.resolve(frame) : step.run(frame));
    return new Attribute((frame) => {
      const isFirst = condition.run(frame);
      if (typeof isFirst !== 'boolean') throw new CelError('no such overload');
      return value(isFirst ? first : second, frame);
    }, 0);
  }

  #notStrictlyFalse(expr: Expr, scope: Scope): Step {
    const step = this.plan(expr, scope);
    return {
      run(frame) {
        let isTrue = true;
        try {
          isTrue = step.run(frame) !== false;
        } catch (error) {
          absorbed(error);
        }
        charge(frame, 1);
        return isTrue;
      },
    };
  }

  /** The other is asked for only where the first has no value. */
  #or(target: Expr, other: Expr, name: 'or' | 'orValue', scope: Scope): Step {
    const [first, second] = [this.plan(target, scope), this.plan(other, scope)];
    return {
      run(frame) {
        const optional = first.run(frame);
        if (!(optional instanceof Optional)) throw new CelError('no such overload');
        if (optional.hasValue()) return name === 'or' ? optional : optional.value();
        return second.run(frame);
      },
    };
  }

  #list({ items, optional }: ListExpr, scope: Scope): Step {
    const steps = items.map((each) => this.plan(each, scope));
    if (this.#isFolding && optional.size === 0 && steps.every((step) => step.constant))
      return constant(steps.map((step) => step.constant?.value));
    return {
      run(frame) {
        const values: unknown[] = [];
        steps.forEach((step, i) => {
          const value = step.run(frame);
          if (!optional.has(i)) values.push(value);
          else if (!(value instanceof Optional))
            throw new CelError(`cannot initialize optional list element from non-optional value ${String(value)}`);
          else if (value.hasValue()) values.push(value.value());
        });
        charge(frame, 10);
        return values;
      },
    };
  }

  #map({ entries }: MapExpr, scope: Scope): Step {
    const steps = entries.map(({ key, value, isOptional }) => ({ key: this.plan(key, scope), value: this.plan(value, scope), isOptional }));
    const build = (read: (step: Step) => unknown) => {
      const map = new CelMap();
      for (const { key, value, isOptional } of steps) {
        const name = read(key);
        map.set(name, isOptional ? heldBy(read(value), name) : read(value));
      }
      return map;
    };
    const run = (frame: Frame) => {
      const map = build((step) => step.run(frame));
      charge(frame, 30);
      return map;
    };
    const isConstant = this.#isFolding && steps.every(({ key, value, isOptional }) => key.constant && value.constant && !isOptional);
    return isConstant ? folded(() => build((step) => step.constant?.value)) : { run };
  }

  #struct({ name, fields }: StructExpr, scope: Scope): Step {
    const steps = fields.map((field) => ({ ...field, value: this.plan(field.value, scope) }));
    return {
      run(frame) {
        const made = new Map<string, unknown>();
        for (const { name: field, value, isOptional } of steps) {
          const given = value.run(frame);
          const held = isOptional ? heldBy(given, field) : given;
          if (held !== undefined) made.set(field, held);
        }
        charge(frame, 40);
        return structValue(name.replace(/^\./, ''), made);
      },
    };
  }

  #comprehension(expr: Comprehension, scope: Scope): Step {
    const range = this.plan(expr.range, scope);
    const initial = this.plan(expr.initial, scope);
    const gathered = this.slotCount++;
    const outer = new Map(scope).set(expr.accumulator, gathered);
    const slots = expr.variables.map(() => this.slotCount++);
    const inner = new Map(outer);
    expr.variables.forEach((name, i) => void inner.set(name, slots[i] as number));
    const [condition, step, result] = [this.plan(expr.condition, inner), this.plan(expr.step, inner), this.plan(expr.result, outer)];
    const isGathering = expr.initial.op === 'list' && expr.initial.items.length === 0;
    return {
      run(frame) {
        const items = itemsOf(range.run(frame), slots.length);
        const start = initial.run(frame);
        frame.slots[gathered] = isGathering ? new Gathering() : start instanceof CelMap ? CelMap.of(start.entries()) : start;
        for (const item of items) {
          for (let i = 0; i < slots.length; i++) frame.slots[slots[i] as number] = item[i];
          if (condition.run(frame) === false) break;
          frame.slots[gathered] = attempt(() => step.run(frame));
        }
        const list = frame.slots[gathered];
        if (list instanceof Gathering) frame.slots[gathered] = Array.from(list);
        return result.run(frame);
      },
    };
  }
}

function attempt(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return new Failure(absorbed(error));
  }
}

/** What is in an entry written with a question mark; undefined when it is to be left out. */
function heldBy(value: unknown, key: unknown): unknown {
  if (!(value instanceof Optional))
    throw new CelError(`cannot initialize optional entry '${keyText(key)}' from non-optional value ${String(value)}`);
  return value.hasValue() ? value.value() : undefined;
}

/** Known before anything runs. @throws CelProgramError */
function folded(compute: () => unknown): Step {
  try {
    return constant(compute());
  } catch (error) {
    if (error instanceof CelError) throw new CelProgramError(error.message);
    throw error;
  }
}

/** @throws CelProgramError */
function checkPattern(name: string, pattern: Step | undefined): void {
  const text = pattern?.constant?.value;
  if (!['find', 'findAll', 'matches'].includes(name) || typeof text !== 'string') return;
  try {
    RE2JS.compile(text);
  } catch (error) {
    if (error instanceof Error) throw new CelProgramError(error.message);
    throw error;
  }
}

/** What a loop goes through: items, keys, or pairs with the index or key before. */
function itemsOf(range: unknown, count: number): Iterable<readonly unknown[]> {
  if (Array.isArray(range)) return count === 1 ? range.map((item: unknown) => [item]) : range.map((item: unknown, i) => [BigInt(i), item]);
  const map = mapOf(range);
  if (!map) throw new CelError('no such overload');
  return count === 1 ? [...map.keys()].map((key) => [key]) : entriesOf(map);
}
