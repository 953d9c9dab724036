// cel-go's string extensions, Kubernetes' regular expressions, and jsonpatch.escapeKey.

import { RE2JS } from 're2js';
import { formatText } from './format-text.ts';
import type { LibraryFunction } from './library-function.ts';

function charAt(text: string, at: bigint): string {
  const chars = [...text];
  if (at < 0n || at > BigInt(chars.length)) throw new Error(`index out of range: ${at}`);
  return chars[Number(at)] ?? '';
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
    if (error instanceof Error) throw new Error(`Illegal regex: ${error.message}`, { cause: error });
    throw error;
  }
}

function findAll(text: string, pattern: string, limit = -1n): string[] {
  const matcher = compile(pattern).matcher(text);
  const found: string[] = [];
  while ((limit < 0n || BigInt(found.length) < limit) && matcher.find()) found.push(matcher.group() ?? '');
  return found;
}

const matches = (text: string, pattern: string) => compile(pattern).matcher(text).find();

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
  ['string.re2Matches(string): bool', matches],
  ['re2Matches(string, string): bool', matches],
  ['string.find(string): string', (text: string, pattern: string) => findAll(text, pattern, 1n)[0] ?? ''],
  ['string.findAll(string): list<string>', (text: string, pattern: string) => findAll(text, pattern)],
  ['string.findAll(string, int): list<string>', findAll],
  ['jsonpatch.escapeKey(string): string', (key: string) => key.replaceAll(/[~/]/g, (char) => (char === '~' ? '~0' : '~1'))],
];
