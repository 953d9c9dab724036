// Values against a structural schema, with the messages that Kubernetes' OpenAPI validation has. On update, what has not
// changed is not complained about again (KEP 4008).

import { isDeepStrictEqual } from 'node:util';
import { RE2JS } from 're2js';
import type { JsonSchema } from '../../api/apiextensions.ts';
import { duplicate, type FieldError, invalid, notSupported, required, tooLong, tooMany, typeInvalid } from '../../api/field-error.ts';
import { isWhole, stringifyJson } from '../../api/json.ts';
import { formatProblem } from './formats.ts';

type Json = Record<string, unknown>;

/** Problems of `value`, which stands at `at`; those that `old` already had in the same place, unchanged, are left out. */
export function validateValue(value: unknown, schema: JsonSchema, old?: unknown, at = ''): FieldError[] {
  const errors: FieldError[] = [];
  check(value, schema, at, old, errors);
  return errors;
}

function check(value: unknown, schema: JsonSchema, path: string, old: unknown, errors: FieldError[]): void {
  const found: FieldError[] = [];
  checkAll(value, schema, path, old, found);
  // A value that was there before and is the same may stay with all it holds, whatever the schema says now.
  if (found.length > 0 && !(old !== undefined && isDeepStrictEqual(old, value))) errors.push(...found);
}

function checkAll(value: unknown, schema: JsonSchema, path: string, old: unknown, errors: FieldError[]): void {
  if (value === null && (schema.nullable || (!schema.type && !schema['x-kubernetes-int-or-string']))) return;
  const own: FieldError[] = [];
  if (!checkType(value, schema, path, own)) {
    errors.push(...own);
    return;
  }
  if (typeof value === 'string') checkText(value, schema, path, own);
  else if (typeof value === 'number' || typeof value === 'bigint') checkNumber(value, schema, path, own);
  if (schema.enum && !schema.enum.some((choice) => isDeepStrictEqual(choice, value))) {
    own.push(
      notSupported(
        path,
        value,
        schema.enum.map((choice) => (typeof choice === 'string' ? choice : stringifyJson(choice))),
      ),
    );
  }
  checkJunctors(value, schema, path, own);
  if (Array.isArray(value)) checkItems(value, schema, path, { old, errors, own });
  else if (typeof value === 'object' && value !== null) checkFields(value as Json, schema, path, { old, errors, own });
  errors.push(...own);
}

interface Found {
  old: unknown;
  /** Of what is below, which decides for itself. */
  errors: FieldError[];
  /** Of the value itself. */
  own: FieldError[];
}

function checkItems(value: unknown[], schema: JsonSchema, path: string, { old, errors, own }: Found): void {
  const { items, minItems, maxItems } = schema;
  if (minItems !== undefined && value.length < minItems)
    own.push(invalid(path, value.length, `${path} in body should have at least ${minItems} items`));
  if (maxItems !== undefined && value.length > maxItems) own.push(tooMany(path, value.length, maxItems));
  if (!items) return;
  const before = Array.isArray(old) ? old : [];
  const keys = schema['x-kubernetes-list-type'] === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : undefined;
  for (let i = 0; i < value.length; i++) {
    const item = value[i];
    const match = keys ? before.find((candidate) => hasSameKeys(candidate, item, keys)) : undefined;
    check(item, items, `${path}[${i}]`, match, errors);
  }
}

/** Items of a map list are matched by their keys. */
export function hasSameKeys(a: unknown, b: unknown, keys: readonly string[]): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  return keys.every((key) => isDeepStrictEqual((a as Json)[key], (b as Json)[key]));
}

function checkFields(value: Json, schema: JsonSchema, path: string, { old, errors, own }: Found): void {
  const { properties, additionalProperties, minProperties, maxProperties } = schema;
  const count = Object.keys(value).length;
  if (minProperties !== undefined && count < minProperties)
    own.push(invalid(path, count, `${path} in body should have at least ${minProperties} properties`));
  if (maxProperties !== undefined && count > maxProperties) own.push(tooMany(path, count, maxProperties));
  for (const name of schema.required ?? []) if (!Object.hasOwn(value, name)) own.push(required(childPath(path, name)));
  const before = typeof old === 'object' && old !== null && !Array.isArray(old) ? (old as Json) : {};
  for (const name in value) {
    const property =
      (properties && Object.hasOwn(properties, name) ? properties[name] : undefined) ??
      (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    if (property) check(value[name], property, childPath(path, name), before[name], errors);
  }
}

const childPath = (path: string, name: string) => (path === '' ? name : `${path}.${name}`);

function checkType(value: unknown, schema: JsonSchema, path: string, errors: FieldError[]): boolean {
  const actual = typeOf(value);
  if (schema['x-kubernetes-int-or-string']) {
    if (actual === 'integer' || actual === 'string') return true;
    errors.push(wrongType(path, 'integer,string', actual));
    return false;
  }
  const wanted = schema.type;
  if (!wanted || wanted === actual || (wanted === 'number' && actual === 'integer')) return true;
  errors.push(wrongType(path, wanted, actual));
  return false;
}

function wrongType(path: string, wanted: string, actual: string): FieldError {
  return typeInvalid(path, actual, `${path} in body must be of type ${wanted}: ${JSON.stringify(actual)}`);
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (isWhole(value)) return 'integer';
  return typeof value;
}

function checkText(value: string, schema: JsonSchema, path: string, errors: FieldError[]): void {
  const { minLength, maxLength, pattern, format } = schema;
  if (maxLength !== undefined && lengthOf(value) > maxLength) errors.push(tooLong(path, maxLength));
  if (minLength !== undefined && lengthOf(value) < minLength)
    errors.push(invalid(path, value, `${path} in body should be at least ${minLength} chars long`));
  if (pattern !== undefined && !patternOf(pattern).test(value))
    errors.push(invalid(path, value, `${path} in body should match '${pattern}'`));
  if (format !== undefined && formatProblem(format, value))
    errors.push(typeInvalid(path, value, `${path} in body must be of type ${format}: ${JSON.stringify(value)}`));
}

/** Characters, as Unicode counts them. */
function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/** Exactly, where a number might be rounded to a multiple. */
function isMultiple(value: number | bigint, factor: number): boolean {
  return typeof value === 'bigint' && isWhole(factor) ? value % BigInt(factor) === 0n : Number.isInteger(Number(value) / factor);
}

function checkNumber(value: number | bigint, schema: JsonSchema, path: string, errors: FieldError[]): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const say = (what: string) => void errors.push(invalid(path, value, `${path} in body should be ${what}`));
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) say(`a multiple of ${multipleOf}`);
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum))
    say(`less than ${exclusiveMaximum ? '' : 'or equal to '}${maximum}`);
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum))
    say(`greater than ${exclusiveMinimum ? '' : 'or equal to '}${minimum}`);
  if (schema.type === 'integer' && schema.format === 'int32' && (Number(value) | 0) !== value)
    errors.push(invalid(path, value, `Checked value must be of type integer with format int32 in ${path}`));
}

