// Fits a parsed body to a schema in one walk, in place: types are checked with Go's messages, values brought to their
// wire form (quantities, times), nulls and unknown fields taken out, and the unknown ones named.

import { isWhole, stringifyJson } from '../../api/json.ts';
import { formatQuantity, parseQuantity, QuantityError } from '../../api/quantity.ts';
import { NumberLiteral } from './json-scan.ts';
import type { AnyNode, ListNode, MapNode, ObjectNode, ScalarNode, SchemaNode } from './node.ts';
import { canonicalTime, TimeError } from './wire-time.ts';

/** The body does not fit its kind; the message is Go's. */
export class DecodeError extends Error {
  override name = 'DecodeError';
}

type Json = Record<string, unknown>;

/** Go stops collecting there too. */
const strictErrorsMax = 100;
/** How deep a body may nest. Beyond it nothing in Kubernetes' API has a meaning. */
export const depthMax = 1000;

export interface CheckResult {
  /** `unknown field "spec.foo"`, in the order of the body; of a custom resource as Kubernetes finds them: its metadata's, its own, its parts'. */
  unknownFields: string[];
}

/**
 * Fits `object` to `schema`, in place.
 * @throws DecodeError for the first value of a wrong type
 */
export function checkBody(object: Json, schema: ObjectNode): CheckResult {
  const walk = new Walk();
  walk.object(object, schema, 0);
  if (walk.typeError !== undefined) throw new DecodeError(walk.typeError);
  return { unknownFields: schema.isCustom ? walk.unknownInOrder() : walk.unknownFields };
}

class Walk {
  /** Names and indexes down to the value at hand; entries beyond its depth are stale. */
  readonly #path: (string | number)[] = [];
  /** For each depth the object node whose field stands in the path there, if it is a field. */
  readonly #owners: (ObjectNode | undefined)[] = [];
  /** For each depth the object at hand. */
  readonly #values: unknown[] = [];
  readonly unknownFields: string[] = [];
  /** Of custom resources: those in metadata, of the resource and of resources within it. */
  readonly #unknownMetadata: string[] = [];
  readonly #unknownWithin: string[] = [];
  /** Go goes on after a wrong type and reports the first. */
  typeError: string | undefined;

  object(value: Json, node: ObjectNode, depth: number): void {
    if (depth > depthMax) throw new DecodeError('exceeded max depth');
    const { fields } = node;
    this.#owners[depth] = node;
    this.#values[depth] = value;
    for (const key in value) {
      const field = fields.get(key);
      this.#path[depth] = key;
      if (field === undefined) {
        if (node.preservesUnknown) {
          setOwn(value, key, plainNumbers(value[key], depth + 1));
          continue;
        }
        this.#unknown(depth);
        delete value[key];
        continue;
      }
      const before = value[key];
      if (before === null && !field.nullable) {
        delete value[key];
        continue;
      }
      const after = this.#value(before, field, depth + 1);
      if (after !== before) value[key] = after;
    }
  }

