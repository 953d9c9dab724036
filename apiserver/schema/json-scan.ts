// What JSON.parse does not tell: how many keys a text has (fewer parsed means duplicates), how deep it goes, how its numbers
// are written, where duplicate keys stand, and a syntax error in the words of Go's encoding/json.

import { longInteger } from '../../api/json.ts';

const quote = 0x22;
const backslash = 0x5c;

export interface JsonOutline {
  /** Keys of all objects, duplicates counted each time. */
  keys: number;
  depthMax: number;
  /** A number is written with a point or an exponent, or has so many digits that JavaScript may not hold it exactly. */
  hasOddNumber: boolean;
}

/** One pass over the bytes of a text that need not be valid. */
export function outlineOf(bytes: Uint8Array): JsonOutline {
  let keys = 0;
  let depth = 0;
  let depthMax = 0;
  let hasOddNumber = false;
  const { length } = bytes;
  for (let i = 0; i < length; i++) {
    switch (bytes[i]) {
      case quote:
        for (i++; i < length && bytes[i] !== quote; i++) if (bytes[i] === backslash) i++;
        break;
      case 0x3a: // :
        keys++;
        break;
      case 0x7b: // {
      case 0x5b: // [
        if (++depth > depthMax) depthMax = depth;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth--;
        break;
      case 0x2e: // .
        hasOddNumber = true;
        break;
      case 0x45: // E
        hasOddNumber = true;
        break;
      case 0x65: // e, but not that of true and false
        if (bytes[i - 1]! <= 0x39) hasOddNumber = true;
        break;
      case 0x31:
      case 0x32:
      case 0x33:
      case 0x34:
      case 0x35:
      case 0x36:
      case 0x37:
      case 0x38:
      case 0x39: {
        const start = i;
        while (isDigitByte(bytes[i + 1])) i++;
        if (i - start >= 15) hasOddNumber = true;
        break;
      }
    }
  }
  return { keys, depthMax, hasOddNumber };
}

const isDigitByte = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** Keys of all objects within a parsed value. */
export function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof NumberLiteral) return 0;
  let keys = 0;
  if (Array.isArray(value)) for (const item of value) keys += countKeys(item);
  else {
    for (const key in value) keys += 1 + countKeys((value as Record<string, unknown>)[key]);
  }
  return keys;
}

/** A number that Go refuses for an integer, though it is whole (`1.0`, `1e3`, or beyond 64 bits), or prints as it was written (`1.50`). */
export class NumberLiteral {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
  toJSON(): number {
    return Number(this.source);
  }
}

/** Parses with every such number kept apart, and all integers exact; slower, so only for texts that `hasOddNumber`. @throws SyntaxError */
export function parseKeepingLiterals(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    const source = context?.source;
    if (typeof value !== 'number' || source === undefined) return value;
    if (/[.eE]/.test(source)) return Number.isInteger(value) || String(value) !== source ? new NumberLiteral(source) : value;
    return Number.isSafeInteger(value) ? value : (longInteger(source) ?? new NumberLiteral(source));
  });
}

/** The paths of repeated keys in a valid text, in the order of their second appearance: a path is of names and indexes. */
export function duplicateKeys(text: string): (string | number)[][] {
  const found: (string | number)[][] = [];
  // One frame for each open object or array: the keys seen, or the index.
  const frames: ({ seen: Set<string> } | { index: number })[] = [];
  const path: (string | number)[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    const frame = frames.at(-1);
    if (c === '"') {
      const start = i;
      for (i++; text[i] !== '"'; i++) if (text[i] === '\\') i++;
      if (!frame || !('seen' in frame) || !isBeforeColon(text, i + 1)) continue;
      const key = JSON.parse(text.slice(start, i + 1)) as string;
      path[frames.length - 1] = key;
      if (frame.seen.has(key)) found.push(path.slice(0, frames.length));
      frame.seen.add(key);
    } else if (c === '{') frames.push({ seen: new Set() });
    else if (c === '[') {
      frames.push({ index: 0 });
      path[frames.length - 1] = 0;
    } else if (c === '}' || c === ']') frames.pop();
    else if (c === ',' && frame && 'index' in frame) path[frames.length - 1] = ++frame.index;
  }
  return found;
}

function isBeforeColon(text: string, from: number): boolean {
  let i = from;
  while (' \t\r\n'.includes(text[i] ?? '-')) i++;
  return text[i] === ':';
}

/** Go's words for what is wrong with a text that is not JSON. */
export function goSyntaxError(text: string): string {
  const scanner = new Scanner(text);
  try {
    scanner.document();
  } catch (error) {
    if (error instanceof GoSyntaxError) return error.message;
    throw error;
  }
  return 'invalid character in literal';
}

