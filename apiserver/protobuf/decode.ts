// Protobuf messages to objects as a JSON body would have them. What the table does not know is skipped; what is no
// message is refused in the words of Kubernetes' own decoders.

import { parseJson, wireInteger } from '../../api/json.ts';
import { DecodeError, depthMax } from '../schema/check.ts';
import type { Field, Message } from './message.ts';

type Json = Record<string, unknown>;

/** The object that `bytes` are a message of. @throws DecodeError */
export function decodeMessage(message: Message, bytes: Uint8Array): Json {
  const object: Json = {};
  readFields(new Reader(bytes), message, object, 0);
  return object;
}

/** Each field of a message as a number with its bytes or its integer. @throws DecodeError */
export function* rawFields(bytes: Uint8Array): Generator<[number: number, value: Buffer | number]> {
  const reader = new Reader(bytes);
  while (!reader.isDone) {
    const { number, wireType } = reader.tag('Unknown');
    if (wireType === 2) yield [number, reader.bytes()];
    else if (wireType === 0) yield [number, Number(reader.int())];
    else reader.skip(wireType);
  }
}

const groupDepthMax = 100;

/** Reads what a message consists of, never beyond its end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isDone(): boolean {
    return this.#at >= this.#bytes.length;
  }

  tag(messageName: string): { number: number; wireType: number } {
    const tag = this.varint();
    const wireType = tag & 7;
    const number = Math.floor(tag / 8) | 0;
    if (wireType === 4) throw new DecodeError(`proto: ${messageName}: wiretype end group for non-group`);
    if (number <= 0) throw new DecodeError(`proto: ${messageName}: illegal tag ${number} (wire type ${tag})`);
    return { number, wireType };
  }

  /** An unsigned varint; inexact beyond 2^53. */
  varint(): number {
    const bytes = this.#bytes;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.#at >= bytes.length) throw new DecodeError('unexpected EOF');
      const byte = bytes[this.#at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new DecodeError('proto: integer overflow');
  }

  /** A varint as a signed number of 64 bits. */
  int(): number | bigint {
    const start = this.#at;
    const value = this.varint();
    if (this.#at - start < 8) return value;
    let exact = 0n;
    for (let i = this.#at - 1; i >= start; i--) exact = (exact << 7n) | BigInt((this.#bytes[i] as number) & 0x7f);
    return wireInteger(BigInt.asIntN(64, exact));
  }

  double(): number {
    const start = this.#advance(8);
    return this.#bytes.readDoubleLE(start);
  }

  bytes(): Buffer {
    const length = this.varint();
    if (length > 0x7fffffff) throw new DecodeError('proto: negative length found during unmarshaling');
    const start = this.#advance(length);
    return this.#bytes.subarray(start, this.#at);
  }

  text(): string {
    const length = this.varint();
    if (length > 0x7fffffff) throw new DecodeError('proto: negative length found during unmarshaling');
    const start = this.#advance(length);
    return this.#bytes.toString('utf8', start, this.#at);
  }

  skip(wireType: number, depth = 0): void {
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.#advance(8);
    else if (wireType === 2) this.bytes();
    else if (wireType === 5) this.#advance(4);
    else if (wireType === 3 && depth < groupDepthMax) {
      for (let inner = this.varint() & 7; inner !== 4; inner = this.varint() & 7) this.skip(inner, depth + 1);
    } else throw new DecodeError(`proto: illegal wireType ${wireType}`);
  }

  #advance(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new DecodeError('unexpected EOF');
    this.#at = start + length;
    return start;
  }
}

function readFields(reader: Reader, message: Message, object: Json, depth: number): void {
  if (depth > depthMax) throw new DecodeError('exceeded max depth');
  const { numbered } = message;
  while (!reader.isDone) {
    const { number, wireType } = reader.tag(message.name);
    const field = numbered[number];
    if (field === undefined) reader.skip(wireType);
    else readField(reader, field, wireType, object, depth);
  }
}

function readField(reader: Reader, field: Field, wireType: number, object: Json, depth: number): void {
  if (field.name === '') {
    checkWireType(field, wireType);
    readFields(new Reader(reader.bytes()), field.message as Message, object, depth + 1);
    return;
  }
  if (field.repeats === '{}') {
    checkWireType(field, wireType, 2);
    let map = object[field.name] as Json | undefined;
    if (map === undefined) object[field.name] = map = {};
    readEntry(new Reader(reader.bytes()), field, map, depth + 1);
    return;
  }
  if (field.repeats === '[]') {
    let list = object[field.name] as unknown[] | undefined;
    if (list === undefined) object[field.name] = list = [];
    // Packed numbers.
    if (wireType === 2 && wireTypeOf(field) !== 2) {
      const packed = new Reader(reader.bytes());
      while (!packed.isDone) list.push(readValue(packed, field, undefined, depth));
      return;
    }
    checkWireType(field, wireType);
    list.push(readValue(reader, field, undefined, depth) ?? null);
    return;
  }
  checkWireType(field, wireType);
  const value = readValue(reader, field, object[field.name], depth);
  if (value === undefined || (field.whenEmpty === 'omitted' && isZero(value))) delete object[field.name];
  else object[field.name] = value;
}

const isZero = (value: unknown) => value === '' || value === 0 || value === false;

function readEntry(reader: Reader, field: Field, map: Json, depth: number): void {
  let key = '';
  let value: unknown;
  while (!reader.isDone) {
    const { number, wireType } = reader.tag(field.name);
    if (number === 1 && wireType === 2) key = reader.text();
    else if (number === 2) {
      checkWireType(field, wireType);
      value = readValue(reader, field, undefined, depth);
    } else reader.skip(wireType);
  }
  setOwn(map, key, value ?? zeroOf(field));
}

function zeroOf(field: Field): unknown {
  if (field.type === 'string' || field.type === 'bytes') return '';
  if (field.type === 'quantity') return '0';
  if (field.type === 'message') return {};
  return field.type === 'strings' ? [] : null;
}

/** Sets even a key that has a meaning of its own in JavaScript. */
function setOwn(object: Json, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

function wireTypeOf({ type }: Field): number {
  if (type === 'int' || type === 'bool') return 0;
  return type === 'double' ? 1 : 2;
}

function checkWireType(field: Field, wireType: number, expected = wireTypeOf(field)): void {
  if (wireType !== expected) throw new DecodeError(`proto: wrong wireType = ${wireType} for field ${goName(field.name)}`);
}

const goName = (name: string) => name.slice(0, 1).toUpperCase() + name.slice(1);

/** `before`: what an earlier occurrence of the field has left; messages add to it. undefined: nothing that JSON has a word for. */
function readValue(reader: Reader, field: Field, before: unknown, depth: number): unknown {
  switch (field.type) {
    case 'string':
      return reader.text();
    case 'int':
      return reader.int();
    case 'bool':
      return reader.varint() !== 0;
    case 'double':
      return reader.double();
    case 'bytes':
      return reader.bytes().toString('base64');
    case 'message': {
      const object = (before ?? {}) as Json;
      readFields(new Reader(reader.bytes()), field.message as Message, object, depth + 1);
      return object;
    }
    case 'time':
    case 'microTime':
      return readTime(reader.bytes(), field.type);
    case 'json':
      return readJson(reader.bytes());
    case 'quantity': {
      const text = readTexts(reader.bytes(), 1).at(-1) ?? '';
      return text === '' ? '0' : text;
    }
    case 'strings':
      return readTexts(reader.bytes(), 1);
    case 'intOrString':
      return readIntOrString(reader.bytes());
    default:
      return readSchemaOr(reader.bytes(), field, depth + 1);
  }
}

function readTexts(bytes: Buffer, wanted: number): string[] {
  const texts: string[] = [];
  for (const [number, value] of rawFields(bytes)) if (number === wanted && typeof value !== 'number') texts.push(value.toString());
  return texts;
}

/** The years that RFC 3339 has words for, in seconds since 1970. */
const secondsMin = -62167219200;
const secondsMax = 253402300799;

function readTime(bytes: Buffer, type: 'time' | 'microTime'): string | undefined {
  if (bytes.length === 0) return undefined;
  let seconds = 0;
  let nanos = 0;
  for (const [number, value] of rawFields(bytes)) {
    if (typeof value !== 'number') throw new DecodeError(`proto: wrong wireType = 2 for field ${number === 1 ? 'Seconds' : 'Nanos'}`);
    if (number === 1) seconds = value;
    else if (number === 2) nanos = value;
  }
  if (seconds < secondsMin || seconds > secondsMax) throw new DecodeError('Time.MarshalJSON: year outside of range [0,9999]');
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (type === 'time') return `${text}Z`;
  const micros = Math.min(999_999, Math.max(0, Math.floor(nanos / 1000)));
  return `${text}.${String(micros).padStart(6, '0')}Z`;
}

function readJson(bytes: Buffer): unknown {
  let raw: Buffer | undefined;
  for (const [number, value] of rawFields(bytes)) if (number === 1 && typeof value !== 'number') raw = value;
  if (raw === undefined || raw.length === 0) return undefined;
  try {
    return parseJson(raw.toString());
  } catch (error) {
    if (error instanceof SyntaxError) throw new DecodeError(`json: ${error.message}`);
    throw error;
  }
}

function readIntOrString(bytes: Buffer): number | string {
  let isString = false;
  let number = 0;
  let text = '';
  for (const [field, value] of rawFields(bytes)) {
    if (field === 1) isString = value === 1;
    else if (field === 2 && typeof value === 'number') number = value | 0;
    else if (field === 3 && typeof value !== 'number') text = value.toString();
  }
  return isString ? text : number;
}

function readSchemaOr(bytes: Buffer, field: Field, depth: number): unknown {
  let allows = false;
  let schema: Json | undefined;
  const list: unknown[] = [];
  const isBool = field.type === 'schemaOrBool';
  const schemaOf = (value: Buffer) => {
    const object: Json = {};
    readFields(new Reader(value), field.message as Message, object, depth + 1);
    return object;
  };
  for (const [number, value] of rawFields(bytes)) {
    if (typeof value === 'number') allows = value !== 0;
    else if (number === (isBool ? 2 : 1)) schema = schemaOf(value);
    else if (number === 2) list.push(field.type === 'schemaOrStrings' ? value.toString() : schemaOf(value));
  }
  if (schema !== undefined) return schema;
  if (isBool) return allows;
  return list.length > 0 ? list : undefined;
}
