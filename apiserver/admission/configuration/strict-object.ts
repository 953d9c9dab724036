// Configuration objects of plug-ins: of a kind and version that the plug-in knows, with no field that it does not.

import { AdmissionConfigurationError } from '../plugin-order.ts';

/** What a field holds: `map` is of texts. */
export type Shape = 'string' | 'integer' | 'boolean' | 'map' | 'any' | readonly [Shape] | { readonly [field: string]: Shape };

export interface KnownKind {
  kind: string;
  group: string;
  /** The first is the newest. */
  versions: readonly string[];
  shape: { readonly [field: string]: Shape };
}

type Json = Readonly<Record<string, unknown>>;

/** The object, now known to be of the shape. @throws AdmissionConfigurationError */
export function strictObject(value: unknown, { kind, group, versions, shape }: KnownKind): Json {
  if (!isObject(value)) throw new AdmissionConfigurationError(`json: cannot unmarshal ${typeName(value)} into Go value of type ${kind}`);
  for (const [field, title] of [
    ['kind', 'Kind'],
    ['apiVersion', 'apiVersion'],
  ] as const) {
    if (typeof value[field] !== 'string' || value[field] === '')
      throw new AdmissionConfigurationError(`Object '${title}' is missing in '${JSON.stringify(value)}'`);
  }
  if (value['kind'] !== kind || !versions.some((version) => value['apiVersion'] === `${group}/${version}`))
    throw new AdmissionConfigurationError(`no kind "${value['kind']}" is registered for version "${value['apiVersion']}"`);
  const unknown: string[] = [];
  checkShape(value, { ...shape, kind: 'string', apiVersion: 'string' }, '', unknown);
  if (unknown.length)
    throw new AdmissionConfigurationError(`strict decoding error: ${unknown.map((path) => `unknown field "${path}"`).join(', ')}`);
  return value;
}

/** @throws AdmissionConfigurationError for a value of another type; unknown fields are gathered */
export function checkShape(value: unknown, shape: Shape, path: string, unknown: string[]): void {
  if (shape === 'any' || value === null || value === undefined) return;
  if (typeof shape === 'string') checkScalar(value, shape, path);
  else if (isList(shape)) {
    if (!Array.isArray(value)) throw wrongType(value, path, 'an array');
    for (const [index, item] of value.entries()) checkShape(item, shape[0], `${path}[${index}]`, unknown);
  } else {
    if (!isObject(value)) throw wrongType(value, path, 'an object');
    for (const field of Object.keys(value)) {
      const inner = path ? `${path}.${field}` : field;
      const known = shape[field];
      if (known === undefined) unknown.push(inner);
      else checkShape(value[field], known, inner, unknown);
    }
  }
}

function checkScalar(value: unknown, shape: string, path: string): void {
  if (shape === 'integer' ? !Number.isInteger(value) : shape === 'map' ? !isTextMap(value) : typeof value !== shape)
    throw wrongType(value, path, shape === 'map' ? 'a map of strings' : shape);
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);
const isTextMap = (value: unknown) => isObject(value) && Object.values(value).every((each) => typeof each === 'string');
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const typeName = (value: unknown) => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value);
const wrongType = (value: unknown, path: string, wanted: string) =>
  new AdmissionConfigurationError(`json: cannot unmarshal ${typeName(value)} into field ${path}: want ${wanted}`);
