// CEL as Kubernetes has it: the language, optionals, and the functions of cel-go's and of its own libraries. Rules of custom resources,
// admission policies and whatever else is configured with expressions are compiled here.
// See https://kubernetes.io/docs/reference/using-api/cel/

import type { Expr } from './ast.ts';
import type { Meter, Values } from './attribute.ts';
import { CelError, CelSyntaxError } from './cel-error.ts';
import { type Checked, checkTypes } from './checker.ts';
import { estimateCost, estimateSize, type Sized } from './cost.ts';
import { plan } from './interpreter.ts';
import { formatIssues } from './issues.ts';
import { parseCel } from './parser.ts';
import { type CelType, formatType } from './types.ts';

export { costExceeded } from './attribute.ts';
export { CelError, compilationProblem } from './cel-error.ts';

/** A variable whose type is known, and how large it gets. */
export interface TypedVariable extends Sized {
  readonly type: CelType;
}

/** What one evaluation may cost at most, in Kubernetes' units, unless its caller says otherwise. */
export const callCostMax = 1_000_000;

/** An expression, checked against the types of its variables, and compiled once. */
export interface CheckedProgram {
  /** `bool`, `string`, `list(dyn)`, ... */
  readonly type: string;
  readonly celType: CelType;
  /** The most that evaluating it can cost. */
  readonly cost: number;
  /** The same where the variables get no larger than this. */
  costWith(variables: Readonly<Record<string, Sized>>): number;
  /** How large its value gets then. */
  sizeWith(variables: Readonly<Record<string, Sized>>): Sized;
  /** What it really costs is added to `meter`. @throws CelError, also when it would cost more than the meter allows */
  evaluate(values: Values, meter?: Meter): unknown;
}

/** @throws CelError with cel-go's messages */
export function compileChecked(expression: string, variables: Readonly<Record<string, TypedVariable>>): CheckedProgram {
  const { ast, type, types, overloads } = parseAndCheck(expression, variables);
  const run = plan(ast, new Set(Object.keys(variables)), { overloads });
  return {
    type: formatType(type),
    celType: type,
    cost: estimateCost(ast, types, variables),
    costWith: (sizes) => estimateCost(ast, types, sizes),
    sizeWith: (sizes) => estimateSize(ast, types, sizes),
    evaluate: (values, meter = { cost: 0, limit: callCostMax }) => run(values, meter),
  };
}

/** The type of an expression, or what is wrong with it: nothing is made to evaluate it. @throws CelError with cel-go's messages */
export function checkOnly(expression: string, variables: Readonly<Record<string, Pick<TypedVariable, 'type'>>>): CelType {
  return parseAndCheck(expression, variables).type;
}

function parseAndCheck(expression: string, variables: Readonly<Record<string, Pick<TypedVariable, 'type'>>>): Checked & { ast: Expr } {
  const ast = parsed(expression);
  const typesByName = Object.fromEntries(Object.entries(variables).map(([name, { type }]) => [name, type]));
  const checked = checkTypes(ast, typesByName);
  if (checked.issues.length > 0) throw new CelError(formatIssues(expression, checked.issues));
  return { ast, ...checked };
}

function parsed(expression: string): Expr {
  try {
    return parseCel(expression);
  } catch (error) {
    if (error instanceof CelSyntaxError) throw new CelError(formatIssues(expression, [error]), { cause: error });
    throw error;
  }
}
