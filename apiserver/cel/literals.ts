// The values of literals: numbers within their ranges, texts and bytes with their escapes resolved, as cel-go reads them.

import { CelSyntaxError } from './cel-error.ts';
import type { Token } from './lexer.ts';
import { CelUint, intMax, intMin, uintMax } from './values.ts';

/** The value of a literal's token; `isNegative`: a minus stands before it. @throws CelSyntaxError */
export function literalValue(token: Token, isNegative: boolean, at = token.at): unknown {
  switch (token.kind) {
    case 'int': {
      const value = BigInt(token.text) * (isNegative ? -1n : 1n);
      if (value > intMax || value < intMin) throw new CelSyntaxError(at, 'invalid int literal');
      return value;
    }
    case 'uint': {
      const value = BigInt(token.text.slice(0, -1));
      if (value > uintMax) throw new CelSyntaxError(at, 'invalid uint literal');
      return new CelUint(value);
    }
    case 'double': {
      const value = Number(token.text) * (isNegative ? -1 : 1);
      if (!Number.isFinite(value)) throw new CelSyntaxError(at, 'invalid double literal');
      return value;
    }
    case 'bytes':
      return new Uint8Array(resolved(token.text.slice(1), true, at) as Buffer);
    default:
      return resolved(token.text, false, at);
  }
}

function resolved(quoted: string, isBytes: boolean, at: number): string | Buffer {
  const isRaw = /^[rR]/.test(quoted);
  const body = isRaw ? quoted.slice(1) : quoted;
  const length = /^("""|''')/.test(body) ? 3 : 1;
  const inner = body.slice(length, -length).replace(/\r\n?/g, '\n');
  if (isRaw || !inner.includes('\\')) return isBytes ? Buffer.from(inner) : inner;
  const parts: (string | Buffer)[] = [];
  for (let i = 0; i < inner.length; ) {
    const next = inner.indexOf('\\', i);
    if (next !== i) {
      parts.push(inner.slice(i, next === -1 ? undefined : next));
      i = next === -1 ? inner.length : next;
      continue;
    }
    escapes.lastIndex = i;
    const found = escapes.exec(inner);
    if (!found) throw new CelSyntaxError(at, `invalid ${isBytes ? 'bytes' : 'string'} literal: unable to unescape string`);
    parts.push(escaped(found, isBytes, at));
    i += found[0].length;
  }
  return isBytes ? Buffer.concat(parts.map((part) => Buffer.from(part))) : parts.join('');
}

const escapes = /\\(?:([abfnrtv\\?"'`])|[xX]([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y;
const simple: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function escaped([, plain, hex, octal, short, long]: RegExpExecArray, isBytes: boolean, at: number): string | Buffer {
  if (plain !== undefined) return simple[plain] ?? plain;
  const byte = hex !== undefined ? Number.parseInt(hex, 16) : octal !== undefined ? Number.parseInt(octal, 8) : undefined;
  if (byte !== undefined) return isBytes ? Buffer.from([byte]) : String.fromCodePoint(byte);
  const code = Number.parseInt((short ?? long) as string, 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    throw new CelSyntaxError(at, 'invalid string literal: invalid unicode code point');
  return String.fromCodePoint(code);
}
