// An OpenAPI 2 document as one of OpenAPI 3, for servers that publish no other: lossy, as Kubernetes' own conversion is
// (k8s.io/kube-openapi/pkg/openapiconv).

import type { OpenApiJson } from './merge-openapi.ts';

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];
/** Of a parameter that is not in the body, what is its schema's. */
const simpleSchemaFields = ['type', 'format', 'uniqueItems'];

export function toOpenApiV3(document: OpenApiJson): OpenApiJson {
  const { info, externalDocs } = document;
  const schemas = mapValues(document['definitions'], schemaOf);
  const securitySchemes = document['securityDefinitions'];
  return {
    openapi: '3.0.0',
    ...(info === undefined ? {} : { info }),
    ...(externalDocs === undefined ? {} : { externalDocs }),
    paths: mapValues(document['paths'], pathItemOf),
    components: { schemas, ...(isObject(securitySchemes) ? { securitySchemes } : {}) },
  };
}

function pathItemOf(item: OpenApiJson): OpenApiJson {
  const result: OpenApiJson = {};
  for (const [key, value] of Object.entries(item)) {
    if (key === 'parameters') result[key] = listOf(value).map(parameterOf);
    else result[key] = methods.includes(key) && isObject(value) ? operationOf(value) : value;
  }
  return result;
}

function operationOf({ parameters, responses, consumes, produces, schemes: _, ...rest }: OpenApiJson): OpenApiJson {
  const [bodies, others] = [true, false].map((isBody) =>
    listOf(parameters).filter(({ name, schema }) => (name === 'body' && isObject(schema)) === isBody),
  );
  const body = bodies?.[0]?.['schema'];
  return {
    ...rest,
    ...(others?.length ? { parameters: others.map(parameterOf) } : {}),
    ...(isObject(body) ? { requestBody: { content: contentOf(body, consumes) } } : {}),
    responses: mapValues(responses, ({ schema, ...response }) => ({
      ...response,
      ...(isObject(schema) ? { content: contentOf(schema, produces) } : {}),
    })),
  };
}

const contentOf = (schema: OpenApiJson, types: unknown) =>
  Object.fromEntries((Array.isArray(types) ? types : []).map((type) => [String(type), { schema: schemaOf(schema) }]));

function parameterOf({ schema, ...parameter }: OpenApiJson): OpenApiJson {
  const own = Object.fromEntries(simpleSchemaFields.filter((field) => field in parameter).map((field) => [field, parameter[field]]));
  const kept = Object.fromEntries(Object.entries(parameter).filter(([field]) => !simpleSchemaFields.includes(field)));
  return { ...kept, schema: isObject(schema) ? schemaOf(schema) : own };
}

/** With references to where version 3 has its definitions; beside a reference nothing else may stand. */
function schemaOf(schema: OpenApiJson): OpenApiJson {
  const result: OpenApiJson = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === '$ref') continue;
    if (key === 'properties') result[key] = mapValues(value, schemaOf);
    else if ((key === 'items' || key === 'additionalProperties') && isObject(value)) result[key] = schemaOf(value);
    else if (key === 'allOf') result[key] = listOf(value).map(schemaOf);
    else result[key] = value;
  }
  const reference = schema['$ref'];
  if (typeof reference !== 'string') return result;
  const $ref = reference.replace(/^#\/definitions\//, '#/components/schemas/');
  return Object.keys(result).length === 0 ? { $ref } : { ...result, allOf: [{ $ref }] };
}

function mapValues(value: unknown, change: (item: OpenApiJson) => unknown): OpenApiJson {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, isObject(item) ? change(item) : item]));
}

const listOf = (value: unknown): OpenApiJson[] => (Array.isArray(value) ? value.filter(isObject) : []);
const isObject = (value: unknown): value is OpenApiJson => typeof value === 'object' && value !== null && !Array.isArray(value);
