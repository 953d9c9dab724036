// The built-in definitions in the form OpenAPI prints them, for version 2 (`definitions`) and 3 (`components.schemas`).
// Which of them a document carries, and its paths, are openapi-v2.ts's and openapi-v3.ts's business.

import { readFileSync } from 'node:fs';
import { builtInName, type CompiledDefinition, compiledModels, type FieldFacts, indexOfDefinition, parseField } from './schema.ts';

/** A JSON schema object, as plain JSON. */
export interface OpenApiSchema {
  [key: string]: unknown;
}

export interface DefinitionForm {
  /** What stands before a definition's name in a $ref. */
  refPrefix: '#/definitions/' | '#/components/schemas/';
  /** Version 3 publishes defaults and unions of types, and wraps a $ref that has siblings in allOf. */
  version: 2 | 3;
  /** Leave out for a smaller document without texts. */
  describes?: boolean;
}

type Descriptions = Record<string, [string, Record<string, string>]>;
let texts: Descriptions | undefined;

/** Every description, read from its generated file on first use: only OpenAPI needs them. */
function descriptions(): Descriptions {
  texts ??= JSON.parse(readFileSync(new URL('./descriptions.generated.json', import.meta.url), 'utf8')) as Descriptions;
  return texts;
}

/** Texts of definitions for which the declarations have none. */
const ownTexts: Readonly<Record<string, string>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity':
    'Quantity is a fixed-point number: digits with an optional fraction, then a suffix (m, k, Ki, M, Mi, ..., or an exponent).',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 'Time is a moment in RFC 3339 form, in whole seconds.',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'MicroTime is a moment in RFC 3339 form, in microseconds.',
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1':
    'FieldsV1 is a set of fields in JSON form: each key is f:<name>, v:<value>, k:<keys> or i:<index>, and `.` is the element itself.',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Patch': 'Patch is the body of a PATCH request; its form is that of the content type.',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'RawExtension is an object of any kind.',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'IntOrString is an integer, or a string such as a percentage or a name.',
};

/** One definition by name. @throws when there is none */
export function openApiDefinition(name: string, form: DefinitionForm): OpenApiSchema {
  const at = indexOfDefinition(name);
  if (at === undefined) throw new Error(`no definition ${name}`);
  return printDefinition(name, compiledModels().definitions[at]!, form);
}

