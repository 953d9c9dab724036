// The macros that the CEL library lacks: comprehensions over two variables, `existsOne`, `optMap` and `optFlatMap`.

import { type ASTNode, type Environment, Optional } from '@marcbachmann/cel-js';
import { CelError } from '../cel-error.ts';

/** The scope of one variable, as the CEL library keeps it. */
interface Scope {
  forkWithVariable(name: string, type: unknown): Scope;
  reuse(outer: Scope): Scope;
  setIterValue(value: unknown, evaluator: Evaluator): Scope;
}
interface Checker {
  check(node: ASTNode, scope: Scope): unknown;
  getType(name: string): unknown;
}
interface Evaluator {
  run(node: ASTNode, scope: Scope): unknown;
}
interface Macro {
  readonly receiver: ASTNode;
  readonly args: readonly ASTNode[];
}

type Entry = readonly [key: unknown, value: unknown];

function nameOf(node: ASTNode | undefined): string {
  if (node?.op !== 'id') throw new CelError('argument must be a simple name');
  return String(node.args);
}

function entriesOf(range: unknown): Entry[] {
  if (Array.isArray(range)) return range.map((item, i): Entry => [BigInt(i), item]);
  if (range instanceof Map) return [...range];
  if (typeof range === 'object' && range !== null) return Object.entries(range);
  throw new CelError('no such overload');
}

type Body = (entries: readonly Entry[], run: (part: number, entry: Entry) => unknown) => unknown;

/** A macro over the keys and values of a list or map; `body` runs the arguments after the two names. */
function overEntries(resultType: string, body: Body) {
  return ({ args, receiver }: Macro) => {
    const names = [nameOf(args[0]), nameOf(args[1])] as const;
    if (names[0] === names[1]) throw new CelError(`duplicate variable name: ${names[0]}`);
    let scopes: readonly [Scope, Scope] | undefined;
    return {
      typeCheck(checker: Checker, _: unknown, scope: Scope) {
        checker.check(receiver, scope);
        const first = scope.forkWithVariable(names[0], checker.getType('dyn'));
        scopes = [first, first.forkWithVariable(names[1], checker.getType('dyn'))];
        for (const part of args.slice(2)) checker.check(part, scopes[1]);
        return checker.getType(resultType);
      },
      evaluate(evaluator: Evaluator, _: unknown, scope: Scope) {
        const [first, second] = scopes as readonly [Scope, Scope];
        return body(entriesOf(evaluator.run(receiver, scope)), (part, [key, value]) =>
          evaluator.run(
            args[part + 2] as ASTNode,
            second.reuse(first.reuse(scope).setIterValue(key, evaluator)).setIterValue(value, evaluator),
          ),
        );
      },
    };
  };
}

/** As `&&` and `||` do: an error counts only where no other item decides. */
function quantifier(deciding: boolean): Body {
  return (entries, run) => {
    let failure: Error | undefined;
    for (const entry of entries) {
      try {
        if (run(0, entry) === deciding) return deciding;
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        failure ??= error;
      }
    }
    if (failure) throw failure;
    return !deciding;
  };
}

const existsOne: Body = (entries, run) => entries.filter((entry) => run(0, entry) === true).length === 1;
const last = (isFiltered: boolean) => (isFiltered ? 1 : 0);
const kept = (isFiltered: boolean, entries: readonly Entry[], run: Parameters<Body>[1]) =>
  isFiltered ? entries.filter((entry) => run(0, entry) === true) : entries;

const transformList =
  (isFiltered: boolean): Body =>
  (entries, run) =>
    kept(isFiltered, entries, run).map((entry) => run(last(isFiltered), entry));

const transformMap =
  (isFiltered: boolean): Body =>
  (entries, run) =>
    new Map(kept(isFiltered, entries, run).map((entry) => [entry[0], run(last(isFiltered), entry)]));

const transformMapEntry =
  (isFiltered: boolean): Body =>
  (entries, run) => {
    const made = new Map<unknown, unknown>();
    for (const entry of kept(isFiltered, entries, run)) {
      for (const [key, value] of entriesOf(run(last(isFiltered), entry))) {
        if (made.has(key)) throw new CelError(`insert failed: key ${String(key)} already exists`);
        made.set(key, value);
      }
    }
    return made;
  };

/** A macro that goes on with what an optional holds. */
function overOptional(isFlat: boolean) {
  return ({ args: [variable, body], receiver }: Macro) => {
    const name = nameOf(variable);
    let inner: Scope | undefined;
    return {
      typeCheck(checker: Checker, _: unknown, scope: Scope) {
        checker.check(receiver, scope);
        inner = scope.forkWithVariable(name, checker.getType('dyn'));
        checker.check(body as ASTNode, inner);
        return checker.getType('optional<dyn>');
      },
      evaluate(evaluator: Evaluator, _: unknown, scope: Scope) {
        const optional = evaluator.run(receiver, scope);
        if (!(optional instanceof Optional)) throw new CelError('no such overload');
        if (!optional.hasValue()) return optional;
        const value = evaluator.run(body as ASTNode, (inner as Scope).reuse(scope).setIterValue(optional.value(), evaluator));
        return isFlat ? value : Optional.of(value);
      },
    };
  };
}

/** Makes the macros known to `environment`. */
export function registerMacros(environment: Environment): void {
  const define = (signature: string, macro: (macro: never) => unknown) => environment.registerFunction(signature, macro);
  for (const range of ['list', 'map']) {
    define(`${range}.all(ast, ast, ast): bool`, overEntries('bool', quantifier(false)));
    define(`${range}.exists(ast, ast, ast): bool`, overEntries('bool', quantifier(true)));
    define(`${range}.existsOne(ast, ast, ast): bool`, overEntries('bool', existsOne));
    define(`${range}.exists_one(ast, ast, ast): bool`, overEntries('bool', existsOne));
    define(`${range}.transformList(ast, ast, ast): list<dyn>`, overEntries('list<dyn>', transformList(false)));
    define(`${range}.transformList(ast, ast, ast, ast): list<dyn>`, overEntries('list<dyn>', transformList(true)));
    define(`${range}.transformMap(ast, ast, ast): map<dyn, dyn>`, overEntries('map<dyn, dyn>', transformMap(false)));
    define(`${range}.transformMap(ast, ast, ast, ast): map<dyn, dyn>`, overEntries('map<dyn, dyn>', transformMap(true)));
    define(`${range}.transformMapEntry(ast, ast, ast): map<dyn, dyn>`, overEntries('map<dyn, dyn>', transformMapEntry(false)));
    define(`${range}.transformMapEntry(ast, ast, ast, ast): map<dyn, dyn>`, overEntries('map<dyn, dyn>', transformMapEntry(true)));
  }
  define('optional.optMap(ast, ast): optional<dyn>', overOptional(false));
  define('optional.optFlatMap(ast, ast): optional<dyn>', overOptional(true));
}
