// The macros: what they are called like, and the comprehensions that they become, as cel-go expands them. Everything else, types and cost
// included, follows from the comprehension.

import type { Call, Comprehension, Expr } from './ast.ts';
import { CelSyntaxError } from './cel-error.ts';

/** The name under which a comprehension gathers its result; nobody can write it. */
export const accumulator = '@result';
const notIdentifier = 'argument is not an identifier';
/** The variable of a loop that never runs. */
const unused = '#unused';

type Expand = (macro: Macro, args: readonly Expr[]) => Expr;

interface Form {
  readonly name: string;
  readonly count: number;
  readonly expand: Expand;
}

/** A macro's call, and the parts that its expansion is made of; all of them stand where the call does. */
class Macro {
  readonly target: Expr;
  readonly #at: number;

  constructor(target: Expr, at: number) {
    this.target = target;
    this.#at = at;
  }

  literal = (value: unknown): Expr => ({ op: 'literal', at: this.#at, value });
  list = (...items: Expr[]): Expr => ({ op: 'list', at: this.#at, items, optional: new Set() });
  map = (): Expr => ({ op: 'map', at: this.#at, entries: [] });
  ident = (name: string): Expr => ({ op: 'ident', at: this.#at, name });
  call = (name: string, ...args: Expr[]): Expr => ({ op: 'call', at: this.#at, name, target: undefined, args });
  member = (target: Expr, name: string, ...args: Expr[]): Expr => ({ op: 'call', at: this.#at, name, target, args });
  on = (target: Expr): Macro => new Macro(target, this.#at);
  get gathered(): Expr {
    return this.ident(accumulator);
  }
  /** A loop over the target with these variables, whose result is what it gathers unless said otherwise. */
  loop(variables: readonly string[], parts: Partial<Comprehension> & Pick<Comprehension, 'initial' | 'step'>): Expr {
    const rest = { range: this.target, accumulator, condition: this.literal(true), result: this.gathered };
    return { op: 'comprehension', at: this.#at, variables, ...rest, ...parts };
  }
}

function nameOf(expr: Expr | undefined, problem: string): string {
  if (expr?.op !== 'ident' || expr.name.startsWith('.')) throw new CelSyntaxError(expr?.at ?? 0, problem);
  if (expr.name === '__result__') throw new CelSyntaxError(expr.at, 'iteration variable overwrites accumulator variable');
  return expr.name;
}

/** The first `count` arguments are names, the rest is left. */
function named(args: readonly Expr[], count: number, problem = 'argument must be a simple name'): { names: string[]; rest: Expr[] } {
  const names = args.slice(0, count).map((arg) => nameOf(arg, problem));
  if (count === 2 && names[0] === names[1]) throw new CelSyntaxError(args[1]?.at ?? 0, `duplicate variable name: ${names[0]}`);
  return { names, rest: args.slice(count) };
}

const all =
  (count: number): Expand =>
  (macro, args) => {
    const { names, rest } = named(args, count);
    return macro.loop(names, {
      initial: macro.literal(true),
      condition: macro.call('@not_strictly_false', macro.gathered),
      step: macro.call('_&&_', macro.gathered, rest[0] as Expr),
    });
  };

const exists =
  (count: number): Expand =>
  (macro, args) => {
    const { names, rest } = named(args, count);
    return macro.loop(names, {
      initial: macro.literal(false),
      condition: macro.call('@not_strictly_false', macro.call('!_', macro.gathered)),
      step: macro.call('_||_', macro.gathered, rest[0] as Expr),
    });
  };

const existsOne =
  (count: number): Expand =>
  (macro, args) => {
    const { names, rest } = named(args, count);
    const one = macro.literal(1n);
    return macro.loop(names, {
      initial: macro.literal(0n),
      step: macro.call('_?_:_', rest[0] as Expr, macro.call('_+_', macro.gathered, one), macro.gathered),
      result: macro.call('_==_', macro.gathered, one),
    });
  };

/** Gathers what `add` says, for all items or those that the first of two further arguments lets pass. */
const gather =
  (count: number, initial: (macro: Macro) => Expr, add: (macro: Macro, names: readonly string[], value: Expr) => Expr): Expand =>
  (macro, args) => {
    const { names, rest } = named(args, count, count === 1 ? notIdentifier : undefined);
    const step = add(macro, names, rest.at(-1) as Expr);
    const filtered = rest.length === 2 ? macro.call('_?_:_', rest[0] as Expr, step, macro.gathered) : step;
    return macro.loop(names, { initial: initial(macro), step: filtered });
  };

const emptyList = (macro: Macro) => macro.list();
const emptyMap = (macro: Macro) => macro.map();
const append = (macro: Macro, _: readonly string[], value: Expr) => macro.call('_+_', macro.gathered, macro.list(value));
const insert = (macro: Macro, [key = '']: readonly string[], value: Expr) =>
  macro.call('cel.@mapInsert', macro.gathered, macro.ident(key), value);
const insertAll = (macro: Macro, _: readonly string[], value: Expr) => macro.call('cel.@mapInsert', macro.gathered, value);

const filter: Expand = (macro, args) => {
  const { names, rest } = named(args, 1, notIdentifier);
  const step = macro.call('_+_', macro.gathered, macro.list(args[0] as Expr));
  return macro.loop(names, { initial: macro.list(), step: macro.call('_?_:_', rest[0] as Expr, step, macro.gathered) });
};

/** Goes on with what an optional holds. */
const overOptional =
  (isFlat: boolean): Expand =>
  (macro, args) => {
    const { names, rest } = named(args, 1);
    const [variable = ''] = names;
    const value = macro.loop([unused], {
      range: macro.list(),
      accumulator: variable,
      initial: macro.member(macro.target, 'value'),
      condition: macro.literal(false),
      step: macro.ident(variable),
      result: rest[0] as Expr,
    });
    const present = isFlat ? value : macro.call('optional.of', value);
    return macro.call('_?_:_', macro.member(macro.target, 'hasValue'), present, macro.call('optional.none'));
  };

/** The list sorted by what is made of each item. */
const sortBy: Expand = (macro, args) => {
  if (!['list', 'ident', 'select', 'call', 'comprehension'].includes(macro.target.op))
    throw new CelSyntaxError(macro.target.at, 'sortBy can only be applied to a list, identifier, comprehension, call or select expression');
  named(args, 1, 'argument must be a simple name');
  const input = '@__sortBy_input__';
  const keys = gather(1, emptyList, append)(macro.on(macro.ident(input)), args);
  return macro.loop([unused], {
    range: macro.list(),
    accumulator: input,
    initial: macro.target,
    condition: macro.literal(false),
    step: macro.ident(input),
    result: macro.member(macro.ident(input), '@sortByAssociatedKeys', keys),
  });
};

const forms: readonly Form[] = [
  ...[1, 2].flatMap((count): Form[] => [
    { name: 'all', count: count + 1, expand: all(count) },
    { name: 'exists', count: count + 1, expand: exists(count) },
    { name: 'exists_one', count: count + 1, expand: existsOne(count) },
    { name: 'existsOne', count: count + 1, expand: existsOne(count) },
    { name: 'map', count: count + 1, expand: gather(1, emptyList, append) },
    { name: 'transformList', count: count + 2, expand: gather(2, emptyList, append) },
    { name: 'transformMap', count: count + 2, expand: gather(2, emptyMap, insert) },
    { name: 'transformMapEntry', count: count + 2, expand: gather(2, emptyMap, insertAll) },
  ]),
  { name: 'filter', count: 2, expand: filter },
  { name: 'sortBy', count: 2, expand: sortBy },
  { name: 'optMap', count: 2, expand: overOptional(false) },
  { name: 'optFlatMap', count: 2, expand: overOptional(true) },
];
const byName = new Map(forms.map((form) => [`${form.name} ${form.count}`, form.expand]));

/** What a call on a target stands for, if it is a macro. @throws CelSyntaxError */
export function expandMacro({ name, target, args, at }: Call): Expr | undefined {
  const expand = target && byName.get(`${name} ${args.length}`);
  return expand ? expand(new Macro(target, at), args) : undefined;
}

/** `has(a.b)`. @throws CelSyntaxError when it is given anything but a selection */
export function hasMacro({ name, args, at }: Call): Expr | undefined {
  if (name !== 'has' || args.length !== 1) return undefined;
  const [selection] = args as [Expr];
  if (selection.op !== 'select' || selection.isTest) throw new CelSyntaxError(selection.at, 'invalid argument to has() macro');
  return { ...selection, at, isTest: true };
}
