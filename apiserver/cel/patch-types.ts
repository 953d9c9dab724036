// What mutations make: `Object{...}`, `Object.spec{...}` and `JSONPatch{...}`, and the JSON they stand for
// (k8s.io/apiserver/pkg/cel/mutation).

import { wireInteger } from '../../api/json.ts';
import { CelError } from './cel-error.ts';
import { entriesOf, mapOf } from './map-values.ts';
import { type CelType, dynType, stringType, structType } from './types.ts';
import { CelTimestamp, CelUint } from './values.ts';

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

/** What `Name{...}` makes of its fields. */
export function structValue(name: string, given: ReadonlyMap<string, unknown>): ObjectValue | JsonPatchValue {
  const fields: Record<string, unknown> = {};
  for (const [field, value] of given) define(fields, field, value);
  return name === 'JSONPatch' ? new JsonPatchValue(fields) : new ObjectValue(name, fields);
}

/** Present among the variables where mutations may make their patches. */
export const patchTypesVariable = '@patch types';

const patchFields: Readonly<Record<string, CelType>> = { op: stringType, from: stringType, path: stringType, value: dynType };

/** The type that a name before braces stands for, where there are `variables`. */
export function constructible(name: string, variables: ReadonlyMap<string, CelType>): CelType | undefined {
  if (!variables.has(patchTypesVariable)) return undefined;
  if (name === 'JSONPatch') return structType(name, (field) => patchFields[field]);
  return /^Object(\.\w+)*$/.test(name) ? structType(name, () => dynType) : undefined;
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
    else for (const [, item] of entriesIn(each)) visit(item, path);
  };
  if (value instanceof ObjectValue) visit(value, value.typeName);
  return found;
}

function entriesIn(value: unknown): [unknown, unknown][] {
  const map = mapOf(value);
  return map ? entriesOf(map) : [];
}

/** The JSON of what an expression made. @throws CelError for what is none */
export function plainJson(value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return wireInteger(value);
  if (Array.isArray(value)) return value.map(plainJson);
  if (value instanceof ObjectValue || value instanceof JsonPatchValue) return jsonOf(Object.entries(value.fields));
  if (value instanceof CelTimestamp) return String(value);
  if (value instanceof CelUint) return Number(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  const map = mapOf(value);
  if (map) return jsonOf(entriesOf(map));
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
