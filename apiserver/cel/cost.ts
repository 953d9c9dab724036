// How much an expression can cost at most, before it ever runs, in the units of cel-go and of k8s.io/apiserver/pkg/cel/library: a step
// costs 1, what reads a text a tenth of its length, a loop its body times its range. Only the upper bound is kept; that is what limits
// are held against.

import { type Call, type Comprehension, type Expr, qualifiedName } from './ast.ts';
import { isFunction } from './functions.ts';
import type { CelType } from './types.ts';

/** Beyond this costs are all the same. */
export const costMax = 2 ** 64;

/** What is known of how large a variable's values get. */
export interface Sized {
  /** 0 for what has no size. */
  readonly sizeMax: number;
  readonly item?: Sized;
  readonly fields?: { get(name: string): Sized | undefined };
}

interface Estimate {
  readonly cost: number;
  /** Of the value: undefined where nothing bounds it. */
  readonly size: number | undefined;
  readonly shape?: Sized | undefined;
  /** Of the items of what an expression made. */
  readonly item?: Estimate | undefined;
}

const listCost = 10;
const mapCost = 30;
const structCost = 40;
const textFactor = 0.1;
const regexFactor = 0.25;
/** Allows two checks of the authorizer in an expression. */
export const checkCost = 350_000;

const bounded = (cost: number) => Math.min(costMax, cost);
const sizeOf = ({ size }: Estimate) => size ?? costMax;
const part = (size: number, factor: number) => bounded(Math.ceil(size * factor));

type Scope = ReadonlyMap<string, Estimate>;

/** The most that evaluating `ast` can cost, given the types of its parts. */
export function estimateCost(ast: Expr, types: ReadonlyMap<Expr, CelType>, variables: Readonly<Record<string, Sized>>): number {
  const scope = new Map(Object.entries(variables).map(([name, shape]): [string, Estimate] => [name, shaped(shape, 1)]));
  return new Estimator(types).estimate(ast, scope).cost;
}

/** How large the value of `ast` gets at most. */
export function estimateSize(ast: Expr, types: ReadonlyMap<Expr, CelType>, variables: Readonly<Record<string, Sized>>): Sized {
  const scope = new Map(Object.entries(variables).map(([name, shape]): [string, Estimate] => [name, shaped(shape, 1)]));
  return sizedOf(new Estimator(types).estimate(ast, scope));
}

function sizedOf(estimate: Estimate): Sized {
  const { shape, item } = estimate;
  if (shape) return shape;
  return { sizeMax: sizeOf(estimate), ...(item ? { item: sizedOf(item) } : {}) };
}

const shaped = (shape: Sized | undefined, cost: number): Estimate => ({ cost, size: shape?.sizeMax, shape });

class Estimator {
  readonly #types: ReadonlyMap<Expr, CelType>;

  constructor(types: ReadonlyMap<Expr, CelType>) {
    this.#types = types;
  }

  estimate(node: Expr, scope: Scope): Estimate {
    const found = this.#estimate(node, scope);
    const kind = this.#types.get(node)?.kind ?? 'dyn';
    const isScalar = ['bool', 'double', 'duration', 'int', 'timestamp', 'uint'].includes(kind);
    return { ...found, cost: bounded(found.cost), size: found.size ?? (isScalar ? 1 : undefined) };
  }

  #estimate(node: Expr, scope: Scope): Estimate {
    switch (node.op) {
      case 'literal': {
        const { value } = node;
        return { cost: 0, size: typeof value === 'string' ? [...value].length : value instanceof Uint8Array ? value.length : 1 };
      }
      case 'ident':
        return { ...(scope.get(node.name.replace(/^\./, '')) ?? { size: 0 }), cost: 1 };
      case 'select': {
        if (node.isTest) return { cost: this.#testCost(node.operand, scope), size: 1 };
        // A variable may have a name of several parts.
        const whole = scope.get(qualifiedName(node) ?? '');
        return whole ? { ...whole, cost: 1 } : this.#field(node.operand, node.field, false, scope);
      }
      case 'call':
        return this.#call(node, scope);
      case 'list': {
        const items = node.items.map((each) => this.estimate(each, scope));
        const [only] = items;
        const item = items.length === 1 && only ? { ...only, cost: 1 } : { cost: 0, size: largest(items) };
        return { cost: listCost + sum(items), size: items.length, item };
      }
      case 'map': {
        const entries = node.entries.flatMap(({ key, value }) => [this.estimate(key, scope), this.estimate(value, scope)]);
        return { cost: mapCost + sum(entries), size: node.entries.length };
      }
      case 'struct': {
        const values = node.fields.map(({ value }) => this.estimate(value, scope));
        return { cost: structCost + sum(values), size: values.length };
      }
      case 'comprehension':
        return this.#comprehension(node, scope);
    }
  }

