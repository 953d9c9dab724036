// What an applied object must be before it is merged: of the schema's types, with no field that the schema does not name,
// and with no two list elements of the same keys.

import { goText } from '../../api/patch/patch-error.ts';
import { goTypeOf } from '../customresources/go-type.ts';
import type { ListNode, ObjectNode, ScalarNode, SchemaNode } from '../schema/node.ts';
import { childOf, type Json } from './compare.ts';
import { elementText, itemElement, MissingKeyError } from './path-element.ts';

const numeric = 'numeric (int or float)';

/** Every problem, as `.spec.foo: field not declared in schema`. */
export function appliedProblems(object: Json, schema: ObjectNode): string[] {
  const problems: string[] = [];
  visit(object, schema, '', problems);
  return problems;
}

function visit(value: unknown, node: SchemaNode, path: string, problems: string[]): void {
  if (value === null) return;
  const say = (what: string) => void problems.push(path === '' ? what : `${path}: ${what}`);
  switch (node.type) {
    case 'scalar': {
      const wanted = wantedScalar(value, node);
      // The library that Kubernetes merges with names the Go type here, and shows the value everywhere else.
      if (wanted) say(`expected ${wanted}, got ${wanted === numeric ? goTypeOf(value) : `&{${goText(value)}}`}`);
      return;
    }
    case 'list':
      if (Array.isArray(value)) visitItems(value, node, path, problems);
      else say(`expected list, got &{${goText(value)}}`);
      return;
    case 'any':
      if (node.mustBeObject && !isObject(value)) say(`expected map, got &{${goText(value)}}`);
      return;
  }
  if (!isObject(value)) {
    say(`expected map, got &{${goText(value)}}`);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    if (node.type === 'object' && !node.fields.has(key) && !node.preservesUnknown)
      problems.push(`${path}.${key}: field not declared in schema`);
    else visit(item, childOf(node, key), `${path}.${key}`, problems);
  }
}

function visitItems(items: unknown[], list: ListNode, path: string, problems: string[]): void {
  const seen = new Set<string>();
  for (let i = 0; i < items.length; i++) {
    let text = `[${i}]`;
    if (list.listType !== 'atomic') {
      try {
        const element = itemElement(items[i], list);
        text = elementText(element);
        if (seen.has(element)) problems.push(`${path}: duplicate entries for key ${text}`);
        seen.add(element);
      } catch (error) {
        if (!(error instanceof MissingKeyError)) throw error;
        problems.push(`${path}: element ${i}: ${error.message}`);
        return;
      }
    }
    visit(items[i], list.item, path + text, problems);
  }
}

function wantedScalar(value: unknown, node: ScalarNode): string | undefined {
  switch (node.scalar) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'boolean';
    case 'int32':
    case 'int64':
    case 'double':
      return typeof value === 'number' || typeof value === 'bigint' ? undefined : numeric;
    case 'quantity':
    case 'intOrString':
      return typeof value === 'object' ? 'any scalar' : undefined;
    default:
      return typeof value === 'string' ? undefined : 'string';
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
