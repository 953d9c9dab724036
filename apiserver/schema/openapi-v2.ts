// The OpenAPI 2 document (`GET /openapi/v2`): every built-in definition, those of custom resources, and the operations of
// what is served.

import { type DefinitionForm, definitionNameOf, type OpenApiSchema, openApiDefinition } from './openapi-definitions.ts';
import type { GroupVersionKind, Operation, Parameter } from './operations.ts';
import { builtInName, compiledModels } from './schema.ts';

export interface OpenApiV2Input {
  operations: readonly Operation[];
  /** Definitions of custom resources by name, with version 2's references. */
  custom: Readonly<Record<string, OpenApiSchema>>;
  /** `v1.36.0` */
  version: string;
}

const form: DefinitionForm = { refPrefix: '#/definitions/', version: 2 };
const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const produces = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const produceStreams = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];

export function openApiV2({ operations, custom, version }: OpenApiV2Input): OpenApiSchema {
  const definitions: Record<string, OpenApiSchema> = {};
  for (const name of compiledModels().names) definitions[name] = openApiDefinition(name, form);
  Object.assign(definitions, custom);
  const paths: Record<string, OpenApiSchema> = {};
  for (const operation of operations) {
    paths[operation.path] ??= pathItem(operation.path);
    paths[operation.path]![operation.method] = printOperation(operation, definitions);
  }
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version },
    paths,
    definitions,
    securityDefinitions: {
      BearerToken: { description: 'Bearer Token authentication', type: 'apiKey', name: 'authorization', in: 'header' },
    },
    security: [{ BearerToken: [] }],
  };
}

function pathItem(path: string): OpenApiSchema {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
  if (names.length === 0) return {};
  return {
    parameters: names.map((name) => ({
      uniqueItems: true,
      type: 'string',
      description: pathTexts[name] ?? name,
      name,
      in: 'path',
      required: true,
    })),
  };
}

/** What a parameter in a path is, for both versions. */
export const pathTexts: Readonly<Record<string, string>> = {
  name: 'name of the object',
  namespace: 'object name and auth scope, such as for teams and projects',
  logpath: 'path to the log',
  path: 'path to the resource',
};

function printOperation(operation: Operation, definitions: Record<string, OpenApiSchema>): OpenApiSchema {
  const body = bodyName(operation);
  const parameters: OpenApiSchema[] = operation.parameters.map(printParameter);
  if (body)
    parameters.unshift({
      name: 'body',
      in: 'body',
      ...(operation.body === 'DeleteOptions' ? {} : { required: true }),
      schema: reference(body, definitions),
    });
  const response = responseName(operation);
  const schema = response ? { schema: reference(response, definitions) } : { schema: { type: 'string' } };
  const types = operation.produces ?? produces;
  return {
    description: operation.description,
    consumes: operation.body === 'Patch' ? patchTypesOf(operation) : ['*/*'],
    produces: operation.streams ? [...produces, ...produceStreams] : types,
    schemes: ['https'],
    tags: [operation.tag],
    operationId: operation.operationId,
    ...(parameters.length > 0 ? { parameters } : {}),
    responses: {
      ...(operation.response === 'none' ? {} : { '200': { description: 'OK', ...schema } }),
      ...(operation.alsoAnswers.includes(201) ? { '201': { description: 'Created', ...schema } } : {}),
      ...(operation.alsoAnswers.includes(202) ? { '202': { description: 'Accepted', ...schema } } : {}),
      '401': { description: 'Unauthorized' },
    },
    ...(operation.action ? { 'x-kubernetes-action': operation.action } : {}),
    ...(operation.kind ? { 'x-kubernetes-group-version-kind': operation.kind } : {}),
  };
}

/** The patch content types that built-in resources take. */
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
] as const;

/** Those that an operation's resource takes; custom resources take no strategic merge patch, and clients look here. */
export function patchTypesOf({ kind }: Operation): string[] {
  const isCustom = kind !== undefined && builtInName(kind.group, kind.version, kind.kind) === undefined;
  return patchTypes.filter((type) => !isCustom || type !== 'application/strategic-merge-patch+json');
}

function printParameter({ name, in: place, type, description }: Parameter): OpenApiSchema {
  return { uniqueItems: true, type, description, name, in: place };
}

function reference(name: string, definitions: Record<string, OpenApiSchema>): OpenApiSchema {
  return name in definitions ? { $ref: form.refPrefix + name } : { type: 'object' };
}

/** The definition of an operation's body, if it has one. */
export function bodyName({ body }: Operation): string | undefined {
  if (body === undefined) return undefined;
  return typeof body === 'string' ? `${meta}.${body}` : nameOf(body);
}

/** The definition of an operation's answer; undefined where none is published. */
export function responseName({ response }: Operation): string | undefined {
  if (response === 'string' || response === 'none') return undefined;
  if (response === 'Info') return 'io.k8s.apimachinery.pkg.version.Info';
  return typeof response === 'string' ? `${meta}.${response}` : nameOf(response);
}

const nameOf = ({ group, version, kind }: GroupVersionKind) => definitionNameOf(group, version, kind);
