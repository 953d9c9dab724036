// Parses expressions: recursive descent over the grammar of the language definition, with the limits and, as near as they go, the messages
// of cel-go's parser. What can be said of a failure is said of the first one.

import type { Entry, Expr, FieldInit } from './ast.ts';
import { CelSyntaxError } from './cel-error.ts';
import { type Token, tokenize } from './lexer.ts';
import { literalValue } from './literals.ts';
import { expandMacro, hasMacro } from './macros.ts';

/** How deep an expression may nest, and how many characters it may have. */
const depthMax = 250;
const codePointsMax = 100_000;

const reserved = new Set(
  'as break const continue else false for function if import in let loop package namespace null return true var void while'.split(' '),
);
/** Words that are tokens of their own, and name nothing anywhere. */
const keywords = new Set(['in', 'true', 'false', 'null']);

/** @throws CelSyntaxError */
export function parseCel(source: string): Expr {
  if (source.length > codePointsMax) {
    const size = [...source].length;
    if (size > codePointsMax)
      throw new CelSyntaxError(0, `expression code point size exceeds limit: size: ${size}, limit ${codePointsMax}`);
  }
  return new Parser(tokenize(source)).whole();
}

const relations: Readonly<Record<string, string>> = Object.fromEntries(
  ['<', '<=', '>', '>=', '==', '!='].map((sign) => [sign, `_${sign}_`]),
);
const operandStart = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expr {
    const expr = this.#expr();
    if (this.#token.kind !== 'end') this.#mismatch('<EOF>');
    return expr;
  }

  get #token(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #take(): Token {
    const token = this.#token;
    if (token.kind !== 'end') this.#next++;
    return token;
  }

  #isSign(...texts: string[]): boolean {
    return this.#token.kind === 'sign' && texts.includes(this.#token.text);
  }

  #skip(text: string): Token | undefined {
    return this.#isSign(text) ? this.#take() : undefined;
  }

  #expect(text: string): Token {
    return this.#skip(text) ?? this.#mismatch(`'${text}'`);
  }

  #mismatch(wanted: string): never {
    throw new CelSyntaxError(this.#token.at, `Syntax error: mismatched input '${this.#token.text}' expecting ${wanted}`);
  }

  #expr(): Expr {
    if (++this.#depth > depthMax) throw new CelSyntaxError(-1, `expression recursion limit exceeded: ${depthMax}`);
    const condition = this.#logical('||', () => this.#logical('&&', () => this.#relation()));
    const mark = this.#skip('?');
    let expr = condition;
    if (mark) {
      const first = this.#logical('||', () => this.#logical('&&', () => this.#relation()));
      this.#expect(':');
      expr = { op: 'call', at: mark.at, name: '_?_:_', target: undefined, args: [condition, first, this.#expr()] };
    }
    this.#depth--;
    return expr;
  }

  /** However many there are in a row, they are one call: they decide in turn. */
  #logical(sign: '&&' | '||', operand: () => Expr): Expr {
    const args = [operand()];
    let at = -1;
    for (let mark = this.#skip(sign); mark; mark = this.#skip(sign)) {
      if (at === -1) ({ at } = mark);
      args.push(operand());
    }
    return args.length === 1 ? (args[0] as Expr) : { op: 'call', at, name: `_${sign}_`, target: undefined, args };
  }

  #relation(): Expr {
    let left = this.#sum();
    for (;;) {
      const { kind, text, at } = this.#token;
      const name = kind === 'sign' ? relations[text] : kind === 'ident' && text === 'in' ? '@in' : undefined;
      if (name === undefined) return left;
      this.#take();
      left = { op: 'call', at, name, target: undefined, args: [left, this.#sum()] };
    }
  }

  #sum(): Expr {
    return this.#leftToRight(['+', '-'], () => this.#leftToRight(['*', '/', '%'], () => this.#unary()));
  }

  #leftToRight(signs: readonly string[], operand: () => Expr): Expr {
    let left = operand();
    while (this.#isSign(...signs)) {
      const { at, text } = this.#take();
      left = { op: 'call', at, name: `_${text}_`, target: undefined, args: [left, operand()] };
    }
    return left;
  }

  /** Pairs of signs cancel each other; a minus right before a number belongs to it. */
  #unary(): Expr {
    const { at, text } = this.#token;
    if (!this.#isSign('!', '-')) return this.#member();
    let count = 0;
    const isNumberNext = () => {
      const following = this.#tokens[this.#next + 1];
      return text === '-' && (following?.kind === 'int' || following?.kind === 'double');
    };
    while (this.#isSign(text) && !(count === 0 && isNumberNext())) {
      this.#take();
      count++;
      if (isNumberNext()) break;
    }
    const operand = this.#member();
    return count % 2 === 0 ? operand : { op: 'call', at, name: `${text}_`, target: undefined, args: [operand] };
  }

  #member(): Expr {
    let expr = this.#primary();
    for (;;) {
      if (this.#isSign('.')) expr = this.#selection(expr);
      else if (this.#isSign('[')) {
        const { at } = this.#take();
        const isOptional = this.#skip('?') !== undefined;
        const index = this.#expr();
        this.#expect(']');
        expr = { op: 'call', at, name: isOptional ? '_[?_]' : '_[_]', target: undefined, args: [expr, index] };
      } else return expr;
    }
  }

  #selection(operand: Expr): Expr {
    const dot = this.#take();
    const mark = this.#skip('?');
    const { kind, text, at: nameAt } = this.#token;
    if (keywords.has(text)) this.#mismatch('IDENTIFIER');
    if (kind !== 'ident') {
      const shown = this.#token.kind === 'end' ? '' : text;
      throw new CelSyntaxError(nameAt, `Syntax error: no viable alternative at input '.${shown}'`);
    }
    this.#take();
    if (mark) {
      const field: Expr = { op: 'literal', at: nameAt, value: text };
      return { op: 'call', at: dot.at, name: '_?._', target: undefined, args: [operand, field] };
    }
    const open = this.#skip('(');
    if (!open) return { op: 'select', at: dot.at, operand, field: text, isTest: false };
    const call = { op: 'call', at: open.at, name: text, target: operand, args: this.#arguments() } as const;
    return expandMacro(call) ?? call;
  }

  #arguments(): Expr[] {
    const args: Expr[] = [];
    if (this.#skip(')')) return args;
    do args.push(this.#expr());
    while (this.#skip(','));
    this.#expect(')');
    return args;
  }

  #primary(): Expr {
    const token = this.#token;
    const { at } = token;
    switch (token.kind) {
      case 'ident':
        return this.#named('');
      case 'int':
      case 'uint':
      case 'double':
      case 'string':
      case 'bytes':
        this.#take();
        return { op: 'literal', at, value: literalValue(token, false) };
      case 'sign':
        switch (token.text) {
          case '-':
            this.#take();
            return { op: 'literal', at, value: literalValue(this.#take(), true, at) };
          case '.':
            this.#take();
            if (this.#token.kind === 'ident' && !keywords.has(this.#token.text)) return this.#named('.');
            throw new CelSyntaxError(this.#token.at, `Syntax error: no viable alternative at input '.${this.#token.text}'`);
          case '(': {
            this.#take();
            const inner = this.#expr();
            this.#expect(')');
            return inner;
          }
          case '[':
            return this.#list();
          case '{':
            return this.#map();
        }
    }
    return this.#mismatch(operandStart);
  }

  /** A name, a call of a function by its name, or an object of a type by its name. */
  #named(lead: '' | '.'): Expr {
    const { at, text } = this.#take();
    if (lead === '' && keywords.has(text) && text !== 'in') return { op: 'literal', at, value: text === 'null' ? null : text === 'true' };
    const struct = this.#struct(lead + text);
    if (struct) return struct;
    if (text === 'in') {
      this.#next--;
      return this.#mismatch(operandStart);
    }
    if (reserved.has(text)) throw new CelSyntaxError(at, `reserved identifier: ${text}`);
    const open = this.#skip('(');
    if (!open) return { op: 'ident', at, name: lead + text };
    const call = { op: 'call', at: open.at, name: lead + text, target: undefined, args: this.#arguments() } as const;
    return hasMacro(call) ?? call;
  }

  /** Where names with dots between them lead up to a brace. */
  #struct(first: string): Expr | undefined {
    let name = first;
    let ahead = this.#next;
    const tokenAt = (i: number) => this.#tokens[i] as Token;
    while (tokenAt(ahead).text === '.' && tokenAt(ahead + 1)?.kind === 'ident') {
      name += `.${tokenAt(ahead + 1).text}`;
      ahead += 2;
    }
    const brace = tokenAt(ahead);
    if (brace.kind !== 'sign' || brace.text !== '{') return undefined;
    this.#next = ahead + 1;
    const fields: FieldInit[] = [];
    while (!this.#isSign('}')) {
      const isOptional = this.#skip('?') !== undefined;
      const field = this.#token;
      if (field.kind !== 'ident') this.#mismatch("{'}', ',', '?', IDENTIFIER}");
      this.#take();
      const { at } = this.#expect(':');
      fields.push({ at, name: field.text, value: this.#expr(), isOptional });
      if (!this.#skip(',')) break;
    }
    this.#expect('}');
    return { op: 'struct', at: brace.at, name, fields };
  }

  #list(): Expr {
    const { at } = this.#take();
    const items: Expr[] = [];
    const optional = new Set<number>();
    while (!this.#isSign(']')) {
      if (this.#skip('?')) optional.add(items.length);
      items.push(this.#expr());
      if (!this.#skip(',')) break;
    }
    this.#expect(']');
    return { op: 'list', at, items, optional };
  }

  #map(): Expr {
    const { at } = this.#take();
    const entries: Entry[] = [];
    while (!this.#isSign('}')) {
      const isOptional = this.#skip('?') !== undefined;
      const key = this.#expr();
      const colon = this.#expect(':');
      entries.push({ at: colon.at, key, value: this.#expr(), isOptional });
      if (!this.#skip(',')) break;
    }
    this.#expect('}');
    return { op: 'map', at, entries };
  }
}
