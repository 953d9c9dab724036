// Validation problems with their field path, worded as k8s.io/apimachinery/pkg/util/validation/field words
// them; every problem of an object is reported, not the first.

import { stringifyJson } from './json.ts';

export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'InternalError'
  | 'FieldValueTypeInvalid';

export interface FieldError {
  /** Also the cause's `reason`. */
  type: FieldErrorType;
  /** `spec.containers[0].name` */
  field: string;
  /** The cause's `message`: without the field path. */
  message: string;
}

/** A field path being built: `path('spec').child('containers').index(0)`. Immutable. */
export class FieldPath {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  child(...names: string[]): FieldPath {
    return new FieldPath([this.#text, ...names].filter((part) => part !== '').join('.'));
  }
  index(index: number): FieldPath {
    return new FieldPath(`${this.#text}[${index}]`);
  }
  key(key: string): FieldPath {
    return new FieldPath(`${this.#text}[${key}]`);
  }
  toString(): string {
    return this.#text;
  }
}

export function path(...names: string[]): FieldPath {
  return new FieldPath(names.join('.'));
}

type At = FieldPath | string;

const make = (type: FieldErrorType, at: At, head: string, detail = ''): FieldError => ({
  type,
  field: String(at),
  message: detail ? `${head}: ${detail}` : head,
});

export function required(at: At, detail = ''): FieldError {
  return make('FieldValueRequired', at, 'Required value', detail);
}
export function invalid(at: At, value: unknown, detail = ''): FieldError {
  return make('FieldValueInvalid', at, `Invalid value: ${shown(value)}`, detail);
}
export function typeInvalid(at: At, value: unknown, detail = ''): FieldError {
  return make('FieldValueTypeInvalid', at, `Invalid value: ${shown(value)}`, detail);
}
export function duplicate(at: At, value: unknown): FieldError {
  return make('FieldValueDuplicate', at, `Duplicate value: ${shown(value)}`);
}
export function forbidden(at: At, detail = ''): FieldError {
  return make('FieldValueForbidden', at, 'Forbidden', detail);
}
export function notFound(at: At, value: unknown): FieldError {
  return make('FieldValueNotFound', at, `Not found: ${shown(value)}`);
}
/** `supported` is listed in the order given, as Kubernetes does after sorting it itself. */
export function notSupported(at: At, value: unknown, supported: readonly string[]): FieldError {
  const detail = supported.length ? `supported values: ${supported.map((s) => JSON.stringify(s)).join(', ')}` : '';
  return make('FieldValueNotSupported', at, `Unsupported value: ${shown(value)}`, detail);
}
export function tooLong(at: At, maxLength: number): FieldError {
  return make('FieldValueTooLong', at, 'Too long', `may not be more than ${maxLength} ${maxLength === 1 ? 'byte' : 'bytes'}`);
}
export function tooMany(at: At, actual: number, max: number): FieldError {
  return make('FieldValueTooMany', at, `Too many: ${actual}`, `must have at most ${max} item${max === 1 ? '' : 's'}`);
}

/** Go prints strings quoted and structures as JSON, whose encoder escapes what HTML would trip over. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  const text = stringifyJson(value);
  return typeof value === 'object' ? text.replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`) : text;
}
