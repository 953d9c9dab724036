// Arguments written as literals that can be told to be wrong before anything runs: patterns, durations and times, as cel-go's validators do.

import { RE2JS } from 're2js';
import type { Expr } from './ast.ts';
import type { Issue } from './issues.ts';
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
