// OpenAPI 3 documents (`GET /openapi/v3/apis/apps/v1`): one for each group and version, each group and each path beside
// them, with the definitions that its operations reach.

import { type DefinitionForm, type OpenApiSchema, openApiDefinition, referencesOf } from './openapi-definitions.ts';
import { bodyName, patchTypesOf, pathTexts, responseName } from './openapi-v2.ts';
import type { Operation, Parameter } from './operations.ts';
import { indexOfDefinition } from './schema.ts';

export interface OpenApiV3Input {
  /** Those of one document: of a group and version, of a group, or of a path by itself. */
  operations: readonly Operation[];
  /** Definitions of custom resources by name, with version 3's references. */
  custom: Readonly<Record<string, OpenApiSchema>>;
}

const form: DefinitionForm = { refPrefix: '#/components/schemas/', version: 3 };
const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const mediaTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf', 'application/cbor'];
const streamTypes = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];

export function openApiV3({ operations, custom }: OpenApiV3Input): OpenApiSchema {
  const names = new Set<string>();
  for (const operation of operations)
    for (const name of [bodyName(operation), responseName(operation)]) if (name) reach(name, names, custom);
  if (operations.some(({ kind }) => kind)) {
    reach(`${meta}.DeleteOptions`, names, custom);
    reach(`${meta}.WatchEvent`, names, custom);
  }
  const schemas: Record<string, OpenApiSchema> = {};
  for (const name of [...names].sort()) schemas[name] = custom[name] ?? openApiDefinition(name, form);
  const paths: Record<string, OpenApiSchema> = {};
  for (const operation of operations) {
    paths[operation.path] ??= pathItem(operation.path);
    paths[operation.path]![operation.method] = printOperation(operation, names);
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths,
    components: {
      schemas,
      securitySchemes: { BearerToken: { type: 'apiKey', description: 'Bearer Token authentication', name: 'authorization', in: 'header' } },
    },
  };
}

/** Adds `name` and all it refers to, when it is known. */
function reach(name: string, names: Set<string>, custom: OpenApiV3Input['custom']): void {
  const pending = [name];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (names.has(next)) continue;
    const own = custom[next];
    if (own) pending.push(...[...JSON.stringify(own).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]!));
    else if (indexOfDefinition(next) === undefined) continue;
    else pending.push(...referencesOf(next));
    names.add(next);
  }
}

function pathItem(path: string): OpenApiSchema {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
  const parameters = names.map((name) => ({
    name,
    in: 'path',
    description: pathTexts[name] ?? name,
    required: true,
    schema: { type: 'string', uniqueItems: true },
  }));
  return parameters.length > 0 ? { parameters } : {};
}

function printOperation(operation: Operation, known: ReadonlySet<string>): OpenApiSchema {
  const body = bodyName(operation);
  const response = responseName(operation);
  const schema = response ? reference(response, known) : { type: 'string' };
  const types = operation.produces ?? (response ? (operation.streams ? [...mediaTypes, ...streamTypes] : mediaTypes) : ['*/*']);
  const answers = content(types, schema);
  return {
    tags: [operation.tag],
    description: operation.description,
    operationId: operation.operationId,
    ...(operation.parameters.length > 0 ? { parameters: operation.parameters.map(printParameter) } : {}),
    ...(body
      ? { requestBody: { content: content(operation.body === 'Patch' ? patchTypesOf(operation) : ['*/*'], reference(body, known)) } }
      : {}),
    responses: {
      ...(operation.response === 'none' ? {} : { '200': { description: 'OK', content: answers } }),
      ...(operation.alsoAnswers.includes(201) ? { '201': { description: 'Created', content: answers } } : {}),
      ...(operation.alsoAnswers.includes(202) ? { '202': { description: 'Accepted', content: answers } } : {}),
      '401': { description: 'Unauthorized' },
    },
    ...(operation.action ? { 'x-kubernetes-action': operation.action } : {}),
    ...(operation.kind ? { 'x-kubernetes-group-version-kind': operation.kind } : {}),
  };
}

function content(types: readonly string[], schema: OpenApiSchema): OpenApiSchema {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

function printParameter({ name, in: place, type, description }: Parameter): OpenApiSchema {
  return { name, in: place, description, schema: { type, uniqueItems: true } };
}

function reference(name: string, known: ReadonlySet<string>): OpenApiSchema {
  return known.has(name) ? { $ref: form.refPrefix + name } : { type: 'object' };
}
