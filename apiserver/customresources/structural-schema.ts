// The rules that a schema must keep to be structural, so that pruning and defaulting know what every field is.
// See https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema

import type { JsonSchema } from '../../api/apiextensions.ts';
import { type FieldError, forbidden, invalid, notSupported, required, typeInvalid } from '../../api/field-error.ts';
import { setDefaults } from './defaulting.ts';
import { FieldPathError, findField } from './field-path.ts';
import { patternOf, validateValue } from './validate-value.ts';

type Level = 'root' | 'item' | 'field';

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const unsupported = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'];
const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

/** Every problem of a version's schema that lies at `at`. */
export function validateStructuralSchema(schema: JsonSchema, at: string): FieldError[] {
  const errors: FieldError[] = [];
  if (schema.nullable) errors.push(forbidden(`${at}.nullable`, 'nullable cannot be true at the root'));
  node(schema, 'root', at, errors);
  return errors;
}

function node(schema: JsonSchema, level: Level, at: string, errors: FieldError[]): void {
  common(schema, at, errors);
  const { type } = schema;
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true;
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (isEmbedded && type !== 'object') {
    const why = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(type ? invalid(`${at}.type`, type, why) : required(`${at}.type`, why));
  } else if (!type && !isIntOrString && !preserves) {
    errors.push(required(`${at}.type`, typeWanted[level]));
  } else if (!type && level === 'root') errors.push(required(`${at}.type`, typeWanted.root));
  else if (type && isIntOrString) errors.push(invalid(`${at}.type`, type, 'must be empty if x-kubernetes-int-or-string is true'));
  if (level === 'root' && type && type !== 'object') errors.push(invalid(`${at}.type`, type, 'must be object at the root'));
  if (level === 'root' && schema.additionalProperties) errors.push(forbidden(`${at}.additionalProperties`, 'must not be used at the root'));
  if (isEmbedded && schema.additionalProperties)
    errors.push(forbidden(`${at}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set'));
  if (isEmbedded && !preserves && !schema.properties)
    errors.push(
      required(
        `${at}.properties`,
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ),
    );
  if (isIntOrString && preserves)
    errors.push(invalid(`${at}.x-kubernetes-preserve-unknown-fields`, true, 'must be false if x-kubernetes-int-or-string is true'));
  if (isIntOrString && isEmbedded)
    errors.push(invalid(`${at}.x-kubernetes-embedded-resource`, true, 'must be false if x-kubernetes-int-or-string is true'));
  if (type === 'array' && !schema.items) errors.push(required(`${at}.items`, 'must be specified'));
  if (level === 'root' || isEmbedded) resourceFields(schema, at, errors);
  lists(schema, at, errors);
  rules(schema, at, errors);
  if (schema.default !== undefined) defaults(schema, at, errors);
  for (const [name, property] of Object.entries(schema.properties ?? {})) node(property, 'field', `${at}.properties[${name}]`, errors);
  if (schema.items && !Array.isArray(schema.items)) node(schema.items, 'item', `${at}.items`, errors);
  const { additionalProperties: more } = schema;
  if (typeof more === 'object') node(more, 'field', `${at}.additionalProperties`, errors);
  junctors(schema, at, errors);
}

const typeWanted: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

/** What holds at every level, in junctors too. */
function common(schema: JsonSchema, at: string, errors: FieldError[]): void {
  const { type, pattern } = schema;
  if (type === 'null') errors.push(forbidden(`${at}.type`, 'type cannot be set to null, use nullable as an alternative'));
  else if (type && !types.includes(type)) errors.push(notSupported(`${at}.type`, type, types));
  for (const word of unsupported) {
    if ((schema as Record<string, unknown>)[word]) errors.push(forbidden(`${at}.${word}`, `${word} is not supported`));
  }
  if (schema.uniqueItems)
    errors.push(forbidden(`${at}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'));
  if (Array.isArray(schema.items)) errors.push(forbidden(`${at}.items`, 'items must be a schema object and not an array'));
  if (schema.additionalProperties && Object.keys(schema.properties ?? {}).length > 0)
    errors.push(forbidden(`${at}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    errors.push(invalid(`${at}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  if (pattern === undefined) return;
  try {
    patternOf(pattern);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    errors.push(invalid(`${at}.pattern`, pattern, `must be a valid regular expression, but isn't: ${why}`));
  }
}

function resourceFields({ properties }: JsonSchema, at: string, errors: FieldError[]): void {
  for (const name of ['apiVersion', 'kind']) {
    const type = properties?.[name]?.type;
    if (type && type !== 'string') errors.push(invalid(`${at}.properties[${name}].type`, type, 'must be string'));
  }
  const metadata = properties?.['metadata'];
  if (!metadata) return;
  if (metadata.type !== 'object') errors.push(invalid(`${at}.properties[metadata].type`, metadata.type ?? '', 'must be object'));
  const allowed = ['type', 'description', 'properties', 'nullable'];
  const isPlain =
    Object.keys(metadata).every((key) => allowed.includes(key)) &&
    Object.keys(metadata.properties ?? {}).every((key) => key === 'name' || key === 'generateName');
  if (!isPlain)
    errors.push(
      forbidden(
        `${at}.properties[metadata]`,
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      ),
    );
}

function lists(schema: JsonSchema, at: string, errors: FieldError[]): void {
  const listType = schema['x-kubernetes-list-type'];
  const mapType = schema['x-kubernetes-map-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const { items } = schema;
  wantsType(schema, mapType, 'object', 'x-kubernetes-map-type', at, errors);
  wantsType(schema, listType, 'array', 'x-kubernetes-list-type', at, errors);
  if (mapType !== undefined && mapType !== 'atomic' && mapType !== 'granular')
    errors.push(notSupported(`${at}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
  if (listType !== undefined && !['atomic', 'set', 'map'].includes(listType))
    errors.push(notSupported(`${at}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']));
  if (keys.length > 0 && listType !== 'map') {
    const why = 'must be map if x-kubernetes-list-map-keys is non-empty';
    errors.push(
      listType === undefined ? required(`${at}.x-kubernetes-list-type`, why) : invalid(`${at}.x-kubernetes-list-type`, listType, why),
    );
  }
  if ((listType === 'map' || listType === 'set') && items?.nullable)
    errors.push(forbidden(`${at}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`));
  if (listType === 'set' && items) {
    const why = 'must be atomic as item of a list with x-kubernetes-list-type=set';
    if (items.type === 'array' && (items['x-kubernetes-list-type'] ?? 'atomic') !== 'atomic')
      errors.push(invalid(`${at}.items.x-kubernetes-list-type`, items['x-kubernetes-list-type'], why));
    if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic')
      errors.push(invalid(`${at}.items.x-kubernetes-map-type`, items['x-kubernetes-map-type'] ?? null, why));
  }
  if (listType === 'map') mapList(schema, keys, at, errors);
}

function wantsType(schema: JsonSchema, said: string | undefined, type: string, extension: string, at: string, errors: FieldError[]): void {
  if (said === undefined || schema.type === type) return;
  const why = `must be ${type} if ${extension} is specified`;
  errors.push(schema.type ? invalid(`${at}.type`, schema.type, why) : required(`${at}.type`, why));
}

function mapList(schema: JsonSchema, keys: readonly string[], at: string, errors: FieldError[]): void {
  const { items } = schema;
  const listKeys = `${at}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) errors.push(required(listKeys, 'must not be empty if x-kubernetes-list-type is map'));
  if (!items) {
    errors.push(required(`${at}.items`, 'must have a schema if x-kubernetes-list-type is map'));
    return;
  }
  if (items.type !== 'object')
    errors.push(invalid(`${at}.items.type`, items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map"));
  if (new Set(keys).size < keys.length) errors.push(invalid(listKeys, keys, 'must not contain duplicate entries'));
  for (const key of keys) {
    const property = items.properties?.[key];
    const each = `${at}.items.properties[${key}]`;
    if (!property) errors.push(invalid(listKeys, keys, 'entries must all be names of item properties'));
    else if (property.type === 'array' || property.type === 'object')
      errors.push(invalid(`${each}.type`, items.type, "must be a scalar type if parent array's x-kubernetes-list-type is map"));
    else {
      if (property.default === undefined && !items.required?.includes(key))
        errors.push(
          required(
            `${each}.default`,
            'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
          ),
        );
      if (property.nullable)
        errors.push(forbidden(`${each}.nullable`, 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'));
    }
  }
}

function rules(schema: JsonSchema, at: string, errors: FieldError[]): void {
  schema['x-kubernetes-validations']?.forEach(({ rule, message, messageExpression, reason, fieldPath }, i) => {
    const each = `${at}.x-kubernetes-validations[${i}]`;
    if (!rule?.trim()) errors.push(required(`${each}.rule`, 'rule is not specified'));
    if (message !== undefined && !message.trim()) errors.push(invalid(`${each}.message`, message, 'must be non-empty if specified'));
    else if (message?.includes('\n')) errors.push(invalid(`${each}.message`, message, 'must not contain line breaks'));
    else if (message === undefined && rule?.trim().includes('\n'))
      errors.push(required(`${each}.message`, 'message must be specified if rule contains line breaks'));
    if (messageExpression !== undefined && !messageExpression.trim())
      errors.push(required(`${each}.messageExpression`, 'messageExpression must be non-empty if specified'));
    if (reason !== undefined && !reasons.includes(reason)) errors.push(notSupported(`${each}.reason`, reason, reasons));
    if (fieldPath === undefined || fieldPath === '') return;
    if (!fieldPath.trim()) errors.push(invalid(`${each}.fieldPath`, fieldPath, 'must be non-empty if specified'));
    if (/[\r\n]/.test(fieldPath)) errors.push(invalid(`${each}.fieldPath`, fieldPath, 'must not contain line breaks'));
    if (!isFieldPath(fieldPath, schema)) errors.push(invalid(`${each}.fieldPath`, fieldPath, 'must be a valid path'));
  });
}

function isFieldPath(path: string, schema: JsonSchema): boolean {
  try {
    findField(path, schema);
    return true;
  } catch (error) {
    if (error instanceof FieldPathError) return false;
    throw error;
  }
}

/** A default must itself be what the schema asks for. */
function defaults(schema: JsonSchema, at: string, errors: FieldError[]): void {
  const value = structuredClone(schema.default);
  setDefaults(value, schema);
  for (const { field, ...problem } of validateValue(value, schema)) {
    const where = field === '' || field === '<nil>' ? `${at}.default` : `${at}.default.${field}`;
    errors.push({ ...problem, field: where, message: problem.message.replace(`: ${field} in body`, `: ${where} in body`) });
  }
  if (schema.default === null && !schema.nullable)
    errors.push(typeInvalid(`${at}.default`, null, 'must be nullable to have null as its default'));
}

const emptyInJunctors: [string, string][] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
];

function junctors(schema: JsonSchema, at: string, errors: FieldError[]): void {
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true;
  for (const word of ['allOf', 'anyOf', 'oneOf'] as const) {
    schema[word]?.forEach((branch, i) => void nested(branch, schema, `${at}.${word}[${i}]`, isIntOrString, errors));
  }
  if (schema.not) nested(schema.not, schema, `${at}.not`, false, errors);
}

/** A branch may only restrict what the structure around it names. `mayType`: an int-or-string's own alternatives. */
function nested(branch: JsonSchema, around: JsonSchema | undefined, at: string, mayType: boolean, errors: FieldError[]): void {
  common(branch, at, errors);
  for (const [word, why] of emptyInJunctors) {
    if (mayType && word === 'type') continue;
    const value = (branch as Record<string, unknown>)[word];
    if (value !== undefined && value !== false && value !== '') errors.push(forbidden(`${at}.${word}`, why));
  }
  if (branch.properties?.['metadata']) errors.push(forbidden(`${at}.properties[metadata]`, 'must not be specified in a nested context'));
  for (const [name, property] of Object.entries(branch.properties ?? {})) {
    if (
      around &&
      !around.properties?.[name] &&
      typeof around.additionalProperties !== 'object' &&
      !around['x-kubernetes-preserve-unknown-fields']
    )
      errors.push(
        required(
          at.replace(/\.(allOf|anyOf|oneOf|not)(\[\d+\])?$/, `.properties[${name}]`),
          `because it is defined in ${at}.properties[${name}]`,
        ),
      );
    const inner =
      around?.properties?.[name] ?? (typeof around?.additionalProperties === 'object' ? around.additionalProperties : undefined);
    nested(property, inner, `${at}.properties[${name}]`, false, errors);
  }
  if (branch.items) nested(branch.items, around?.items, `${at}.items`, false, errors);
  for (const word of ['allOf', 'anyOf', 'oneOf'] as const) {
    branch[word]?.forEach((inner, i) => void nested(inner, around, `${at}.${word}[${i}]`, mayType, errors));
  }
  if (branch.not) nested(branch.not, around, `${at}.not`, false, errors);
}
