// How large a value of a schema is, in the form from which the cost of a rule is estimated: of a list or map the largest of its items.

import type { Sized } from '../cel/cost.ts';
import { escapeName } from './cel-value.ts';

/** The sizes in `values`, of which each is what one rule would see. */
export function sizesOf(values: readonly unknown[]): Sized {
  let sizeMax = 0;
  const items: unknown[] = [];
  const fields = new Map<string, unknown[]>();
  for (const value of values) {
    if (typeof value === 'string') sizeMax = Math.max(sizeMax, value.length);
    else if (Array.isArray(value)) {
      sizeMax = Math.max(sizeMax, value.length);
      for (const item of value) items.push(item);
    } else if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value);
      sizeMax = Math.max(sizeMax, entries.length);
      for (const [name, item] of entries) {
        const escaped = escapeName(name);
        const found = fields.get(escaped);
        if (found) found.push(item);
        else fields.set(escaped, [item]);
        items.push(item);
      }
    }
  }
  let item: Sized | undefined;
  const byName = new Map<string, Sized>();
  return {
    sizeMax,
    get item() {
      item ??= items.length > 0 ? sizesOf(items) : nothing;
      return item;
    },
    fields: {
      get(name: string) {
        const found = byName.get(name) ?? sizesOf(fields.get(name) ?? []);
        byName.set(name, found);
        return found;
      },
    },
  };
}

const nothing: Sized = { sizeMax: 0 };
