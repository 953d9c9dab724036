// JSON as CEL sees it: whole numbers, fractions, times and durations by the schema's types, and names that CEL can spell.

import { EvaluationError, evaluate } from '@marcbachmann/cel-js';
import type { JsonSchema } from '../../api/apiextensions.ts';

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);

/** A property's name as rules write it. */
export function escapeName(name: string): string {
  if (reserved.has(name)) return `__${name}__`;
  return name.replace(/__|[.\-/]/g, (part) => escapes[part] ?? part);
}

const escapes: Readonly<Record<string, string>> = { __: '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' };

/** Of a resource's metadata only its names are seen. */
export function celValue(value: unknown, schema: JsonSchema | undefined, isResource = false): unknown {
  if (typeof value === 'number') return schema?.type !== 'number' && Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string') return textValue(value, schema);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => celValue(item, schema?.items));
  const converted: Record<string, unknown> = {};
  const more = typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined;
  for (const [name, item] of Object.entries(value)) {
    const property = schema?.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    if ((isResource || schema?.['x-kubernetes-embedded-resource']) && (name === 'metadata' || name === 'apiVersion' || name === 'kind')) {
      converted[name] = name === 'metadata' ? namesOf(item) : item;
    } else if (property) converted[escapeName(name)] = celValue(item, property);
    else if (more) converted[name] = celValue(item, more);
    else if (!schema) converted[name] = celValue(item, undefined);
  }
  return converted;
}

function namesOf(metadata: unknown): Record<string, unknown> {
  const { name, generateName } = (metadata ?? {}) as Record<string, unknown>;
  return { ...(name === undefined ? {} : { name }), ...(generateName === undefined ? {} : { generateName }) };
}

function textValue(value: string, schema: JsonSchema | undefined): unknown {
  if (schema?.format === 'date-time' || schema?.format === 'date') return new Date(value);
  if (schema?.format === 'byte') return new Uint8Array(Buffer.from(value, 'base64'));
  if (schema?.format === 'duration') return durationOf(value) ?? value;
  return value;
}

/** Only CEL itself can make its durations. */
function durationOf(text: string): unknown {
  try {
    const made: unknown = evaluate('duration(text)', { text });
    return made;
  } catch (error) {
    if (error instanceof EvaluationError) return undefined;
    throw error;
  }
}
