// JSON as expressions see it: whole numbers, fractions, times and durations by the schema's types, names that expressions can spell, and
// lists that compare as their type says. Everything is converted when it is first asked for: rules mostly look at little of an object.

import type { JsonSchema } from '../../api/apiextensions.ts';
import { isWhole } from '../../api/json.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { CelError } from '../cel/cel-error.ts';
import { areEqual } from '../cel/equality.ts';
import { MapList, SetList } from '../cel/list-values.ts';
import { asMapValue, type MapValue, mapOf } from '../cel/map-values.ts';
import { CelDuration, CelTimestamp, parseDuration, parseTimestamp } from '../cel/values.ts';
import { goTypeOf } from './go-type.ts';

type Json = Record<string, unknown>;

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);

/** A property's name as rules write it. */
export function escapeName(name: string): string {
  if (reserved.has(name)) return `__${name}__`;
  return name.replace(/__|[.\-/]/g, (part) => escapes[part] ?? part);
}

const escapes: Readonly<Record<string, string>> = { __: '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' };
const text: JsonSchema = { type: 'string' };
const resourceNames: Record<string, JsonSchema> = {
  apiVersion: text,
  kind: text,
  metadata: { type: 'object', properties: { name: text, generateName: text } },
};
const resources = new WeakMap<JsonSchema, JsonSchema>();

/** The schema of a resource with its type and names, unless it says all of them itself. */
export function resourceSchema(schema: JsonSchema): JsonSchema {
  const { kind, apiVersion, metadata } = schema.properties ?? {};
  if (kind?.type === 'string' && apiVersion?.type === 'string' && metadata?.type === 'object' && metadata.properties) return schema;
  let found = resources.get(schema);
  if (!found) {
    const { additionalProperties: _, ...rest } = schema;
    found = { ...rest, properties: { ...schema.properties, ...resourceNames } };
    resources.set(schema, found);
  }
  return found;
}

/**
 * Of a resource's metadata only its names are seen. Without a schema everything is seen as it is written.
 * @throws CelError for what is not of the schema's type
 */
export function celValue(value: unknown, schema: JsonSchema | undefined, isResource = false): unknown {
  if (schema) checkData(value, schema);
  switch (typeof value) {
    case 'number':
      return schema?.type !== 'number' && isWhole(value) ? BigInt(value) : value;
    case 'bigint':
      return schema?.type === 'number' ? Number(value) : value;
    case 'string':
      return textValue(value, schema);
    case 'object':
      if (value === null) return null;
      return Array.isArray(value)
        ? listValue(value, schema)
        : new JsonMap(value as Json, schema && (isResource || schema['x-kubernetes-embedded-resource']) ? resourceSchema(schema) : schema);
    default:
      return value;
  }
}

const goNames: Readonly<Record<string, string>> = {
  string: 'invalid data, expected string, got',
  number: 'invalid data, expected float, got',
  integer: 'invalid data, expected int, got',
  boolean: 'invalid data, expected bool, got',
};

/** What was let in under another schema may be of another type. @throws CelError */
function checkData(value: unknown, schema: JsonSchema): void {
  const { type } = schema;
  const refuse = (why: string) => new CelError(`invalid data, ${why}`);
  if (value === null) {
    if (!schema.nullable && (type || schema['x-kubernetes-int-or-string'])) throw refuse('got null for schema with nullable=false');
    return;
  }
  if (schema['x-kubernetes-int-or-string']) {
    if (typeof value !== 'string' && !isWhole(value)) throw refuse('expected XIntOrString value to be either a string or integer');
    return;
  }
  if (!type) return;
  const actual = Array.isArray(value) ? 'array' : isWhole(value) ? 'integer' : typeof value;
  if (actual === type || (type === 'number' && actual === 'integer')) return;
  if (type === 'object') throw refuse('expected a map for the provided schema with type=object');
  if (type === 'array') throw refuse('expected an array for the provided schema with type=array');
  throw new CelError(`${goNames[type] ?? 'invalid data, got'} ${goTypeOf(value)}`);
}

function listValue(items: readonly unknown[], schema: JsonSchema | undefined): unknown[] {
  const values = items.map((item) => celValue(item, schema?.items));
  switch (schema?.['x-kubernetes-list-type']) {
    case 'set': {
      const set = new SetList();
      for (const value of values) set.push(value);
      return set;
    }
    case 'map':
      return MapList.keyedBy((schema['x-kubernetes-list-map-keys'] ?? []).map(escapeName), values);
    default:
      return values;
  }
}

/** The properties of a schema by the names that rules use. */
const namesOf = new WeakMap<JsonSchema, ReadonlyMap<string, string>>();

