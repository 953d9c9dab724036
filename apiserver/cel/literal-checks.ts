// Literals that can be told to be wrong before anything runs, as cel-go's validators do: patterns, durations and times, and lists and maps
// of values of several types.

import { RE2JS } from 're2js';
import type { Expr } from './ast.ts';
import type { Issue } from './issues.ts';
import { type CelType, formatType, isOptionalType, isSameType } from './types.ts';
import { CelTimestamp, parseDuration, parseTimestamp } from './values.ts';

const isPattern = (value: unknown) => {
  if (typeof value !== 'string') return true;
  try {
    return RE2JS.compile(value) !== undefined;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
};
const isDuration = (value: unknown) => typeof value !== 'string' || parseDuration(value) !== undefined;

function isTimestamp(value: unknown): boolean {
  if (typeof value === 'string') return parseTimestamp(value) !== undefined;
  if (typeof value !== 'bigint') return true;
  try {
    return new CelTimestamp(value * 1_000_000_000n) !== undefined;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

const checks: Readonly<Record<string, (value: unknown) => boolean>> = { duration: isDuration, timestamp: isTimestamp, matches: isPattern };

/** What is wrong with the last argument of a call of `name`. */
export function literalIssue(name: string, args: readonly Expr[]): Issue | undefined {
  const isRight = Object.hasOwn(checks, name) ? checks[name] : undefined;
  const last = args.at(-1);
  if (!isRight || last?.op !== 'literal' || isRight(last.value)) return undefined;
  return { at: last.at, message: `invalid ${name} argument` };
}

/** Lists and maps whose values differ in type, unless they are arguments of `format`. */
export function mixedLiterals(ast: Expr, types: ReadonlyMap<Expr, CelType>): Issue[] {
  const issues: Issue[] = [];
  const typeOf = (expr: Expr, isOptional: boolean) => {
    const type = types.get(expr);
    return isOptional && type && isOptionalType(type) ? type.params[0] : type;
  };
  const differs = (first: CelType | undefined, type: CelType | undefined, at: number): boolean => {
    if (!first || !type || isSameType(first, type)) return false;
    issues.push({ at, message: `expected type '${formatType(first)}' but found '${formatType(type)}'` });
    return true;
  };
  const visit = (expr: Expr): void => {
    switch (expr.op) {
      case 'list': {
        const [first] = expr.items;
        const wanted = first && typeOf(first, expr.optional.has(0));
        expr.items.some((item, i) => differs(wanted, typeOf(item, expr.optional.has(i)), item.at));
        break;
      }
      case 'map': {
        const [first] = expr.entries;
        for (const { key, value, isOptional } of expr.entries) {
          differs(first && types.get(first.key), types.get(key), key.at);
          differs(first && typeOf(first.value, first.isOptional), typeOf(value, isOptional), value.at);
        }
        break;
      }
      case 'call':
        if (expr.name === 'format') return;
        break;
    }
    for (const part of partsOf(expr)) visit(part);
  };
  visit(ast);
  return issues;
}

function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.op) {
    case 'select':
      return [expr.operand];
    case 'call':
      return expr.target ? [expr.target, ...expr.args] : expr.args;
    case 'list':
      return expr.items;
    case 'map':
      return expr.entries.flatMap(({ key, value }) => [key, value]);
    case 'struct':
      return expr.fields.map(({ value }) => value);
    case 'comprehension':
      return [expr.range, expr.initial, expr.condition, expr.step, expr.result];
    default:
      return [];
  }
}
