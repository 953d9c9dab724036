// The difference of two values as an error message shows it: the fields that differ, old with `-`, new with `+`.

import { stringifyJson } from '../../api/json.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';

const linesMax = 40;

/** Lines in the manner of Go's cmp.Diff; `type` is the name of the whole. */
export function differenceText(type: string, old: unknown, now: unknown): string {
  const lines = [`  ${type}{`];
  describe(old, now, '  \t', lines);
  if (lines.length > linesMax) lines.splice(linesMax, lines.length, '  \t... // more differences');
  return [...lines, '  }', ''].join('\n');
}

function describe(old: unknown, now: unknown, indent: string, lines: string[]): void {
  if (isObject(old) && isObject(now)) {
    let isOmitting = false;
    for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
      if (semanticEqual(old[key], now[key])) isOmitting = true;
      else field(key, old[key], now[key], indent, lines);
    }
    if (isOmitting) lines.push(`${indent}... // identical fields`);
    return;
  }
  lines.push(`-${indent.slice(1)}${shown(old)},`, `+${indent.slice(1)}${shown(now)},`);
}

function field(key: string, old: unknown, now: unknown, indent: string, lines: string[]): void {
  const name = `${key[0]?.toUpperCase()}${key.slice(1)}`;
  if (Array.isArray(old) && Array.isArray(now) && old.length === now.length) {
    lines.push(`${indent}${name}: {`);
    old.forEach((item, i) => {
      if (!semanticEqual(item, now[i])) describe(item, now[i], `${indent}\t`, lines);
    });
    lines.push(`${indent}},`);
  } else if (isObject(old) && isObject(now)) {
    lines.push(`${indent}${name}: {`);
    describe(old, now, `${indent}\t`, lines);
    lines.push(`${indent}},`);
  } else lines.push(`-${indent.slice(1)}${name}: ${shown(old)},`, `+${indent.slice(1)}${name}: ${shown(now)},`);
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const shown = (value: unknown) => (value === undefined ? 'nil' : stringifyJson(value));
