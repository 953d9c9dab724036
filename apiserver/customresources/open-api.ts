// A custom resource's schema as OpenAPI publishes it: version 3 as it is written, version 2 without what that cannot say.

import type { JsonSchema } from '../../api/apiextensions.ts';
import type { OpenApiSchema } from '../schema/openapi-definitions.ts';

const texts = {
  apiVersion:
    'APIVersion names the schema version of this representation of an object. See https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources',
  kind: 'Kind names the REST resource that this object represents, in CamelCase. See https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
  metadata: "Standard object's metadata. See https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
};

/** The schema of one version's objects, with the fields that every object has. */
export function customOpenApiSchema(schema: JsonSchema | undefined, form: 2 | 3): OpenApiSchema {
  if (!schema || (form === 2 && schema['x-kubernetes-preserve-unknown-fields']))
    return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const printed = (form === 2 ? forVersion2(schema) : { ...schema }) as OpenApiSchema & { properties?: Record<string, OpenApiSchema> };
  const $ref = `${form === 2 ? '#/definitions/' : '#/components/schemas/'}io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta`;
  const metadata = { description: texts.metadata, ...(form === 2 ? { $ref } : { allOf: [{ $ref }] }) };
  printed.properties = {
    ...printed.properties,
    apiVersion: { type: 'string', description: texts.apiVersion },
    kind: { type: 'string', description: texts.kind },
    metadata,
  };
  return printed;
}

const droppedInVersion2 = ['anyOf', 'oneOf', 'not', 'nullable', 'x-kubernetes-validations'];

function forVersion2(schema: JsonSchema): OpenApiSchema {
  const printed: OpenApiSchema = {};
  for (const [key, value] of Object.entries(schema)) if (!droppedInVersion2.includes(key)) printed[key] = value;
  // What may be null or of two types has no type that clients could hold it to.
  if (schema.nullable || schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields']) {
    for (const key of ['properties', 'items', 'additionalProperties']) delete printed[key];
    if (!schema['x-kubernetes-preserve-unknown-fields'] || schema.nullable) delete printed['type'];
    return printed;
  }
  if (schema.properties)
    printed['properties'] = Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => [name, forVersion2(property)]));
  if (schema.items) printed['items'] = forVersion2(schema.items);
  if (typeof schema.additionalProperties === 'object') printed['additionalProperties'] = forVersion2(schema.additionalProperties);
  if (schema.allOf) delete printed['allOf'];
  return printed;
}
