// The form that an object has once it has been a value of its Go type: what is empty and would not be written is gone, and
// structs held by value are there. Two objects that Go cannot tell apart are equal in it.

import type { Field, Message } from './message.ts';

type Json = Record<string, unknown>;

/** Brings `object`, which fits the message, into normal form, in place. Null is the same as nothing. */
export function normalize(message: Message, object: object): void {
  const fields = object as Json;
  for (const field of message.declared) {
    const { name, whenEmpty } = field;
    if (name === '') {
      normalize(field.message as Message, object);
      continue;
    }
    const value = fields[name];
    if (value === undefined) {
      if (whenEmpty === 'zero' && field.type === 'message') fields[name] = emptyStruct(field);
    } else if (value === null) {
      if (whenEmpty === 'zero' && field.type === 'message') fields[name] = emptyStruct(field);
      else delete fields[name];
    } else if (isNothing(field, value)) delete fields[name];
  }
}

function emptyStruct({ message }: Field): Json {
  const struct: Json = {};
  normalize(message as Message, struct);
  return struct;
}

/** Whether the field need not be there with this value, which is brought into normal form. */
function isNothing(field: Field, value: unknown): boolean {
  const { repeats, type, whenEmpty } = field;
  if (repeats === '[]') {
    const list = value as unknown[];
    if (field.message) for (const item of list) normalizeValue(field, item);
    return list.length === 0;
  }
  if (repeats === '{}') {
    const map = value as Json;
    let isEmpty = true;
    for (const key in map) {
      isEmpty = false;
      if (!field.message) break;
      normalizeValue(field, map[key]);
    }
    return isEmpty;
  }
  if (field.message) {
    normalizeValue(field, value);
    return whenEmpty === 'omitted' && type === 'message' && Object.keys(value as Json).length === 0;
  }
  if (type === 'bytes') return value === '';
  return whenEmpty === 'omitted' && (value === '' || value === 0 || value === false);
}

/** A struct, or what may be a schema, several, or something else. */
function normalizeValue(field: Field, value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) normalize(field.message as Message, value);
  else for (const item of value) normalizeValue(field, item);
}
