// Elements of field paths in the form FieldsV1 gives them: `f:name` a field, `k:{"name":"a"}` a list element by its keys,
// `v:"a"` one by its value, `i:0` one by its place.

import { parseJson, stringifyJson } from '../../api/json.ts';
import type { ListNode } from '../schema/node.ts';

/** The list element has no value for a key that has no default, so nothing can name it. */
export class MissingKeyError extends Error {
  override name = 'MissingKeyError';
}

/**
 * The element of a list item.
 * @throws MissingKeyError
 */
export function itemElement(item: unknown, list: ListNode): string {
  if (list.listType === 'set') return `v:${stringifyJson(item)}`;
  const value = item as Record<string, unknown>;
  if (typeof item !== 'object' || item === null) throw new MissingKeyError('associative list with keys may not have non-map elements');
  const { keys } = list;
  if (keys.length === 1) return `k:{"${keys[0]}":${keyText(value, keys[0]!, list)}}`;
  const sorted = [...keys].sort();
  return `k:{${sorted.map((key) => `"${key}":${keyText(value, key, list)}`).join(',')}}`;
}

function keyText(item: Record<string, unknown>, key: string, list: ListNode): string {
  let value = item[key];
  if (value === undefined || value === null) {
    value = list.item.type === 'object' ? list.item.fields.get(key)?.default : undefined;
    if (value === undefined) {
      throw new MissingKeyError(
        `associative list with keys has an element that omits key field ${JSON.stringify(key)} (and doesn't have default value)`,
      );
    }
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** Fields, then keys, then values, then places; each in its own order. */
export function compareElements(a: string, b: string): number {
  const [ka, kb] = [a.charCodeAt(0), b.charCodeAt(0)];
  if (ka !== kb) return order.indexOf(a[0]!) - order.indexOf(b[0]!);
  if (ka === 0x66) return a < b ? -1 : a > b ? 1 : 0;
  return compareValues(valueIn(a), valueIn(b));
}
const order = 'fkvi';

function valueIn(element: string): unknown {
  try {
    return parseJson(element.slice(2));
  } catch (error) {
    if (error instanceof SyntaxError) return element;
    throw error;
  }
}

/** Numbers before strings before booleans, as structured-merge-diff orders values; objects by their sorted fields. */
function compareValues(a: unknown, b: unknown): number {
  const [ra, rb] = [rank(a), rank(b)];
  if (ra !== rb) return ra - rb;
  if (typeof a === 'object' && a !== null && typeof b === 'object' && b !== null) {
    const [ea, eb] = [Object.entries(a).sort(byKey), Object.entries(b).sort(byKey)];
    for (let i = 0; i < Math.min(ea.length, eb.length); i++) {
      const byName = byKey(ea[i]!, eb[i]!) || compareValues(ea[i]![1], eb[i]![1]);
      if (byName !== 0) return byName;
    }
    return ea.length - eb.length;
  }
  const [x, y] = [a as string, b as string];
  return x < y ? -1 : x > y ? 1 : 0;
}

function rank(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'bigint') return 0;
  if (typeof value === 'string') return 1;
  if (typeof value === 'boolean') return 2;
  return value === null ? 5 : Array.isArray(value) ? 3 : 4;
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** As conflicts print it: `.spec`, `[name="a"]`, `[="a"]`, `[0]`. */
export function elementText(element: string): string {
  const text = element.slice(2);
  if (element.startsWith('f:')) return `.${text}`;
  if (element.startsWith('v:')) return `[=${text}]`;
  if (!element.startsWith('k:')) return `[${text}]`;
  const keys = Object.entries(valueIn(element) as Record<string, unknown>);
  return `[${keys.map(([name, value]) => `${name}=${stringifyJson(value)}`).join(',')}]`;
}

/** The element in canonical spelling, or undefined when it is of no known kind. */
export function canonicalElement(element: string): string | undefined {
  if (element.startsWith('f:')) return element;
  if (!/^[kvi]:/.test(element)) return undefined;
  const value = valueIn(element);
  if (value === element) return undefined;
  if (element.startsWith('k:')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return `k:${stringifyJson(Object.fromEntries(Object.entries(value).sort(byKey)))}`;
  }
  return `${element.slice(0, 2)}${stringifyJson(value)}`;
}