class GoSyntaxError extends Error {}

/** Follows Go's scanner far enough to name the same character and state; nesting is on a stack, not the call stack. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): void {
    const open: ('{' | '[')[] = [];
    let expectsValue = true;
    for (;;) {
      if (expectsValue) {
        const c = this.#next();
        if (c === '{' || c === '[') {
          this.#at++;
          open.push(c);
          const first = this.#next();
          if (first === (c === '{' ? '}' : ']')) {
            this.#at++;
            open.pop();
          } else {
            if (c === '{') this.#key(first);
            continue;
          }
        } else this.#scalar(c);
      }
      const container = open.at(-1);
      if (!container) {
        this.#blanks();
        if (this.#at < this.#text.length) this.#fail(this.#text[this.#at]!, 'after top-level value');
        return;
      }
      const c = this.#next();
      const isObject = container === '{';
      this.#at++;
      if (c === ',') {
        if (isObject) this.#key(this.#next());
        expectsValue = true;
      } else if (c === (isObject ? '}' : ']')) {
        open.pop();
        expectsValue = false;
      } else this.#fail(c, isObject ? 'after object key:value pair' : 'after array element');
    }
  }

  #key(c: string): void {
    if (c !== '"') this.#fail(c, 'looking for beginning of object key string');
    this.#string();
    const colon = this.#next();
    if (colon !== ':') this.#fail(colon, 'after object key');
    this.#at++;
  }

  #scalar(c: string): void {
    if (c === '"') this.#string();
    else if (c === '-' || isDigit(c)) this.#number();
    else if (c === 't' || c === 'f' || c === 'n') this.#word(c === 't' ? 'true' : c === 'f' ? 'false' : 'null');
    else this.#fail(c, 'looking for beginning of value');
  }

  #word(word: string): void {
    for (let i = 0; i < word.length; i++) {
      const c = this.#here();
      if (c !== word[i]) this.#fail(c, `in literal ${word} (expecting '${word[i]}')`);
      this.#at++;
    }
  }

  #string(): void {
    for (this.#at++; ; this.#at++) {
      const c = this.#here();
      if (c === '"') break;
      if (c < ' ') this.#fail(c, 'in string literal');
      if (c !== '\\') continue;
      this.#at++;
      const escaped = this.#here();
      if (escaped === 'u') {
        for (let i = 0; i < 4; i++) {
          this.#at++;
          if (!/[0-9a-fA-F]/.test(this.#here())) this.#fail(this.#here(), 'in \\u hexadecimal character escape');
        }
      } else if (!'bfnrt\\/"'.includes(escaped)) this.#fail(escaped, 'in string escape code');
    }
    this.#at++;
  }

  #number(): void {
    if (this.#here() === '-') {
      this.#at++;
      if (!isDigit(this.#here())) this.#fail(this.#here(), 'in numeric literal');
    }
    if (this.#text[this.#at] === '0') this.#at++;
    else this.#digits();
    if (this.#text[this.#at] === '.') {
      this.#at++;
      if (!isDigit(this.#here())) this.#fail(this.#here(), 'after decimal point in numeric literal');
      this.#digits();
    }
    if (/[eE]/.test(this.#text[this.#at] ?? '')) {
      this.#at++;
      if (/[+-]/.test(this.#here())) this.#at++;
      if (!isDigit(this.#here())) this.#fail(this.#here(), 'in exponent of numeric literal');
      this.#digits();
    }
  }

  #digits(): void {
    while (isDigit(this.#text[this.#at] ?? '')) this.#at++;
  }

  #blanks(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? '-')) this.#at++;
  }

  #next(): string {
    this.#blanks();
    return this.#here();
  }

  #here(): string {
    const c = this.#text[this.#at];
    if (c === undefined) throw new GoSyntaxError('unexpected end of JSON input');
    return c;
  }

  #fail(c: string, state: string): never {
    throw new GoSyntaxError(`invalid character ${quoteCharacter(c)} ${state}`);
  }
}

const isDigit = (c: string) => c >= '0' && c <= '9';

function quoteCharacter(c: string): string {
  if (c === "'") return "'\\''";
  if (c === '"') return "'\"'";
  const code = c.charCodeAt(0);
  const escapes: Record<string, string> = {
    '\n': '\\n',
    '\t': '\\t',
    '\r': '\\r',
    '\b': '\\b',
    '\f': '\\f',
    '\v': '\\v',
    '\\': '\\\\',
    '\u0007': '\\a',
  };
  if (escapes[c]) return `'${escapes[c]}'`;
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, '0')}'`;
  return `'${c}'`;
}