function propertyNamed(schema: JsonSchema, escaped: string): string | undefined {
  let names = namesOf.get(schema);
  if (!names) {
    names = new Map(Object.keys(schema.properties ?? {}).map((name) => [escapeName(name), name]));
    namesOf.set(schema, names);
  }
  // A name that is a reserved word may be written as it is, too.
  return names.get(escaped) ?? (reserved.has(escaped) ? names.get(`__${escaped}__`) : undefined);
}

/** An object of a schema: its fields, or the entries of a map. */
class JsonMap implements MapValue {
  readonly [asMapValue] = true;
  readonly #json: Json;
  readonly #schema: JsonSchema | undefined;
  readonly #found = new Map<string, { value: unknown } | undefined>();

  constructor(json: Json, schema: JsonSchema | undefined) {
    this.#json = json;
    this.#schema = schema;
  }

  get size(): number {
    return Object.keys(this.#json).length;
  }

  find(key: unknown): { value: unknown } | undefined {
    if (typeof key !== 'string') return undefined;
    if (this.#found.has(key)) return this.#found.get(key);
    const found = this.#convert(key);
    this.#found.set(key, found);
    return found;
  }

  #convert(key: string): { value: unknown } | undefined {
    const place = this.#placeOf(key);
    if (!place || !Object.hasOwn(this.#json, place.name)) return undefined;
    const value = this.#json[place.name];
    // A field that is null counts as absent; an entry of a map does not.
    if (value === undefined || (value === null && place.isField)) return undefined;
    return { value: celValue(value, place.schema) };
  }

  /** Where an entry lies, and what it is; undefined for what rules cannot see. */
  #placeOf(key: string): { name: string; schema: JsonSchema | undefined; isField: boolean } | undefined {
    const schema = this.#schema;
    if (!schema) return { name: key, schema: undefined, isField: false };
    const name = propertyNamed(schema, key);
    if (name !== undefined) return { name, schema: schema.properties?.[name], isField: true };
    return typeof schema.additionalProperties === 'object' ? { name: key, schema: schema.additionalProperties, isField: false } : undefined;
  }

  *keys(): Iterable<string> {
    for (const name of Object.keys(this.#json)) {
      const isProperty = this.#schema?.properties && Object.hasOwn(this.#schema.properties, name);
      const key = isProperty ? escapeName(name) : name;
      if (this.find(key)) yield key;
    }
  }

  /** What rules cannot see counts, too. */
  equals(other: unknown): boolean {
    if (!(other instanceof JsonMap)) return this.#equalsMap(other);
    if (other.size !== this.size) return false;
    return Object.entries(this.#json).every(([name, value]) => {
      const isProperty = this.#schema?.properties && Object.hasOwn(this.#schema.properties, name);
      const key = isProperty ? escapeName(name) : name;
      if (!this.#placeOf(key)) return !Object.hasOwn(other.#json, name) || semanticEqual(value as object, other.#json[name] as object);
      const [left, right] = [this.find(key), other.find(key)];
      return left && right ? areEqual(left.value, right.value) : left === right;
    });
  }

  #equalsMap(other: unknown): boolean {
    const map = mapOf(other);
    if (!map || map.size !== this.size) return false;
    for (const key of this.keys()) {
      const found = map.find(key);
      if (!found || !areEqual(this.find(key)?.value, found.value)) return false;
    }
    return true;
  }
}

function textValue(value: string, schema: JsonSchema | undefined): unknown {
  switch (schema?.format?.replaceAll('-', '')) {
    case 'datetime':
    case 'date':
      return timeOf(value) ?? value;
    case 'byte':
      return new Uint8Array(Buffer.from(value, 'base64'));
    case 'duration':
      return parseDuration(value) ?? spelledDuration(value) ?? value;
    default:
      return value;
  }
}

function timeOf(value: string): CelTimestamp | undefined {
  const exact = parseTimestamp(value);
  if (exact) return exact;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : CelTimestamp.ofMs(ms);
}

const unitSeconds: readonly (readonly [unit: RegExp, seconds: number])[] = [
  [/^(ns|nano)$/, 1e-9],
  [/^(us|µs|micro)$/, 1e-6],
  [/^(ms|milli)$/, 1e-3],
  [/^(s|sec|seconds?)$/, 1],
  [/^(m|min|minutes?)$/, 60],
  [/^(h|hr|hours?)$/, 3600],
  [/^(d|days?)$/, 86_400],
  [/^(w|wk|weeks?)$/, 604_800],
];

/** `3 days` */
function spelledDuration(value: string): CelDuration | undefined {
  const [, count, unit = ''] = /^(\d+) *([a-zµ]+)$/.exec(value) ?? [];
  const seconds = unitSeconds.find(([pattern]) => pattern.test(unit))?.[1];
  if (count === undefined || seconds === undefined) return undefined;
  return new CelDuration(BigInt(count) * BigInt(Math.round(seconds * 1e9)));
}
