// The types of objects as type checking of policies sees them, from the schemas they are published with
// (k8s.io/apiserver/pkg/cel/common).

import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  dynType,
  intType,
  listType,
  mapType,
  stringType,
  structType,
  timestampType,
} from '../../cel/types.ts';
import { escapeName } from '../../customresources/cel-value.ts';
import type { ObjectNode, ScalarNode, SchemaNode } from '../../schema/node.ts';

const kept = new WeakMap<ObjectNode, CelType>();

/** The type of an object of the kind with this schema. */
export function typeOfSchema(schema: ObjectNode, name: string): CelType {
  const known = kept.get(schema);
  if (known) return known;
  const type = objectType(schema, name);
  kept.set(schema, type);
  return type;
}

/** Fields are looked at when they are asked for, which lets schemas refer to themselves. */
function objectType({ fields }: ObjectNode, name: string): CelType {
  const types = new Map<string, CelType | undefined>();
  let byName: Map<string, SchemaNode> | undefined;
  return structType(name, (field) => {
    byName ??= new Map([...fields].map(([each, node]) => [escapeName(each), node]));
    if (!types.has(field)) {
      const node = byName.get(field);
      types.set(field, node && nodeType(node, `${name}.${field}`));
    }
    return types.get(field);
  });
}

/** undefined for what expressions cannot name: values of no certain type. */
function nodeType(node: SchemaNode, name: string): CelType | undefined {
  switch (node.type) {
    case 'scalar':
      return scalarType(node);
    case 'object':
      return objectType(node, name);
    case 'any':
      return node.mustBeObject ? structType(name, () => undefined) : undefined;
    case 'list': {
      const item = nodeType(node.item, `${name}.@idx`);
      return item && listType(item);
    }
    case 'map': {
      const value = nodeType(node.value, `${name}.@elem`);
      return value && mapType(stringType, value);
    }
  }
}

function scalarType({ scalar }: ScalarNode): CelType {
  switch (scalar) {
    case 'boolean':
      return boolType;
    case 'int32':
    case 'int64':
      return intType;
    case 'double':
      return doubleType;
    case 'byte':
      return bytesType;
    case 'time':
    case 'microTime':
      return timestampType;
    case 'string':
      return stringType;
    default:
      return dynType;
  }
}
