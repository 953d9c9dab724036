// A structural schema as a schema node: what decoding, pruning and server-side apply walk. Wrong types pass through, to
// be named by validation.

import type { JsonSchema } from '../../api/apiextensions.ts';
import type { ListType, ObjectNode, ScalarNode, SchemaNode } from '../schema/node.ts';
import { schemaOf } from '../schema/schema.ts';

const custom = { isCustom: true, nullable: true } as const;
const any: SchemaNode = { type: 'any', mustBeObject: false, isGranular: true, goType: 'interface {}', ...custom };

/** The node of a version's objects; without a schema everything is kept. */
export function customResourceNode(schema: JsonSchema | undefined, preservesUnknown: boolean): ObjectNode {
  const root = schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return new CustomObjectNode(root, { isResource: true, preservesUnknown });
}

const text: ScalarNode = { type: 'scalar', scalar: 'string', goType: 'string' };

/** Fields are built on first use: of thousands of definitions, most are never written to. */
class CustomObjectNode implements ObjectNode {
  readonly type = 'object';
  readonly name = '';
  readonly goType = 'map[string]interface {}';
  readonly isCustom = true;
  readonly nullable = true;
  readonly required: readonly string[];
  readonly isAtomic: boolean;
  readonly preservesUnknown: boolean;
  readonly isEmbeddedResource: boolean;
  readonly default?: unknown;
  readonly #schema: JsonSchema;
  readonly #preservesAll: boolean;
  #fields: ReadonlyMap<string, SchemaNode> | undefined;

  constructor(schema: JsonSchema, { isResource, preservesUnknown }: { isResource: boolean; preservesUnknown: boolean }) {
    this.#schema = schema;
    this.required = schema.required ?? [];
    this.isAtomic = schema['x-kubernetes-map-type'] === 'atomic';
    this.preservesUnknown = preservesUnknown || schema['x-kubernetes-preserve-unknown-fields'] === true;
    this.#preservesAll = preservesUnknown;
    this.isEmbeddedResource = isResource;
    if (schema.default !== undefined) this.default = schema.default;
  }

  get fields(): ReadonlyMap<string, SchemaNode> {
    if (this.#fields) return this.#fields;
    const fields = new Map<string, SchemaNode>();
    for (const [name, property] of Object.entries(this.#schema.properties ?? {})) fields.set(name, nodeOf(property, this.#preservesAll));
    if (this.isEmbeddedResource) {
      fields.set('apiVersion', text);
      fields.set('kind', text);
      const metadata = schemaOf('', 'v1', 'ConfigMap')?.fields.get('metadata');
      if (metadata) fields.set('metadata', metadata);
    }
    this.#fields = fields;
    return fields;
  }
}

function nodeOf(schema: JsonSchema, preservesAll: boolean): SchemaNode {
  const beside = { ...custom, ...(schema.default === undefined ? {} : { default: schema.default }) };
  if (schema['x-kubernetes-int-or-string']) return { type: 'scalar', scalar: 'intOrString', goType: 'intstr.IntOrString', ...beside };
  switch (schema.type) {
    case 'object':
      return objectNodeOf(schema, preservesAll);
    case 'array': {
      const listType = (schema['x-kubernetes-list-type'] ?? 'atomic') as ListType;
      const item = schema.items ? nodeOf(schema.items, preservesAll) : any;
      return { type: 'list', item, listType, keys: schema['x-kubernetes-list-map-keys'] ?? [], goType: '[]interface {}', ...beside };
    }
    case 'string':
      return { type: 'scalar', scalar: 'string', goType: 'string', ...beside };
    case 'boolean':
      return { type: 'scalar', scalar: 'boolean', goType: 'bool', ...beside };
    case 'integer':
      return { type: 'scalar', scalar: 'int64', goType: 'int64', ...beside };
    case 'number':
      return { type: 'scalar', scalar: 'double', goType: 'float64', ...beside };
    default:
      return any;
  }
}

function objectNodeOf(schema: JsonSchema, preservesAll: boolean): SchemaNode {
  const isResource = schema['x-kubernetes-embedded-resource'] === true;
  const { additionalProperties: more } = schema;
  if (more && !schema.properties && !isResource) {
    const value = typeof more === 'object' ? nodeOf(more, preservesAll) : any;
    return { type: 'map', value, isAtomic: schema['x-kubernetes-map-type'] === 'atomic', goType: 'map[string]interface {}', ...custom };
  }
  return new CustomObjectNode(schema, { isResource, preservesUnknown: preservesAll });
}