  /** Whether something is there costs what it takes to get where it would be. */
  #testCost(operand: Expr, scope: Scope): number {
    return Math.max(0, this.estimate(operand, scope).cost - 1);
  }

  #field(operand: Expr, field: string, isOptional: boolean, scope: Scope): Estimate {
    const on = this.estimate(operand, scope);
    const isKeyed = ['map', 'struct', 'param'].includes(this.#types.get(operand)?.kind ?? 'dyn');
    const found = on.shape?.fields?.get(field) ?? on.shape?.item;
    return shaped(found, on.cost + (isKeyed || isOptional ? 1 : 0));
  }

  #comprehension(node: Comprehension, scope: Scope): Estimate {
    const range = this.estimate(node.range, scope);
    const initial = this.estimate(node.initial, scope);
    const isList = this.#types.get(node.range)?.kind !== 'map';
    const item = { ...(range.item ?? shaped(range.shape?.item, 1)), cost: 1 };
    const key: Estimate = { cost: 1, size: isList ? 1 : 0 };
    const bound = node.variables.length === 2 ? [key, item] : [isList ? item : key];
    const outer = new Map(scope).set(node.accumulator, { ...initial, cost: 1 });
    const inner = new Map(outer);
    node.variables.forEach((name, i) => void inner.set(name, bound[i] as Estimate));
    const [condition, step] = [this.estimate(node.condition, inner), this.estimate(node.step, inner)];
    const result = this.estimate(node.result, outer);
    const count = sizeOf(range);
    const cost = range.cost + initial.cost + result.cost + bounded(count * (condition.cost + step.cost));
    const { op } = node.initial;
    if (op === 'list' || op === 'map') return { cost, size: count, item: step.item };
    return op === 'literal' ? { cost, size: 1 } : { ...result, cost };
  }

  #call(node: Call, scope: Scope): Estimate {
    const { args, target } = node;
    const name = node.name.replace(/^\./, '');
    switch (name) {
      case '_&&_':
      case '_||_':
        return { cost: sum(args.map((each) => this.estimate(each, scope))), size: 1 };
      case '_?:_':
      case '_?_:_': {
        const [condition, first, second] = args.map((each) => this.estimate(each, scope)) as [Estimate, Estimate, Estimate];
        const size = Math.max(sizeOf(first), sizeOf(second));
        return { cost: condition.cost + Math.max(first.cost, second.cost), size, item: first.item ?? second.item };
      }
      case '_?._': {
        const field = args[1]?.op === 'literal' ? String(args[1].value) : '';
        return this.#field(args[0] as Expr, field, true, scope);
      }
      case '_[_]':
      case '_[?_]': {
        const [container, index] = args.map((each) => this.estimate(each, scope)) as [Estimate, Estimate];
        const item = container.item ?? shaped(container.shape?.item, 0);
        return { ...item, cost: container.cost + index.cost + 1 };
      }
    }
    const namespace = target && qualifiedName(target);
    const isQualified = namespace !== undefined && !scope.has(namespace) && isFunction(`${namespace}.${name}`);
    const on = target && !isQualified ? this.estimate(target, scope) : undefined;
    const given = args.map((each) => this.estimate(each, scope));
    const operands = on ? [on, ...given] : given;
    const spent = sum(operands);
    const operator = this.#operator(name, operands, target && !isQualified ? target : args[0], args);
    const { cost, ...made } = operator ?? callCost(isQualified ? `${namespace}.${name}` : name, on ?? given[0], given, on !== undefined);
    return { ...made, cost: spent + cost, shape: name === 'dyn' ? given[0]?.shape : undefined };
  }

  #operator(name: string, [left, right]: readonly Estimate[], first: Expr | undefined, args: readonly Expr[]): Estimate | undefined {
    const kind = (first && this.#types.get(first)?.kind) ?? 'dyn';
    const isText = kind === 'string' || kind === 'bytes' || kind === 'dyn';
    if (!left || !right) return undefined;
    const smaller = Math.min(sizeOf(left), sizeOf(right));
    switch (name) {
      case '_==_': {
        const fixed = equalityCosts[(first && this.#types.get(first)?.name) ?? ''];
        return { cost: fixed ?? part(smaller, textFactor), size: 1 };
      }
      case '_!=_':
        return { cost: part(smaller, textFactor), size: 1 };
      case '_<_':
      case '_<=_':
      case '_>_':
      case '_>=_':
        return { cost: isText ? Math.max(1, part(smaller, textFactor)) : 1, size: 1 };
      case '@in':
        return { cost: (args[1] && this.#types.get(args[1])?.kind) === 'map' ? 1 : sizeOf(right), size: 1 };
      case '_+_': {
        const size = bounded(sizeOf(left) + sizeOf(right));
        if (kind === 'list') return { cost: 1, size, item: left.size === 0 ? right.item : (left.item ?? right.item) };
        return isText ? { cost: part(size, textFactor), size } : { cost: 1, size: 1 };
      }
      default:
        return undefined;
    }
  }
}

/** What comparing two values of a library's type costs, whatever they are. */
const equalityCosts: Readonly<Record<string, number>> = {
  'kubernetes.NamedFormat': 7,
  ...Object.fromEntries(
    ['Authorizer', 'Decision', 'GroupCheck', 'PathCheck', 'ResourceCheck'].map((name) => [`kubernetes.authorization.${name}`, 1]),
  ),
  'kubernetes.Quantity': 1,
  'kubernetes.Semver': 1,
  'net.CIDR': 1,
  'net.IP': 1,
};

const sum = (estimates: readonly Estimate[]) => estimates.reduce((all, { cost }) => all + cost, 0);
const largest = (estimates: readonly Estimate[]) => estimates.reduce((most, each) => Math.max(most, sizeOf(each)), 0);

const perText = new Set(
  'cidr isIP isCIDR ip quantity isQuantity semver isSemver url isURL lowerAscii upperAscii substring trim jsonpatch.escapeKey format'.split(
    ' ',
  ),
);
const keepsSize = new Set(['url', 'lowerAscii', 'upperAscii', 'substring', 'trim', 'jsonpatch.escapeKey']);
const overItems = new Set(['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf']);

/** What a function costs beside its arguments; `on` is its target, or its first argument. */
function callCost(name: string, on: Estimate | undefined, args: readonly Estimate[], isMember: boolean): Estimate {
  const size = on ? sizeOf(on) : 0;
  const other = args[isMember ? 0 : 1];
  if (perText.has(name))
    return { cost: isMember && name === 'ip' ? 1 : part(size, textFactor), size: keepsSize.has(name) ? size : undefined };
  if (overItems.has(name)) {
    const item = on?.item ?? on?.shape?.item;
    if (!item) return { cost: name.endsWith('ndexOf') ? part(size, textFactor) : size, size: 1 };
    const itemSize = 'sizeMax' in item ? item.sizeMax : sizeOf(item);
    return { cost: bounded(size * (1 + part(itemSize, textFactor))), size: 1 };
  }
  switch (name) {
    case 'dyn':
      return { cost: 1, size: on?.size, item: on?.item };
    case 'startsWith':
    case 'endsWith':
      return { cost: part(other ? sizeOf(other) : 0, textFactor), size: 1 };
    case 'contains':
      return { cost: bounded(part(size, textFactor) * part(other ? sizeOf(other) : 0, textFactor)), size: 1 };
    case 'matches':
    case 'find':
    case 'findAll':
      return {
        cost: bounded(part(size + 1, textFactor) * part(other ? sizeOf(other) : 0, regexFactor)),
        size: name === 'matches' ? 1 : size,
      };
    case 'replace':
    case 'split':
      return { cost: part(size, 2 * textFactor), size };
    case 'join': {
      const item = on?.item ? sizeOf(on.item) : on?.shape?.item ? on.shape.item.sizeMax : costMax;
      const joined = bounded(size * item + Math.max(0, size - 1) * (other ? sizeOf(other) : 0));
      return { cost: part(joined, textFactor), size: joined };
    }
    case 'validate':
      return { cost: bounded(part(part(other ? sizeOf(other) : 0, textFactor), 128 * regexFactor)), size: undefined };
    case 'containsIP':
      return { cost: 4 + (other?.size === undefined ? 0 : part(other.size, textFactor)), size: 1 };
    case 'containsCIDR':
      return { cost: 7 + (other?.size === undefined ? 0 : part(other.size, textFactor)), size: 1 };
    case 'string':
    case 'bytes':
      return { cost: on?.size === 1 ? 1 : part(size, textFactor), size: name === 'bytes' ? bounded(size * 4) : size };
    case 'sets.contains':
    case 'sets.intersects':
      return { cost: bounded(1 + size * (other ? sizeOf(other) : 0)), size: 1 };
    case 'sets.equivalent':
      return { cost: bounded(1 + 2 * size * (other ? sizeOf(other) : 0)), size: 1 };
    case 'strings.quote':
      return { cost: part(size, textFactor), size: bounded(size * 2 + 2) };
    case 'check':
      return { cost: checkCost, size: undefined };
    case 'fieldSelector':
    case 'labelSelector': {
      const length = other ? sizeOf(other) : 0;
      return { cost: bounded(listCost + part(length, textFactor) + part(part(length, 0.5), listCost + structCost)), size: undefined };
    }
    case 'ip.isCanonical':
      return { cost: part(size, 2 * textFactor), size: 1 };
    case 'slice':
    case 'reverse':
    case 'flatten':
      return { cost: 1 + listCost + size, size, item: on?.item };
    case 'distinct':
    case 'sort':
      return { cost: bounded(1 + listCost + 2.1 * size * size), size, item: on?.item };
    default:
      return { cost: 1, size: undefined };
  }
}
