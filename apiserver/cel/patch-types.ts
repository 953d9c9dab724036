// What mutations make: `Object{...}`, `Object.spec{...}` and `JSONPatch{...}`, and the JSON they stand for
// (k8s.io/apiserver/pkg/cel/mutation).

import { type Environment, Optional } from '@marcbachmann/cel-js';
import { CelError } from './cel-error.ts';
import { constructorCall } from './constructors.ts';

/** A value made by `Object...{...}`. */
export class ObjectValue {
  /** `Object.spec`: where its fields are meant to stand. */
  readonly typeName: string;
  readonly fields: Readonly<Record<string, unknown>>;
  constructor(typeName: string, fields: Readonly<Record<string, unknown>>) {
    this.typeName = typeName;
    this.fields = fields;
  }
}

/** One operation made by `JSONPatch{...}`. */
export class JsonPatchValue {
  readonly fields: Readonly<Record<string, unknown>>;
  constructor(fields: Readonly<Record<string, unknown>>) {
    this.fields = fields;
  }
}

/** Declares what rewritten constructors call. */
export function registerPatchTypes(environment: Environment): void {
  environment.registerType('kubernetes.mutation.Object', { ctor: ObjectValue });
  environment.registerType('kubernetes.mutation.JSONPatch', { ctor: JsonPatchValue });
  environment.registerFunction(`${constructorCall}(string, list): dyn`, (name: string, entries: Entries) =>
    name === 'JSONPatch' ? new JsonPatchValue(fieldsOf(entries)) : new ObjectValue(name, fieldsOf(entries)),
  );
}

type Entries = readonly (readonly [string, unknown])[];

function fieldsOf(entries: Entries): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    if (!name.startsWith('?')) define(fields, name, value);
    else if (!(value instanceof Optional)) throw new CelError(`cannot initialize optional entry '${name.slice(1)}' from non-optional`);
    else if (value.hasValue()) define(fields, name.slice(1), value.value());
  }
  return fields;
}

function define(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Whatever stands where another type's fields are meant to stand, in the order it is written. */
export function typeMismatches(value: unknown): string[] {
  const found: string[] = [];
  const visit = (each: unknown, path: string) => {
    if (each instanceof ObjectValue) {
      if (each.typeName !== path) {
        const wanted = `expected "${path}", which matches field name path from root Object type`;
        found.push(`unexpected type name "${each.typeName}", ${wanted}`);
      }
      for (const [name, field] of Object.entries(each.fields)) visit(field, `${path}.${name}`);
    } else if (Array.isArray(each)) for (const item of each) visit(item, path);
    else if (isPlainMap(each)) for (const item of each instanceof Map ? each.values() : Object.values(each)) visit(item, path);
  };
  if (value instanceof ObjectValue) visit(value, value.typeName);
  return found;
}

const isPlainMap = (value: unknown): value is object =>
  value instanceof Map || (typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value)));

/** The JSON of what an expression made. @throws CelError for what is none */
export function plainJson(value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plainJson);
  if (value instanceof ObjectValue || value instanceof JsonPatchValue) return jsonOf(Object.entries(value.fields));
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (isPlainMap(value)) return jsonOf(value instanceof Map ? [...value] : Object.entries(value));
  const text = typeof value === 'object' ? value.valueOf() : undefined;
  if (typeof text === 'bigint') return Number(text);
  throw new CelError('evaluated to a type that could not marshal to JSON');
}

function jsonOf(entries: readonly (readonly [unknown, unknown])[]): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    if (typeof name !== 'string') throw new CelError(`map key ${JSON.stringify(String(name))} is not a string`);
    define(json, name, plainJson(value));
  }
  return json;
}
