// An expression's tokens, after the grammar of the language definition (https://github.com/google/cel-spec/blob/master/doc/langdef.md).

import { CelSyntaxError } from './cel-error.ts';

export type TokenKind = 'ident' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'sign' | 'end';

export interface Token {
  readonly kind: TokenKind;
  readonly at: number;
  /** As written. */
  readonly text: string;
}

const space = /(?:[\t\n\f\r ]+|\/\/[^\n]*)*/y;
const number = /0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|\d+[uU]?/y;
const word = /[A-Za-z_][A-Za-z0-9_]*/y;
const sign = /==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()[\]{}]/y;
const textBody = String.raw`"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\.|[^"\\\n\r])*"|'(?:\\.|[^'\\\n\r])*'`;
const rawBody = String.raw`"""[\s\S]*?"""|'''[\s\S]*?'''|"[^"\n\r]*"|'[^'\n\r]*'`;
const text = new RegExp(`([bB]?)(?:[rR](?:${rawBody})|(?:${textBody}))`, 'y');

/** Everything that the source holds, with an `end` behind it. @throws CelSyntaxError */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = skip(source, 0);
  while (at < source.length) {
    const token = tokenAt(source, at);
    tokens.push(token);
    at = skip(source, at + token.text.length);
  }
  tokens.push({ kind: 'end', at: source.length, text: '<EOF>' });
  return tokens;
}

function skip(source: string, at: number): number {
  space.lastIndex = at;
  return at + (space.exec(source)?.[0].length ?? 0);
}

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

function tokenAt(source: string, at: number): Token {
  const quoted = match(text, source, at);
  if (quoted !== undefined) return { kind: /^[bB]/.test(quoted) ? 'bytes' : 'string', at, text: quoted };
  const digits = match(number, source, at);
  if (digits !== undefined) {
    const isHex = /^0[xX]/.test(digits);
    if (/[uU]$/.test(digits)) return { kind: 'uint', at, text: digits };
    return { kind: !isHex && /[.eE]/.test(digits) ? 'double' : 'int', at, text: digits };
  }
  const name = match(word, source, at);
  if (name !== undefined) return { kind: 'ident', at, text: name };
  const mark = match(sign, source, at);
  if (mark !== undefined) return { kind: 'sign', at, text: mark };
  throw new CelSyntaxError(at, `Syntax error: token recognition error at: '${unrecognized(source, at)}'`);
}

/** How much of the source no token begins with. */
function unrecognized(source: string, at: number): string {
  if (/^["']/.test(source.slice(at))) return source.slice(at);
  return source.slice(at, at + (/^[|&=]/.test(source.slice(at)) ? 2 : 1));
}
