// Objects to protobuf messages, written forwards into one buffer that is kept: a nested message's length is put before it
// once it is known.

import { stringifyJson } from '../../api/json.ts';
import type { Field, FieldType, Message } from './message.ts';

type Json = Record<string, unknown>;

const keptBytesMax = 4 << 20;
let buffer = Buffer.allocUnsafeSlow(64 << 10);
let at = 0;

/** The message's bytes of `object`, which fits the message's schema; fields that the message does not have are left out. */
export function encodeMessage(message: Message, object: object): Buffer {
  at = 0;
  try {
    writeFields(message, object as Json);
    return Buffer.from(buffer.subarray(0, at));
  } finally {
    if (buffer.length > keptBytesMax) buffer = Buffer.allocUnsafeSlow(64 << 10);
  }
}

function grow(bytes: number): void {
  if (at + bytes <= buffer.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, at + bytes));
  buffer.copy(larger, 0, 0, at);
  buffer = larger;
}

function writeFields(message: Message, object: Json): void {
  const { named, inlined } = message;
  for (const key in object) {
    const value = object[key];
    if (value === null || value === undefined) continue;
    const field = named.get(key);
    if (field !== undefined) writeField(field, value);
  }
  for (const field of inlined) {
    const start = begin(field.number);
    writeFields(field.message as Message, object);
    if (at === start) at = start - headBytes(field.number);
    else end(start);
  }
}

function writeField(field: Field, value: unknown): void {
  if (field.repeats === '') writeValue(field.number, field, value);
  else if (field.repeats === '[]') {
    for (const item of value as unknown[]) writeValue(field.number, field, item);
  } else {
    const map = value as Json;
    for (const key in map) {
      const start = begin(field.number);
      writeString(1, key);
      writeValue(2, field, map[key]);
      end(start);
    }
  }
}

function writeValue(number: number, field: Field, value: unknown): void {
  switch (field.type) {
    case 'string':
      writeString(number, value as string);
      return;
    case 'int':
      writeInt(number, typeof value === 'bigint' ? value : Number(value));
      return;
    case 'bool':
      writeInt(number, value ? 1 : 0);
      return;
    case 'double':
      writeDouble(number, Number(value));
      return;
    case 'bytes':
      writeBytes(number, Buffer.from(String(value ?? ''), 'base64'));
      return;
    default: {
      const start = begin(number);
      writeInner(field.type, field, value);
      end(start);
    }
  }
}

function writeInner(type: FieldType, field: Field, value: unknown): void {
  switch (type) {
    case 'message':
      if (value !== null) writeFields(field.message as Message, value as Json);
      return;
    case 'quantity':
      writeString(1, String(value));
      return;
    case 'time':
    case 'microTime':
      writeTime(value);
      return;
    case 'intOrString': {
      const isNumber = typeof value === 'number';
      writeInt(1, isNumber ? 0 : 1);
      writeInt(2, isNumber ? value : 0);
      writeString(3, isNumber ? '' : String(value));
      return;
    }
    case 'json':
      writeString(1, stringifyJson(value));
      return;
    case 'strings':
      for (const item of (value as string[] | null) ?? []) writeString(1, item);
      return;
    default:
      writeSchemaOr(type, field, value);
  }
}

function writeSchemaOr(type: FieldType, field: Field, value: unknown): void {
  const isBool = type === 'schemaOrBool';
  if (isBool) writeInt(1, value === false ? 0 : 1);
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) {
      if (type === 'schemaOrStrings') writeString(2, String(item));
      else writeSchema(2, field, item);
    }
  } else if (typeof value === 'object') writeSchema(isBool ? 2 : 1, field, value);
}

function writeSchema(number: number, field: Field, value: unknown): void {
  const start = begin(number);
  writeFields(field.message as Message, (value ?? {}) as Json);
  end(start);
}

/** Seconds and nanoseconds, both always there, as Go writes them. No moment is an empty message. */
function writeTime(value: unknown): void {
  if (typeof value !== 'string') return;
  const ms = Date.parse(value);
  if (Number.isNaN(ms)) return;
  writeInt(1, Math.floor(ms / 1000));
  const fraction = /\.(\d{1,9})/.exec(value)?.[1];
  writeInt(2, fraction ? Number(fraction.padEnd(9, '0')) : 0);
}

const headBytes = (number: number) => (number < 16 ? 2 : 3);

/** Begins a nested message: its tag, and a byte for its length. Answers with where it starts. */
function begin(number: number): number {
  grow(8);
  writeVarint(number * 8 + 2);
  return ++at;
}

/** Ends the message that started at `start`, moving it when its length takes more than the one byte. */
function end(start: number): void {
  const length = at - start;
  if (length < 0x80) {
    buffer[start - 1] = length;
    return;
  }
  const more = varintBytes(length) - 1;
  grow(more);
  buffer.copyWithin(start + more, start, at);
  at = start - 1;
  writeVarint(length);
  at += length;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** `value`: a whole number from 0 to 2^53. */
function writeVarint(value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    buffer[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  buffer[at++] = rest;
}

function writeInt(number: number, value: number | bigint): void {
  grow(16);
  writeVarint(number * 8);
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
    writeVarint(value);
    return;
  }
  let rest = BigInt.asUintN(64, typeof value === 'bigint' ? value : BigInt(Math.trunc(value)));
  while (rest >= 0x80n) {
    buffer[at++] = Number(rest & 0x7fn) | 0x80;
    rest >>= 7n;
  }
  buffer[at++] = Number(rest);
}

function writeDouble(number: number, value: number): void {
  grow(16);
  writeVarint(number * 8 + 1);
  at = buffer.writeDoubleLE(value, at);
}

function writeBytes(number: number, bytes: Buffer): void {
  grow(bytes.length + 16);
  writeVarint(number * 8 + 2);
  writeVarint(bytes.length);
  at += bytes.copy(buffer, at);
}

/** Up to this length a loop is quicker than a call out of JavaScript, and the length takes one byte in any script. */
const shortLength = 42;

function writeString(number: number, text: string): void {
  const { length } = text;
  grow(length * 3 + 16);
  writeVarint(number * 8 + 2);
  if (length > shortLength) {
    const bytes = Buffer.byteLength(text);
    writeVarint(bytes);
    at += buffer.write(text, at);
    return;
  }
  const start = ++at;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) {
      at = start + buffer.write(text, start);
      break;
    }
    buffer[at++] = code;
  }
  buffer[start - 1] = at - start;
}
