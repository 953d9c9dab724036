// What a set of fields that was recorded under an older schema is under this one.

import type { SchemaNode } from '../schema/node.ts';
import { childOf } from './compare.ts';
import { emptySet, type FieldSet, isEmptySet } from './field-set.ts';

/**
 * A list or object that has become atomic since is managed whole by whoever managed something in it. What was atomic and is
 * no more stays as it is: its manager has none of the fields in it. Returns `set` itself when nothing has changed.
 */
export function reconcileSet(set: FieldSet, node: SchemaNode): FieldSet {
  let result: Record<string, FieldSet> | undefined;
  for (const element in set) {
    const entry = set[element];
    if (element === '.' || !entry || isEmptySet(entry)) continue;
    const child = node.type === 'list' ? node.item : element.startsWith('f:') ? childOf(node, element.slice(2)) : undefined;
    if (!child) continue;
    const reconciled = isAtomic(child) ? emptySet : reconcileSet(entry, child);
    if (reconciled === entry) continue;
    result ??= { ...set };
    result[element] = reconciled;
  }
  return result ?? set;
}

function isAtomic(node: SchemaNode): boolean {
  switch (node.type) {
    case 'list':
      return node.listType === 'atomic';
    case 'map':
    case 'object':
      return node.isAtomic;
    case 'any':
      return !node.isGranular;
    case 'scalar':
      return false;
  }
}
