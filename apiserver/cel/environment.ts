// CEL as Kubernetes has it: the language, optionals, and the list, string and regex functions of its own libraries. Rules of
// custom resources and admission policies are compiled against the same environment.
// See https://kubernetes.io/docs/reference/using-api/cel/

import { type ASTNode, Environment, ParseError, type ParseResult } from '@marcbachmann/cel-js';
import { CelError } from './cel-error.ts';
import { checkTypes } from './checker.ts';
import { type Rewritten, rewriteConstructors } from './constructors.ts';
import { estimateCost, estimateSize, type Sized } from './cost.ts';
import { formatIssues, type Issue, syntaxIssue } from './issues.ts';
import { registerLibraries } from './library/register.ts';
import { type CelType, formatType } from './types.ts';

export { CelError } from './cel-error.ts';

/** An expression, compiled once. */
export interface CelProgram {
  /** `bool`, `string`, `dyn`, ... */
  readonly type: string;
  /** @throws CelError */
  evaluate(variables: Readonly<Record<string, unknown>>): unknown;
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
  const { parsed, type } = compile(environment, expression);
  const { nodes, loops } = shapeOf(parsed.ast);
  return {
    type,
    evaluate(variables) {
      if (nodes * Math.max(1, largest(variables)) ** loops > stepsMax) throw new CelError(costExceeded);
      return run(parsed, variables);
    },
  };
}

/** How an evaluation ends that would cost too much. */
export const costExceeded = 'operation cancelled: actual cost limit exceeded';

function compile(environment: Environment, expression: string): { parsed: ParseResult; type: string } {
  const parsed = attempt(() => environment.parse(expression));
  matchWithRe2(parsed.ast);
  const { valid, type, error } = parsed.check();
  if (!valid) throw new CelError(firstLine(error?.message ?? 'unknown error'));
  return { parsed, type: type ?? 'dyn' };
}

function run(parsed: ParseResult, variables: Readonly<Record<string, unknown>>): unknown {
  try {
    const result: unknown = parsed(variables as Record<string, unknown>);
    return result;
  } catch (error) {
    throw new CelError(inCelGoWords(firstLine(error instanceof Error ? error.message : String(error))), { cause: error });
  }
}

/** A variable whose type is known, and how large it gets. */
export interface TypedVariable extends Sized {
  readonly type: CelType;
}

/** A program that has been checked against the types of its variables. Its caller bounds what it costs. */
export interface CheckedProgram extends CelProgram {
  readonly celType: CelType;
  /** The most that evaluating it can cost, in Kubernetes' units. */
  readonly cost: number;
  /** The same where the variables get no larger than this. */
  costWith(variables: Readonly<Record<string, Sized>>): number;
  /** A coarser bound, which knows no unbounded sizes: no text, list or map is larger than `extent`. */
  costBySteps(extent: number): number;
  /** How large its value gets then. */
  sizeWith(variables: Readonly<Record<string, Sized>>): Sized;
}

/** As compileCel, with types; `environment` knows the same variables. @throws CelError with cel-go's messages */
export function compileChecked(
  environment: Environment,
  expression: string,
  variables: Readonly<Record<string, TypedVariable>>,
): CheckedProgram {
  const rewritten = rewriteConstructors(expression);
  const ast = parseOnly(environment, expression, rewritten);
  const { type, issues, types } = checkTypes(ast, typesOf(variables));
  if (issues.length > 0) throw new CelError(formatIssues(expression, moved(issues, rewritten)));
  const { parsed } = compile(environment, rewritten.text);
  const { nodes, loops } = shapeOf(ast);
  return {
    type: formatType(type),
    celType: type,
    cost: estimateCost(ast, types, variables),
    costWith: (sizes) => estimateCost(ast, types, sizes),
    costBySteps: (extent) => nodes * Math.max(1, extent) ** loops * Math.max(1, extent / 10),
    sizeWith: (sizes) => estimateSize(ast, types, sizes),
    evaluate: (values) => run(parsed, values),
  };
}

/** The type of an expression, or what is wrong with it: nothing is made to evaluate it. @throws CelError with cel-go's messages */
export function checkOnly(
  environment: Environment,
  expression: string,
  variables: Readonly<Record<string, Pick<TypedVariable, 'type'>>>,
): CelType {
  const rewritten = rewriteConstructors(expression);
  const { type, issues } = checkTypes(parseOnly(environment, expression, rewritten), typesOf(variables));
  if (issues.length > 0) throw new CelError(formatIssues(expression, moved(issues, rewritten)));
  return type;
}

/** Issues of what was parsed, where they stand in what was written. */
const moved = (issues: readonly Issue[], rewritten: Rewritten) => issues.map((issue) => ({ ...issue, at: rewritten.originalAt(issue.at) }));

const typesOf = (variables: Readonly<Record<string, Pick<TypedVariable, 'type'>>>) =>
  Object.fromEntries(Object.entries(variables).map(([name, { type }]) => [name, type]));

function parseOnly(environment: Environment, expression: string, rewritten: Rewritten): ASTNode {
  try {
    return environment.parse(rewritten.text).ast;
  } catch (error) {
    if (!(error instanceof ParseError)) throw new CelError(error instanceof Error ? error.message : String(error), { cause: error });
    const at = error.range === undefined ? expression.length : rewritten.originalAt(error.range.start);
    throw new CelError(formatIssues(expression, [syntaxIssue(expression, error.code, at, error.summary)]), { cause: error });
  }
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

/** What goes wrong at run time, as cel-go says it. */
function inCelGoWords(message: string): string {
  const [, index] = /^No such key: index out of bounds, index (-?\d+)/.exec(message) ?? [];
  if (index !== undefined) return `index out of bounds: ${index}`;
  if (message.startsWith('integer overflow')) return 'integer overflow';
  return message.replace(/^No such key: /, 'no such key: ').replace(/^found no matching overload for .*/, 'no such overload');
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
  registerLibraries(environment);
  shared = environment;
  return environment;
}