/** The names of the definitions that `name` refers to, directly. */
export function referencesOf(name: string): string[] {
  const { names, definitions } = compiledModels();
  const fields = Object.values(definitions[indexOfDefinition(name) ?? -1]?.p ?? {});
  const found = fields.flatMap((field) => /#(\d+)/.exec(field)?.[1] ?? []);
  return [...new Set(found)].map((i) => names[Number(i)]!);
}

function printDefinition(name: string, definition: CompiledDefinition, form: DefinitionForm): OpenApiSchema {
  const describes = form.describes ?? true;
  const [text, fieldTexts] = (describes && descriptions()[name]) || ['', {} as Record<string, string>];
  const schema: OpenApiSchema = {};
  const description = text || ownTexts[name];
  if (describes && description) schema['description'] = description;
  if (definition.p) {
    schema['type'] = 'object';
    const required = new Set(definition.r);
    const properties: [string, OpenApiSchema][] = Object.entries(definition.p).map(([field, compiled]) => [
      field,
      printField(parseField(compiled), fieldTexts[field], required.has(field), form),
    ]);
    schema['properties'] = Object.fromEntries(properties);
    if (definition.r) schema['required'] = definition.r;
  } else printSchemaless(name, definition.t ?? '', schema, form);
  if (definition.g) schema['x-kubernetes-group-version-kind'] = definition.g.map(([group, version, kind]) => ({ group, kind, version }));
  if (definition.a) schema['x-kubernetes-map-type'] = 'atomic';
  if (definition.u) schema['x-kubernetes-unions'] = [printUnion(definition.u)];
  return schema;
}

function printSchemaless(name: string, type: string, schema: OpenApiSchema, form: DefinitionForm): void {
  if (form.version === 3 && name.endsWith('.Quantity')) {
    schema['oneOf'] = [{ type: 'string' }, { type: 'number' }];
  } else if (form.version === 3 && name.endsWith('.IntOrString')) {
    schema['format'] = 'int-or-string';
    schema['oneOf'] = [{ type: 'integer' }, { type: 'string' }];
  } else if (type !== '') {
    const [base, format] = type.split(':');
    schema['type'] = base;
    if (format) schema['format'] = format;
  }
}

function printUnion(text: string): OpenApiSchema {
  const [discriminator, ...pairs] = text.split(' ');
  return {
    ...(discriminator === '-' ? {} : { discriminator }),
    'fields-to-discriminateBy': Object.fromEntries(pairs.map((pair) => pair.split('='))),
  };
}

function printField(facts: FieldFacts, description: string | undefined, isRequired: boolean, form: DefinitionForm): OpenApiSchema {
  const schema = printType(facts.type, form);
  if (description) schema['description'] = description;
  if (form.version === 3) {
    const fallback = facts.default ?? (facts.isValue ? {} : isRequired && !facts.type.startsWith('#') ? zeroOf(facts.type) : undefined);
    if (fallback !== undefined) schema['default'] = fallback;
  }
  if (facts.listType && !facts.isUntyped) schema['x-kubernetes-list-type'] = facts.listType;
  if (facts.keys.length > 0) schema['x-kubernetes-list-map-keys'] = facts.keys;
  if (facts.strategy) schema['x-kubernetes-patch-strategy'] = facts.strategy;
  if (facts.patch?.mergeKey) schema['x-kubernetes-patch-merge-key'] = facts.patch.mergeKey;
  if (facts.mapType) schema['x-kubernetes-map-type'] = facts.mapType;
  return form.version === 3 ? wrapReference(schema) : schema;
}

/** In OpenAPI 3.0 a $ref hides its siblings. */
function wrapReference(schema: OpenApiSchema): OpenApiSchema {
  const { $ref, ...siblings } = schema;
  return $ref === undefined || Object.keys(siblings).length === 0 ? schema : { allOf: [{ $ref }], ...siblings };
}

const scalarTypes: Readonly<Record<string, OpenApiSchema>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  int32: { format: 'int32', type: 'integer' },
  int64: { format: 'int64', type: 'integer' },
  double: { format: 'double', type: 'number' },
  byte: { format: 'byte', type: 'string' },
};

function printType(type: string, form: DefinitionForm): OpenApiSchema {
  if (type.startsWith('#')) return { $ref: form.refPrefix + compiledModels().names[Number(type.slice(1))] };
  if (type.startsWith('[]')) return { items: printElement(type.slice(2), form), type: 'array' };
  if (type.startsWith('{}')) return { additionalProperties: printElement(type.slice(2), form), type: 'object' };
  return { ...scalarTypes[type] };
}

function printElement(type: string, form: DefinitionForm): OpenApiSchema {
  const schema = printType(type, form);
  const zero = form.version === 3 ? zeroOf(type) : undefined;
  return zero === undefined ? schema : wrapReference({ ...schema, default: zero });
}

/** What Go has where nothing was said; version 3 publishes it for elements and required fields. */
function zeroOf(type: string): unknown {
  if (type.startsWith('#')) return {};
  return { string: '', boolean: false, int32: 0, int64: 0, double: 0 }[type];
}

/**
 * The name under which a kind is published: a built-in's own, or for a custom resource its group turned round
 * (`com.example.stable.v1.CronTab`).
 */
export function definitionNameOf(group: string, version: string, kind: string): string {
  return builtInName(group, version, kind) ?? [...group.split('.').reverse(), version, kind].join('.');
}
