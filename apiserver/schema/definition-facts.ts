// What can be compared about OpenAPI definitions: everything but their prose, in one form for both versions of OpenAPI, and
// its digest. testdata/definitions.digest holds those of Kubernetes 1.36.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { OpenApiSchema } from './openapi-definitions.ts';

/** A definition without its prose. */
export interface DefinitionFacts {
  [key: string]: unknown;
}

/** `fieldFacts` of a schema of version 2, or of 3 where a $ref beside others stands in allOf and unions of types are spelled out. */
function typeFacts(schema: OpenApiSchema): unknown {
  const all = schema['allOf'] as OpenApiSchema[] | undefined;
  const $ref = schema['$ref'] ?? all?.[0]?.['$ref'];
  if ($ref) return `#${String($ref).replace(/^#\/(definitions|components\/schemas)\//, '')}`;
  if (schema['oneOf']) return schema['format'] ? `string:${schema['format']}` : 'string';
  if (schema['type'] === 'array') return ['[]', typeFacts(schema['items'] as OpenApiSchema)];
  if (schema['additionalProperties']) return ['{}', typeFacts(schema['additionalProperties'] as OpenApiSchema)];
  return schema['format'] ? `${schema['type']}:${schema['format']}` : schema['type'];
}

/** Version 2 publishes no defaults, so those of version 3 are compared nowhere but on the schema's nodes. */
function fieldFacts(schema: OpenApiSchema): unknown {
  const beside = Object.entries(schema).filter(([key]) => key.startsWith('x-') || key === 'enum');
  return beside.length === 0 ? typeFacts(schema) : { t: typeFacts(schema), ...Object.fromEntries(beside) };
}

/** Everything but its prose and its defaults. */
export function definitionFacts(schema: OpenApiSchema): DefinitionFacts {
  const facts: DefinitionFacts = {};
  const kinds = schema['x-kubernetes-group-version-kind'] as { group: string; version: string; kind: string }[] | undefined;
  if (kinds) facts['gvk'] = kinds.map(({ group, version, kind }) => [group, version, kind]);
  const properties = schema['properties'] as Record<string, OpenApiSchema> | undefined;
  if (properties) facts['properties'] = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, fieldFacts(field)]));
  else if (schema['type'] || schema['oneOf']) facts['type'] = typeFacts(schema);
  if (schema['required']) facts['required'] = schema['required'];
  for (const key of ['x-kubernetes-map-type', 'x-kubernetes-unions']) if (schema[key]) facts[key] = schema[key];
  return facts;
}

/** The same text whatever the order of keys and of `required`. */
function canonical(value: unknown, key = ''): string {
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item));
    return `[${(key === 'required' ? items.sort() : items).join(',')}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonical(v, k)}`).join(',')}}`;
}

/** The digest of a definition as it is published. */
export function definitionDigest(schema: OpenApiSchema): string {
  return createHash('sha256')
    .update(canonical(definitionFacts(schema)))
    .digest('hex')
    .slice(0, 12);
}

/** The digests of Kubernetes 1.36's definitions, by name. */
export function expectedDigests(): Map<string, string> {
  const lines = readFileSync(new URL('./testdata/definitions.digest', import.meta.url), 'utf8')
    .trim()
    .split('\n');
  return new Map(lines.map((line) => line.split(' ') as [string, string]));
}
