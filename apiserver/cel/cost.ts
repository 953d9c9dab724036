// How much an expression can cost at most, before it ever runs, in the units of cel-go and of k8s.io/apiserver/pkg/cel/library: a step
// costs 1, what reads a text a tenth of its length, a loop its body times its range. Only the upper bound is kept; that is what limits
// are held against.

import type { ASTNode } from '@marcbachmann/cel-js';
import { macroForms } from './checker.ts';
import { constructedFields, constructorCall } from './constructors.ts';
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

const bounded = (cost: number) => Math.min(costMax, cost);
const sizeOf = ({ size }: Estimate) => size ?? costMax;
const part = (size: number, factor: number) => bounded(Math.ceil(size * factor));

type Scope = ReadonlyMap<string, Estimate>;

/** The most that evaluating `ast` can cost, given the types of its parts. */
export function estimateCost(ast: ASTNode, types: ReadonlyMap<ASTNode, CelType>, variables: Readonly<Record<string, Sized>>): number {
  const scope = new Map(Object.entries(variables).map(([name, shape]): [string, Estimate] => [name, shaped(shape, 1)]));
  return new Estimator(types).estimate(ast, scope).cost;
}

/** How large the value of `ast` gets at most. */
export function estimateSize(ast: ASTNode, types: ReadonlyMap<ASTNode, CelType>, variables: Readonly<Record<string, Sized>>): Sized {
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
  readonly #types: ReadonlyMap<ASTNode, CelType>;

  constructor(types: ReadonlyMap<ASTNode, CelType>) {
    this.#types = types;
  }

  estimate(node: ASTNode, scope: Scope): Estimate {
    const found = this.#estimate(node, scope);
    const kind = this.#types.get(node)?.kind ?? 'dyn';
    const isScalar = ['bool', 'double', 'duration', 'int', 'timestamp', 'uint'].includes(kind);
    return { ...found, cost: bounded(found.cost), size: found.size ?? (isScalar ? 1 : undefined) };
  }

  #estimate(node: ASTNode, scope: Scope): Estimate {
    switch (node.op) {
      case 'value':
        return {
          cost: 0,
          size: typeof node.args === 'string' ? [...node.args].length : node.args instanceof Uint8Array ? node.args.length : 1,
        };
      case 'id':
        return { ...(scope.get(node.args) ?? { size: 0 }), cost: 1 };
      case '.':
      case '.?': {
        const operand = this.estimate(node.args[0], scope);
        const isKeyed = ['map', 'struct', 'param'].includes(this.#types.get(node.args[0])?.kind ?? 'dyn');
        const { shape } = operand;
        const field = shape?.fields?.get(node.args[1]) ?? shape?.item;
        return shaped(field, operand.cost + (isKeyed || node.op === '.?' ? 1 : 0));
      }
      case '[]':
      case '[?]': {
        const [container, index] = node.args.map((each) => this.estimate(each, scope)) as [Estimate, Estimate];
        const item = container.item ?? shaped(container.shape?.item, 0);
        return { ...item, cost: container.cost + index.cost + 1 };
      }
      case 'list': {
        const items = node.args.map((each) => this.estimate(each, scope));
        return { cost: listCost + sum(items), size: items.length, item: { cost: 0, size: largest(items) } };
      }
      case 'map': {
        const entries = node.args.flat().map((each) => this.estimate(each, scope));
        return { cost: mapCost + sum(entries), size: node.args.length };
      }
      case '&&':
      case '||':
        return { cost: sum(node.args.map((each) => this.estimate(each, scope))), size: 1 };
      case '?:': {
        const [condition, first, second] = node.args.map((each) => this.estimate(each, scope)) as [Estimate, Estimate, Estimate];
        return { cost: condition.cost + Math.max(first.cost, second.cost), size: Math.max(sizeOf(first), sizeOf(second)) };
      }
      case 'call':
        return this.#call(node.args[0], undefined, node.args[1], scope);
      case 'rcall':
        return this.#macro(node.args[0], node.args[1], node.args[2], scope) ?? this.#call(node.args[0], node.args[1], node.args[2], scope);
      case '!_':
      case '-_':
        return { cost: this.estimate(node.args, scope).cost + 1, size: 1 };
      default:
        return this.#binary(node.op, node.args as readonly [ASTNode, ASTNode], scope);
    }
  }

  #binary(operator: string, args: readonly [ASTNode, ASTNode], scope: Scope): Estimate {
    const [left, right] = args.map((each) => this.estimate(each, scope)) as [Estimate, Estimate];
    const spent = left.cost + right.cost;
    const kind = this.#types.get(args[0])?.kind ?? 'dyn';
    const isText = kind === 'string' || kind === 'bytes' || kind === 'dyn';
    const smaller = Math.min(sizeOf(left), sizeOf(right));
    switch (operator) {
      case '==':
      case '!=':
        return { cost: spent + part(smaller, textFactor), size: 1 };
      case '<':
      case '<=':
      case '>':
      case '>=':
        return { cost: spent + (isText ? Math.max(1, part(smaller, textFactor)) : 1), size: 1 };
      case 'in':
        return { cost: spent + (this.#types.get(args[1])?.kind === 'map' ? 1 : sizeOf(right)), size: 1 };
      case '+': {
        const size = bounded(sizeOf(left) + sizeOf(right));
        if (kind === 'list') return { cost: spent + 1, size, item: left.item ?? right.item };
        return isText ? { cost: spent + part(size, textFactor), size } : { cost: spent + 1, size: 1 };
      }
      default:
        return { cost: spent + 1, size: 1 };
    }
  }

  #macro(name: string, target: ASTNode, args: readonly ASTNode[], scope: Scope): Estimate | undefined {
    const form = macroForms[name]?.find(({ names, bodies }) => names + bodies === args.length);
    if (!form) return undefined;
    const range = this.estimate(target, scope);
    const isList = this.#types.get(target)?.kind !== 'map';
    const item = { ...(range.item ?? shaped(range.shape?.item, 1)), cost: 1 };
    const key: Estimate = { cost: 1, size: isList ? 1 : 0 };
    const bound = form.isOptional ? [{ ...range, cost: 1 }] : form.names === 2 ? [key, item] : [isList ? item : key];
    const inner = new Map(scope);
    args.slice(0, form.names).forEach((each, i) => void inner.set(String(each.args), bound[i] as Estimate));
    const bodies = args.slice(form.names).map((each) => this.estimate(each, inner));
    const [first, last] = [bodies[0] as Estimate, bodies.at(-1) as Estimate];
    if (form.isOptional) return { cost: 2 * range.cost + listCost + 3 + last.cost, size: last.size };
    const steps = stepCost(name, first.cost, bodies.length > 1 ? last.cost : undefined);
    const made = name === 'map' || name === 'transformList' || name === 'filter' ? listCost : name.startsWith('transformMap') ? mapCost : 0;
    const end = name === 'existsOne' || name === 'exists_one' ? 2 : 1;
    const cost = range.cost + made + end + bounded(sizeOf(range) * steps);
    if (made === 0) return { cost, size: 1 };
    return { cost, size: sizeOf(range), item: name === 'filter' ? item : { cost: 1, size: last.size } };
  }

  #call(name: string, target: ASTNode | undefined, args: readonly ASTNode[], scope: Scope): Estimate {
    if (!target && name === constructorCall) {
      const values = constructedFields(args[1]).map(({ value }) => this.estimate(value, scope));
      return { cost: structCost + sum(values), size: values.length };
    }
    if (!target && name === 'has') {
      const [selection] = args;
      return { cost: selection?.op === '.' ? Math.max(0, this.estimate(selection.args[0], scope).cost - 1) : 0, size: 1 };
    }
    const given = args.map((each) => this.estimate(each, scope));
    const isNamespace = target !== undefined && !this.#types.has(target);
    const on = target && !isNamespace ? this.estimate(target, scope) : undefined;
    const spent = sum(given) + (on?.cost ?? 0);
    const { cost, ...result } = callCost(name, on ?? given[0], given, on !== undefined);
    return { cost: spent + cost, size: result.size, shape: name === 'dyn' ? given[0]?.shape : undefined, item: result.item };
  }
}

const sum = (estimates: readonly Estimate[]) => estimates.reduce((all, { cost }) => all + cost, 0);
const largest = (estimates: readonly Estimate[]) => estimates.reduce((most, each) => Math.max(most, sizeOf(each)), 0);

/** What one round of a macro's loop costs beside its range. */
function stepCost(name: string, first: number, transform: number | undefined): number {
  switch (name) {
    case 'all':
      return first + 3;
    case 'exists':
      return first + 4;
    case 'existsOne':
    case 'exists_one':
      return first + 2;
    case 'filter':
      return first + listCost + 3;
    case 'transformMap':
      return transform === undefined ? first + 3 : first + transform + 3;
    case 'transformMapEntry':
      return transform === undefined ? first + 2 : first + transform + 2;
    default:
      return transform === undefined ? first + listCost + 2 : first + transform + listCost + 2;
  }
}

const perText = new Set(
  'cidr isIP isCIDR ip quantity isQuantity semver isSemver url isURL lowerAscii upperAscii substring trim escapeKey format'.split(' '),
);
const keepsSize = new Set(['url', 'lowerAscii', 'upperAscii', 'substring', 'trim', 'escapeKey']);
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