const patterns = new Map<string, { test(text: string): boolean }>();
const patternsMax = 4096;

/** Patterns are RE2's, as Go's: they take time linear in the text. @throws when it is none */
export function patternOf(pattern: string): { test(text: string): boolean } {
  let found = patterns.get(pattern);
  if (!found) {
    const compiled = RE2JS.compile(pattern);
    found = { test: (text) => compiled.matcher(text).find() };
    if (patterns.size >= patternsMax) patterns.clear();
    patterns.set(pattern, found);
  }
  return found;
}

function checkJunctors(value: unknown, schema: JsonSchema, path: string, errors: FieldError[]): void {
  const { allOf, anyOf, oneOf, not } = schema;
  const failures = (branch: JsonSchema) => {
    const found: FieldError[] = [];
    check(value, branch, path, undefined, found);
    return found;
  };
  const whole = (message: string) => invalid('<nil>', '', `${JSON.stringify(path)} ${message}`);
  if (anyOf?.length) {
    const results = anyOf.map(failures);
    if (results.every((result) => result.length > 0)) errors.push(whole('must validate at least one schema (anyOf)'), ...bestOf(results));
  }
  if (oneOf?.length) {
    const results = oneOf.map(failures);
    const valid = results.filter((result) => result.length === 0).length;
    if (valid === 0) errors.push(whole('must validate one and only one schema (oneOf). Found none valid'), ...bestOf(results));
    else if (valid > 1) errors.push(whole(`must validate one and only one schema (oneOf). Found ${valid} valid alternatives`));
  }
  if (allOf?.length) {
    const failed = allOf.map(failures).filter((result) => result.length > 0);
    errors.push(...failed.flat());
    if (failed.length > 0)
      errors.push(whole(`must validate all the schemas (allOf)${failed.length === allOf.length ? '. None validated' : ''}`));
  }
  if (not && failures(not).length === 0) errors.push(whole('must not validate the schema (not)'));
}

const bestOf = (results: FieldError[][]) => results.reduce((best, result) => (result.length < best.length ? result : best));

/** Items that sets and map lists hold twice. */
export function validateListTypes(value: unknown, schema: JsonSchema, path = ''): FieldError[] {
  const errors: FieldError[] = [];
  if (Array.isArray(value)) {
    const listType = schema['x-kubernetes-list-type'];
    const seen = new Set<string>();
    value.forEach((item, i) => {
      const at = `${path}[${i}]`;
      if (listType === 'set' || listType === 'map') {
        const identity = listType === 'set' ? item : keysOf(item, schema);
        const text = canonical(identity);
        if (seen.has(text)) errors.push(duplicate(at, identity));
        seen.add(text);
      }
      if (schema.items) errors.push(...validateListTypes(item, schema.items, at));
    });
  } else if (typeof value === 'object' && value !== null) {
    const { additionalProperties: more } = schema;
    for (const [name, item] of Object.entries(value)) {
      const property = schema.properties?.[name] ?? (typeof more === 'object' ? more : undefined);
      if (property && typeof item === 'object') errors.push(...validateListTypes(item, property, childPath(path, name)));
    }
  }
  return errors;
}

function keysOf(item: unknown, schema: JsonSchema): unknown {
  const object = typeof item === 'object' && item !== null ? (item as Json) : {};
  return Object.fromEntries(
    (schema['x-kubernetes-list-map-keys'] ?? []).map((key) => [key, object[key] ?? schema.items?.properties?.[key]?.default]),
  );
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : typeof inner === 'bigint'
          ? JSON.rawJSON(String(inner))
          : inner,
    ) ?? 'null'
  );
}
