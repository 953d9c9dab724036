// CEL as Kubernetes has it: the language, optionals, and the list, string and regex functions of its own libraries. Rules of
// custom resources and admission policies are compiled against the same environment.
// See https://kubernetes.io/docs/reference/using-api/cel/

import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';

type Text = string;
type Values = unknown[];

/** An expression, compiled once. */
export interface CelProgram {
  /** `bool`, `string`, `dyn`, ... */
  readonly type: string;
  /** @throws CelError */
  evaluate(variables: Readonly<Record<string, unknown>>): unknown;
}

/** An expression that does not compile, fails, or costs too much. */
export class CelError extends Error {
  override name = 'CelError';
}

/** As many steps as one evaluation may take at most, by an estimate from above. */
export const stepsMax = 10_000_000;

/** The environment with these variables of unknown type. */
export function celEnvironment(variables: readonly string[]): Environment {
  const environment = base().clone();
  for (const name of variables) environment.registerVariable(name, 'dyn');
  return environment;
}

/** @throws CelError when `expression` cannot be compiled */
export function compileCel(environment: Environment, expression: string): CelProgram {
  const parsed = attempt(() => environment.parse(expression));
  matchWithRe2(parsed.ast);
  const { valid, type, error } = parsed.check();
  if (!valid) throw new CelError(firstLine(error?.message ?? 'unknown error'));
  const { nodes, loops } = shapeOf(parsed.ast);
  return {
    type: type ?? 'dyn',
    evaluate(variables) {
      if (nodes * Math.max(1, largest(variables)) ** loops > stepsMax)
        throw new CelError('operation cancelled: actual cost limit exceeded');
      const result: unknown = attempt(() => parsed(variables as Record<string, unknown>));
      return result;
    },
  };
}

/** The CEL library matches with JavaScript's own expressions, which can take time without end; RE2's cannot. */
function matchWithRe2(value: unknown): void {
  if (Array.isArray(value)) {
    for (const item of value) matchWithRe2(item);
    return;
  }
  if (typeof value !== 'object' || value === null || !('op' in value) || !('args' in value)) return;
  const { op, args } = value as { op: string; args: unknown };
  if ((op === 'rcall' || op === 'call') && Array.isArray(args) && args[0] === 'matches') args[0] = 're2Matches';
  matchWithRe2(args);
}

function attempt<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new CelError(firstLine(error instanceof Error ? error.message : String(error)), { cause: error });
  }
}

const firstLine = (text: string) => (text.split('\n', 1)[0] as string).trim();

const macros = new Set(['all', 'exists', 'exists_one', 'existsOne', 'map', 'filter', 'transformList', 'transformMap']);

/** How many nodes an expression has, and how deep its loops nest: with the largest collection they bound its steps. */
function shapeOf(ast: ASTNode): { nodes: number; loops: number } {
  let nodes = 0;
  let loops = 0;
  const visit = (value: unknown, depth: number): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item, depth);
      return;
    }
    if (typeof value !== 'object' || value === null || !('op' in value) || !('args' in value)) return;
    nodes++;
    const { op, args } = value as { op: string; args: unknown };
    const isLoop = op === 'rcall' && Array.isArray(args) && macros.has(String(args[0]));
    loops = Math.max(loops, isLoop ? depth + 1 : depth);
    visit(args, isLoop ? depth + 1 : depth);
  };
  visit(ast, 0);
  return { nodes, loops };
}

/** The size of the largest collection or text in a value. */
function largest(value: unknown): number {
  if (typeof value === 'string') return 1;
  if (typeof value !== 'object' || value === null) return 1;
  const items: unknown[] = Array.isArray(value) ? value : Object.values(value);
  let size = items.length;
  for (const item of items) size = Math.max(size, largest(item));
  return size;
}

let shared: Environment | undefined;

function base(): Environment {
  if (shared) return shared;
  const environment = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false });
  const define = (signature: string, handler: (...values: never[]) => unknown) => environment.registerFunction(signature, handler);
  const matches = (text: Text, pattern: Text) => RE2JS.compile(pattern).matcher(text).find();
  define('string.re2Matches(string): bool', matches);
  define('re2Matches(string, string): bool', matches);
  define('string.find(string): string', (text: Text, pattern: Text) => findAll(text, pattern, 1)[0] ?? '');
  define('string.findAll(string): list', (text: Text, pattern: Text) => findAll(text, pattern, Number.POSITIVE_INFINITY));
  define('string.findAll(string, int): list', (text: Text, pattern: Text, limit: bigint) =>
    findAll(text, pattern, limit < 0n ? Number.POSITIVE_INFINITY : Number(limit)),
  );
  define('string.replace(string, string): string', (text: Text, from: Text, to: Text) => text.replaceAll(from, () => to));
  define('string.charAt(int): string', (text: Text, at: bigint) => [...text][Number(at)] ?? '');
  define('string.reverse(): string', (text: Text) => [...text].reverse().join(''));
  define('list.isSorted(): bool', (items: Values) => items.every((item, i) => i === 0 || order(items[i - 1], item) <= 0));
  define('list.sum(): dyn', (items: Values) =>
    items.reduce((sum, item) => (sum as number) + (item as number), typeof items[0] === 'number' ? 0 : 0n),
  );
  define('list.min(): dyn', (items: Values) => nonEmpty(items, 'min').reduce((least, item) => (order(item, least) < 0 ? item : least)));
  define('list.max(): dyn', (items: Values) => nonEmpty(items, 'max').reduce((most, item) => (order(item, most) > 0 ? item : most)));
  define('list.indexOf(dyn): int', (items: Values, wanted: unknown) => BigInt(items.indexOf(wanted)));
  define('list.lastIndexOf(dyn): int', (items: Values, wanted: unknown) => BigInt(items.lastIndexOf(wanted)));
  define('isURL(string): bool', (text: Text) => URL.canParse(text));
  shared = environment;
  return environment;
}

function findAll(text: string, pattern: string, limit: number): string[] {
  const matcher = RE2JS.compile(pattern).matcher(text);
  const found: string[] = [];
  while (found.length < limit && matcher.find()) found.push(matcher.group() ?? '');
  return found;
}

function order(a: unknown, b: unknown): number {
  const [left, right] = [a as number, b as number];
  return left < right ? -1 : left > right ? 1 : 0;
}

function nonEmpty(items: Values, name: string): Values {
  if (items.length === 0) throw new CelError(`${name} called on empty list`);
  return items;
}
