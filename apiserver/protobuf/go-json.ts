// Objects as JSON in the form that Go gives them: fields in declared order, what is empty left out or written as its type
// asks, keys of maps sorted, and HTML's characters escaped. Clients compare such bytes, hash them and show them.

import { stringifyJson } from '../../api/json.ts';
import type { Field, Message } from './message.ts';

type Json = Record<string, unknown>;

/** The fields of `object` that its message has, without the braces around them. */
export function goFields(message: Message, object: object): string {
  const text = structFields(message, object as Json);
  return text === '' ? '' : text.slice(1);
}

/** Any JSON value with the keys of its objects sorted, as Go writes maps. */
export function sortedJson(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object' || value === null) return stringifyJson(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  let text = '';
  for (const key of Object.keys(value).sort(byBytes)) {
    const member = (value as Json)[key];
    if (member !== undefined) text += `,${quoted(key)}:${sortedJson(member)}`;
  }
  return `{${text.slice(1)}}`;
}

/** Any JSON value with its keys in their own order. */
export function plainJson(value: unknown): string {
  return escapeHtml(stringifyJson(value) ?? 'null');
}

/** JSON text with the characters escaped that Go escapes for the sake of HTML; they stand nowhere but in strings. */
export function escapeHtml(json: string): string {
  return html.test(json) ? json.replace(htmls, (character) => escapes[character] as string) : json;
}

const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};
const html = /[<>&\u2028\u2029]/;
const htmls = /[<>&\u2028\u2029]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what JSON escapes
const needsEscape = /["\\<>&\u0000-\u001f\u2028\u2029\ud800-\udfff]/;

/** A string as JSON. Most need no escape, and looking is quicker than asking JSON.stringify. */
function quoted(text: string): string {
  return needsEscape.test(text) ? escapeHtml(JSON.stringify(text)) : `"${text}"`;
}

/** Go sorts keys by their UTF-8, JavaScript by UTF-16: they differ beyond the basic plane only. */
function byBytes(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    const [isHighX, isHighY] = [isSurrogate(x), isSurrogate(y)];
    return isHighX === isHighY ? x - y : isHighX ? 1 : -1;
  }
  return a.length - b.length;
}

const isSurrogate = (code: number) => code >= 0xd800 && code <= 0xdfff;

/** Each field with a comma before it. */
function structFields(message: Message, object: Json): string {
  let text = '';
  for (const field of message.declared) {
    if (field.name === '') text += structFields(field.message as Message, object);
    else {
      const value = object[field.name];
      if (value === undefined && field.whenEmpty !== 'zero' && field.whenEmpty !== 'null') continue;
      const written = fieldText(field, value, message);
      if (written !== '') text += `,"${field.name}":${written}`;
    }
  }
  return text;
}

/** '' for a field that is left out. */
function fieldText(field: Field, value: unknown, owner: Message): string {
  if (value === undefined || value === null) return emptyText(field);
  if (field.repeats === '[]') {
    const list = value as unknown[];
    if (list.length === 0) return emptyText(field);
    let text = '';
    for (const item of list) text += `,${valueText(field, item, owner)}`;
    return `[${text.slice(1)}]`;
  }
  if (field.repeats === '{}') {
    const map = value as Json;
    const keys = Object.keys(map);
    if (keys.length === 0) return emptyText(field);
    if (keys.length > 1) keys.sort(byBytes);
    let text = '';
    for (const key of keys) text += `,${quoted(key)}:${valueText(field, map[key], owner)}`;
    return `{${text.slice(1)}}`;
  }
  if (field.whenEmpty === 'omitted' && (value === '' || value === 0 || value === false)) return '';
  if (field.type === 'bytes' && value === '') return emptyText(field);
  const text = valueText(field, value, owner);
  return field.whenEmpty === 'omitted' && text === '{}' ? '' : text;
}

function emptyText(field: Field): string {
  if (field.whenEmpty === 'null') return 'null';
  return field.whenEmpty === 'zero' ? zeroText(field) : '';
}

function zeroText(field: Field): string {
  switch (field.type) {
    case 'string':
      return '""';
    case 'quantity':
      return '"0"';
    case 'bool':
      return 'false';
    case 'int':
    case 'double':
    case 'intOrString':
      return '0';
    case 'message':
      return `{${structFields(field.message as Message, {}).slice(1)}}`;
    default:
      return 'null';
  }
}

/** One value, item of a list or value of a map. */
function valueText(field: Field, value: unknown, owner: Message): string {
  switch (field.type) {
    case 'message':
      return structText(field, value);
    case 'json':
      return owner.sortsRawJson ? sortedJson(value ?? null) : plainJson(value ?? null);
    case 'schemaOrBool':
      return typeof value === 'boolean' ? String(value) : structText(field, value);
    case 'schemaOrArray':
      return Array.isArray(value) ? `[${value.map((item) => structText(field, item)).join(',')}]` : structText(field, value);
    case 'schemaOrStrings':
      return Array.isArray(value) ? sortedJson(value) : structText(field, value);
    case 'strings':
      return Array.isArray(value) && value.length > 0 ? sortedJson(value) : 'null';
    default:
      if (typeof value === 'string') return quoted(value);
      return value === undefined || value === null ? zeroText(field) : plainJson(value);
  }
}

function structText(field: Field, value: unknown): string {
  return `{${structFields(field.message as Message, (value ?? {}) as Json).slice(1)}}`;
}
