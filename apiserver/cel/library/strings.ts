// cel-go's string extensions, Kubernetes' regular expressions, and jsonpatch.escapeKey.

import { RE2JS } from 're2js';
import { CelError } from '../cel-error.ts';
import { formatText } from './format-text.ts';
import type { LibraryFunction } from './library-function.ts';

function charAt(text: string, at: bigint): string {
  const chars = [...text];
  return chars[position(at, chars.length)] ?? '';
}

/** The first `limit` occurrences; all when it is negative. */
function replace(text: string, from: string, to: string, limit = -1n): string {
  if (limit < 0n) return text.replaceAll(from, () => to);
  let left = limit;
  return text.replaceAll(from, (found) => (left-- > 0n ? to : found));
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof Error) throw new CelError(`Illegal regex: ${error.message}`, { cause: error });
    throw error;
  }
}

function findAll(text: string, pattern: string, limit = -1n): string[] {
  const matcher = compile(pattern).matcher(text);
  const found: string[] = [];
  while ((limit < 0n || BigInt(found.length) < limit) && matcher.find()) found.push(matcher.group() ?? '');
  return found;
}

/** In characters, as Unicode counts them; the position behind the last one is one, too. @throws CelError beyond */
function position(at: bigint, length: number): number {
  if (at < 0n || at > BigInt(length)) throw new CelError(`index out of range: ${at}`);
  return Number(at);
}

function indexOf(text: string, part: string, from = 0n): bigint {
  const [chars, wanted] = [[...text], [...part]];
  const start = position(from, chars.length);
  for (let i = start; i <= chars.length - wanted.length; i++) if (wanted.every((char, j) => chars[i + j] === char)) return BigInt(i);
  return -1n;
}

function lastIndexOf(text: string, part: string, from?: bigint): bigint {
  const [chars, wanted] = [[...text], [...part]];
  const start = from === undefined ? chars.length : position(from, chars.length);
  if (wanted.length === 0) return BigInt(start);
  for (let i = Math.min(start, chars.length - wanted.length); i >= 0; i--)
    if (wanted.every((char, j) => chars[i + j] === char)) return BigInt(i);
  return -1n;
}

function substring(text: string, start: bigint, end?: bigint): string {
  const chars = [...text];
  const last = end === undefined ? chars.length : position(end, chars.length);
  const first = position(start, chars.length);
  if (first > last) throw new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  return chars.slice(first, last).join('');
}

/** Into `limit` parts at most, the last of which holds the rest; all there are when it is negative. */
function split(text: string, separator: string, limit = -1n): string[] {
  if (limit === 0n) return [];
  const parts = separator === '' ? [...text] : text.split(separator);
  if (limit < 0n || BigInt(parts.length) <= limit) return parts;
  const kept = Number(limit) - 1;
  return [...parts.slice(0, kept), parts.slice(kept).join(separator)];
}

const lowerAscii = (text: string) => text.replace(/[A-Z]/g, (char) => char.toLowerCase());
const upperAscii = (text: string) => text.replace(/[a-z]/g, (char) => char.toUpperCase());
/** Unicode's white space, as Go trims it. */
const trim = (text: string) => text.replace(/^[\p{White_Space}]+|[\p{White_Space}]+$/gu, '');
const join = (texts: readonly string[], separator = '') => {
  if (texts.some((each) => typeof each !== 'string')) throw new CelError('no such overload');
  return texts.join(separator);
};

const escapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must be escaped
const quote = (text: string) => `"${text.toWellFormed().replace(/[\x07\b\f\n\r\t\v\\"]/g, (char) => escapes[char] ?? char)}"`;

/** What CEL itself lacks for texts. */
export const stringFunctions: readonly LibraryFunction[] = [
  ['string.charAt(int): string', charAt],
  ['string.replace(string, string): string', (text: string, from: string, to: string) => replace(text, from, to)],
  ['string.replace(string, string, int): string', replace],
  ['string.format(list<dyn>): string', formatText],
  ['strings.quote(string): string', quote],
  ['string.indexOf(string): int', indexOf],
  ['string.indexOf(string, int): int', indexOf],
  ['string.lastIndexOf(string): int', lastIndexOf],
  ['string.lastIndexOf(string, int): int', lastIndexOf],
  ['string.substring(int): string', substring],
  ['string.substring(int, int): string', substring],
  ['string.split(string): list<string>', split],
  ['string.split(string, int): list<string>', split],
  ['string.lowerAscii(): string', lowerAscii],
  ['string.upperAscii(): string', upperAscii],
  ['string.trim(): string', trim],
  ['list<string>.join(): string', join],
  ['list<string>.join(string): string', join],
  ['string.find(string): string', (text: string, pattern: string) => findAll(text, pattern, 1n)[0] ?? ''],
  ['string.findAll(string): list<string>', (text: string, pattern: string) => findAll(text, pattern)],
  ['string.findAll(string, int): list<string>', findAll],
  ['jsonpatch.escapeKey(string): string', (key: string) => key.replaceAll(/[~/]/g, (char) => (char === '~' ? '~0' : '~1'))],
];