  #value(value: unknown, node: SchemaNode, depth: number): unknown {
    switch (node.type) {
      case 'scalar':
        return this.#scalar(value, node, depth);
      case 'object':
        if (!isObject(value)) return this.#wrong(value, node, depth);
        this.object(value, node, depth);
        return value;
      case 'list':
        return this.#list(value, node, depth);
      case 'map':
        return this.#map(value, node, depth);
      case 'any':
        return this.#any(value, node, depth);
    }
  }

  #list(value: unknown, node: ListNode, depth: number): unknown {
    if (!Array.isArray(value)) return this.#wrong(value, node, depth);
    this.#owners[depth] = undefined;
    for (let i = 0; i < value.length; i++) {
      this.#path[depth] = i;
      const before: unknown = value[i];
      const after = before === null ? zeroOf(node.item) : this.#value(before, node.item, depth + 1);
      if (after !== before) value[i] = after;
    }
    return value;
  }

  #map(value: unknown, node: MapNode, depth: number): unknown {
    if (!isObject(value)) return this.#wrong(value, node, depth);
    this.#owners[depth] = undefined;
    for (const key in value) {
      this.#path[depth] = key;
      const before = value[key];
      const after = before === null ? zeroOf(node.value) : this.#value(before, node.value, depth + 1);
      if (after !== before) setOwn(value, key, after);
    }
    return value;
  }

  #any(value: unknown, node: AnyNode, depth: number): unknown {
    if (node.mustBeObject && !isObject(value)) return this.#wrong(value, node, depth);
    return plainNumbers(value, depth);
  }

  #scalar(value: unknown, node: ScalarNode, depth: number): unknown {
    switch (node.scalar) {
      case 'string':
        return typeof value === 'string' ? value : this.#wrong(value, node, depth);
      case 'boolean':
        return typeof value === 'boolean' ? value : this.#wrong(value, node, depth);
      case 'int32':
        return typeof value === 'number' && (value | 0) === value ? value : this.#wrong(value, node, depth, true);
      case 'int64':
        return isWhole(value) ? value : this.#wrong(value, node, depth, true);
      case 'double':
        if (value instanceof NumberLiteral) return Number(value.source);
        if (typeof value === 'bigint') return Number(value);
        return typeof value === 'number' ? value : this.#wrong(value, node, depth);
      case 'byte':
        return this.#bytes(value, node, depth);
      case 'quantity':
        return canonicalQuantity(value);
      case 'time':
      case 'microTime':
        return this.#time(value, node, depth);
      case 'intOrString':
        if (typeof value === 'string' || (typeof value === 'number' && (value | 0) === value)) return value;
        return this.#wrong(value, node.isCustom ? node : int32, depth, true);
    }
  }

  #bytes(value: unknown, node: ScalarNode, depth: number): unknown {
    if (typeof value !== 'string') return this.#wrong(value, node, depth);
    const bad = base64Error(value);
    if (bad >= 0) this.typeError ??= `illegal base64 data at input byte ${bad}`;
    return value;
  }

  #time(value: unknown, node: ScalarNode, depth: number): unknown {
    if (typeof value !== 'string') return this.#wrong(value, { ...node, goType: 'string' }, depth);
    try {
      return canonicalTime(value, node.scalar === 'time' ? 'time' : 'microTime');
    } catch (error) {
      if (error instanceof TimeError) throw new DecodeError(error.message);
      throw error;
    }
  }

  /** `isInteger`: Go then shows the number itself. */
  #wrong(value: unknown, node: SchemaNode, depth: number, isInteger = false): unknown {
    if (node.isCustom) return plainNumbers(value, depth);
    if (this.typeError !== undefined) return value;
    const embedded = this.#embeddedProblem(value, node, { depth, isInteger });
    if (embedded !== undefined) {
      this.typeError = embedded;
      return value;
    }
    const names: string[] = [];
    let struct = '';
    for (let i = 0; i < depth; i++) {
      const owner = this.#owners[i];
      if (!owner) continue;
      names.push(String(this.#path[i]));
      struct = owner.goType.slice(owner.goType.lastIndexOf('.') + 1);
    }
    const where = names.length > 0 ? `Go struct field ${struct}.${names.join('.')}` : 'Go value';
    this.typeError = `json: cannot unmarshal ${goValue(value, isInteger)} into ${where} of type ${node.goType}`;
    return value;
  }

  /** What is said of the type and the metadata of a resource within a custom one. */
  #embeddedProblem(value: unknown, node: SchemaNode, { depth, isInteger }: { depth: number; isInteger: boolean }): string | undefined {
    if (!this.#owners[0]?.isCustom) return undefined;
    // The last field of the custom resource's own on the way.
    let at = depth - 1;
    while (at > 0 && this.#owners[at]?.isCustom !== true) at--;
    if (at === 0) return undefined;
    const field = pathText(this.#path, at + 1);
    if (at === depth - 1 && this.#path[at] !== 'metadata') return `${field}: Invalid value: ${stringifyJson(value)}: must be a string`;
    const names = this.#path.slice(at + 1, depth).filter((_, i) => this.#owners[at + 1 + i] !== undefined);
    const where = names.length === 0 ? 'Go value' : `Go struct field ObjectMeta.${names.join('.')}`;
    const whole = stringifyJson(this.#values[at + 1]);
    return `${field}: Invalid value: ${whole}: json: cannot unmarshal ${goValue(value, isInteger)} into ${where} of type ${node.goType}`;
  }

  #unknown(depth: number): void {
    if (this.unknownFields.length >= strictErrorsMax) return;
    const isCustom = this.#owners[0]?.isCustom === true;
    const isOfMetadata = isCustom && this.#owners[depth]?.isCustom !== true;
    const list = isOfMetadata ? (this.#path[0] === 'metadata' ? this.#unknownMetadata : this.#unknownWithin) : this.unknownFields;
    list.push(`unknown field "${pathText(this.#path, depth + 1)}"`);
  }

  unknownInOrder(): string[] {
    if (this.#unknownMetadata.length + this.unknownFields.length + this.#unknownWithin.length < 2)
      return [...this.#unknownMetadata, ...this.unknownFields, ...this.#unknownWithin];
    return [...this.#unknownMetadata.sort(), ...this.unknownFields.sort(), ...this.#unknownWithin.sort()];
  }
}

/** `spec.containers[0].image` of names and indexes. */
export function pathText(path: readonly (string | number)[], length = path.length): string {
  let text = '';
  for (let i = 0; i < length; i++) text += typeof path[i] === 'number' ? `[${path[i]}]` : text === '' ? path[i] : `.${path[i]}`;
  return text;
}

/** Whether a path of names and indexes leads through what the schema knows; what lies in unknown or free-form values does not. */
export function isKnownPath(schema: SchemaNode, path: readonly (string | number)[]): boolean {
  let node: SchemaNode | undefined = schema;
  for (const step of path) {
    if (node?.type === 'object') node = node.fields.get(String(step));
    else if (node?.type === 'map') node = node.value;
    else if (node?.type === 'list') node = node.item;
    else return false;
  }
  return node !== undefined;
}

const int32: ScalarNode = { type: 'scalar', scalar: 'int32', goType: 'int32' };

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberLiteral);
}

/** Sets even a key that has a meaning of its own in JavaScript. */
function setOwn(object: Json, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

/** Go's word for the JSON value. */
function goValue(value: unknown, isInteger: boolean): string {
  if (value instanceof NumberLiteral) return isInteger ? `number ${value.source}` : 'number';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number' || typeof value === 'bigint') return isInteger ? `number ${value}` : 'number';
  return typeof value;
}

/** What Go leaves in a list or map where null stands. */
function zeroOf(node: SchemaNode): unknown {
  if (node.nullable) return null;
  switch (node.type) {
    case 'object':
      return {};
    case 'list':
    case 'map':
    case 'any':
      return null;
    case 'scalar':
      if (node.scalar === 'boolean') return false;
      if (node.scalar === 'quantity') return '0';
      if (node.scalar === 'time' || node.scalar === 'microTime' || node.scalar === 'byte') return null;
      return node.scalar === 'string' ? '' : 0;
  }
}

/** A copy without NumberLiterals, or the value itself when it holds none. */
function plainNumbers(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof NumberLiteral) return Number(value.source);
  if (depth > depthMax) throw new DecodeError('exceeded max depth');
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  for (const [key, before] of entries) {
    const after = plainNumbers(before, depth + 1);
    if (after !== before) setOwn(value as Json, key as string, after);
  }
  return value;
}

/** The index of the first byte that is not base64, or -1. Line breaks are skipped, as Go's decoder does. */
function base64Error(text: string): number {
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return -1;
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '\n' || c === '\r') continue;
    if (c !== '=') {
      if (!/[A-Za-z0-9+/]/.test(c)) return i;
      digits++;
      continue;
    }
    const place = digits % 4;
    if (place < 2) return i;
    const rest = text.slice(i + 1).replace(/[\r\n]/g, '');
    if (place === 3) return rest === '' ? -1 : i + 1;
    if (rest === '=') return -1;
    return rest === '' ? text.length : rest.startsWith('=') ? i + 2 : i + 1;
  }
  return digits % 4 === 0 ? -1 : text.length - (digits % 4);
}

/** Most clusters use a few dozen quantities, again and again. */
const quantityCacheMax = 4096;
const quantityCache = new Map<string, string>();

function canonicalQuantity(value: unknown): string {
  const text =
    value instanceof NumberLiteral
      ? value.source
      : typeof value === 'string'
        ? value.trim()
        : typeof value === 'number' || typeof value === 'bigint'
          ? String(value)
          : '?';
  const known = quantityCache.get(text);
  if (known !== undefined) return known;
  try {
    const canonical = text === '' ? wrongQuantity() : formatQuantity(parseQuantity(text));
    if (quantityCache.size >= quantityCacheMax) quantityCache.clear();
    quantityCache.set(text, canonical);
    return canonical;
  } catch (error) {
    if (error instanceof QuantityError) throw new DecodeError(error.message);
    throw error;
  }
}

function wrongQuantity(): never {
  throw new QuantityError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}
