// What CEL knows of a structural schema: the types that its rules are checked against, and how large values can get at most, from
// which the cost of rules is estimated (k8s.io/apiserver/pkg/cel/common).

import type { JsonSchema } from '../../api/apiextensions.ts';
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  mapType,
  stringType,
  structType,
  timestampType,
} from '../cel/types.ts';
import { escapeName, resourceSchema } from './cel-value.ts';

/** A schema as rules see it. */
export interface SchemaType {
  readonly type: CelType;
  /** Items of a list, entries of a map, bytes of a text; 0 for what has no size. */
  readonly sizeMax: number;
  /** Bytes that a value takes at least, written as JSON. */
  readonly bytesMin: number;
  readonly item?: SchemaType;
  /** By the name that rules use. */
  readonly fields?: { get(name: string): SchemaType | undefined };
}

/** As large as a request may be. */
const requestBytesMax = 3 * 1024 * 1024;
const textBytesMax = requestBytesMax - 2;

const scalar = (type: CelType, bytesMin: number, sizeMax = 0): SchemaType => ({ type, sizeMax, bytesMin });

/** The type of `schema`; undefined for what rules cannot see. Of a resource its names are always seen. */
export function schemaType(schema: JsonSchema, isResource = false): SchemaType | undefined {
  if (schema['x-kubernetes-int-or-string']) return scalar(dynType, 1, schema.maxLength === undefined ? textBytesMax : schema.maxLength * 4);
  switch (schema.type) {
    case 'array':
      return arrayType(schema);
    case 'object':
      return typeof schema.additionalProperties === 'object' && !isResource ? mapSchemaType(schema) : objectType(schema, isResource);
    case 'string':
      return textType(schema);
    case 'boolean':
      return scalar(boolType, 4);
    case 'number':
      return scalar(doubleType, 1);
    case 'integer':
      return scalar(intType, 1);
    default:
      return isResource ? objectType(schema, true) : undefined;
  }
}

const childType = (schema: JsonSchema) => schemaType(schema, schema['x-kubernetes-embedded-resource'] === true);

function arrayType({ items, maxItems }: JsonSchema): SchemaType | undefined {
  const item = items && childType(items);
  if (!item) return undefined;
  const sizeMax = maxItems === undefined ? Math.floor((requestBytesMax - 2) / (item.bytesMin + 1)) : Math.max(0, maxItems);
  return { type: listType(item.type), sizeMax, bytesMin: 2, item };
}

function mapSchemaType({ additionalProperties, maxProperties }: JsonSchema): SchemaType | undefined {
  const item = typeof additionalProperties === 'object' ? childType(additionalProperties) : undefined;
  if (!item) return undefined;
  const sizeMax = maxProperties === undefined ? Math.floor((requestBytesMax - 2) / (item.bytesMin + 6)) : Math.max(0, maxProperties);
  return { type: mapType(stringType, item.type), sizeMax, bytesMin: 2, item };
}

function objectType(schema: JsonSchema, isResource: boolean): SchemaType {
  const { properties = {}, required = [] } = isResource ? resourceSchema(schema) : schema;
  const fields = new Map<string, SchemaType>();
  let bytesMin = 2;
  for (const [name, property] of Object.entries(properties)) {
    const type = childType(property);
    if (!type) continue;
    if (/^[a-zA-Z_][a-zA-Z0-9_./-]*$/.test(name)) fields.set(escapeName(name), type);
    if (required.includes(name) && property.default === undefined) bytesMin += name.length + type.bytesMin + 4;
  }
  return {
    type: structType('object', (name) => fieldNamed(fields, name)?.type),
    sizeMax: 0,
    bytesMin,
    fields: { get: (name) => fieldNamed(fields, name) },
  };
}

/** A field that is named like a reserved word may be written as it is, too. */
const fieldNamed = (fields: ReadonlyMap<string, SchemaType>, name: string) => fields.get(name) ?? fields.get(escapeName(name));

function textType({ format, maxLength, enum: choices }: JsonSchema): SchemaType {
  if (format === 'byte') return scalar(bytesType, 2, maxLength ?? textBytesMax);
  if (format === 'duration') return scalar(durationType, 3, 32);
  if (format === 'date') return scalar(timestampType, 12, 12);
  if (format === 'date-time') return scalar(timestampType, 21, 32);
  if (maxLength !== undefined) return scalar(stringType, 2, Math.max(0, maxLength) * 4);
  if (choices?.length) return scalar(stringType, 2, Math.max(...choices.map((each) => (typeof each === 'string' ? each.length : 0))));
  return scalar(stringType, 2, textBytesMax);
}

/** How often a value of this type fits into a request. */
export const countMaxOf = ({ bytesMin }: SchemaType) => Math.floor(requestBytesMax / (bytesMin + 1));
