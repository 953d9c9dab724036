// Values made with braces: `Object.spec{replicas: 1}`. The CEL library's grammar has none, so that they are rewritten to calls before
// an expression is parsed; texts, comments and what stands in braces of its own are left as they are, and every place of the
// rewritten expression is known in the original.

import type { ASTNode } from '@marcbachmann/cel-js';
import { type CelType, dynType, stringType, structType } from './types.ts';

/** What a value with braces is rewritten to a call of: `Name{a: 1}` to `construct_("Name", [["a", (1)]])`. */
export const constructorCall = 'construct_';

/** An expression that the CEL library can parse, for one that it cannot. */
export interface Rewritten {
  readonly text: string;
  /** Where a place of `text` lies in the original. */
  originalAt(at: number): number;
}

/** Present among the variables where mutations may make their patches. */
export const patchTypesVariable = '@patch types';

const patchFields: Readonly<Record<string, CelType>> = { op: stringType, from: stringType, path: stringType, value: dynType };

/** The type that a name before braces stands for, where there are `variables`. */
export function constructible(name: string, variables: ReadonlyMap<string, CelType>): CelType | undefined {
  if (!variables.has(patchTypesVariable)) return undefined;
  if (name === 'JSONPatch') return structType(name, (field) => patchFields[field]);
  return /^Object(\.\w+)*$/.test(name) ? structType(name, () => dynType) : undefined;
}

/** One field of a constructor, as its call has it. */
export interface ConstructedField {
  readonly field: string;
  readonly value: ASTNode;
  /** Of its colon. */
  readonly at: number;
  readonly isOptional: boolean;
}

/** The fields in the second argument of a constructor's call. */
export function constructedFields(list: ASTNode | undefined): ConstructedField[] {
  return (list?.op === 'list' ? list.args : []).flatMap((entry) => {
    const [name, value] = entry.op === 'list' ? entry.args : [];
    if (!value) return [];
    const text = String(name?.args);
    const isOptional = text.startsWith('?');
    return [{ field: isOptional ? text.slice(1) : text, value, at: entry.start, isOptional }];
  });
}

/** What an expression is made of, as far as braces need it: a text, a comment, a name with its dots, or one character. */
const tokens =
  /(?:[rRbB]{0,2}(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))|\/\/[^\n]*|[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*|[\s\S]/g;

/** Names before a brace that make nothing. */
const operators = new Set(['in', 'true', 'false', 'null']);

/** `expression` with constructors written as calls. */
export function rewriteConstructors(expression: string): Rewritten {
  if (!/[A-Za-z_]\w*\s*\{/.test(expression)) return { text: expression, originalAt: (at) => at };
  return new Rewriting(expression);
}

class Rewriting implements Rewritten {
  text = '';
  /** Where pieces of the text begin, there and in the original. */
  readonly #marks: { readonly at: number; readonly original: number }[] = [];
  readonly #parts: { readonly text: string; readonly at: number }[];
  /** For each open brace, bracket or parenthesis, whether it is a constructor's. */
  readonly #open: boolean[] = [];
  #expectsField = false;

  constructor(expression: string) {
    this.#parts = [...expression.matchAll(tokens)].map((match) => ({ text: match[0], at: match.index }));
    for (let i = 0; i < this.#parts.length; i++) i = this.#part(i);
  }

  originalAt(at: number): number {
    const mark = this.#marks.findLast((each) => each.at <= at);
    return mark ? mark.original + (at - mark.at) : at;
  }

  #write(text: string, original: number): void {
    this.#marks.push({ at: this.text.length, original });
    this.text += text;
  }

  /** Writes part `i`; answers with the last part that is written with it. */
  #part(i: number): number {
    const { text, at } = this.#parts[i]!;
    const brace = /^[A-Za-z_]/.test(text) && !operators.has(text) ? this.#next(i, '{') : -1;
    if (brace !== -1 && !(this.#expectsField && this.#next(i, ':') !== -1)) {
      this.#write(`${constructorCall}(${JSON.stringify(text.replace(/\s/g, ''))}, [`, this.#parts[brace]!.at);
      this.#open.push(true);
      this.#expectsField = true;
      return brace;
    }
    if (text === '{' || text === '[' || text === '(') {
      this.#open.push(false);
      this.#expectsField = false;
      this.#write(text, at);
    } else if (text === '}' || text === ']' || text === ')') {
      const isConstructor = this.#open.pop() ?? false;
      this.#write(isConstructor ? (this.#expectsField ? '])' : ')]])') : text, at);
      this.#expectsField = false;
    } else if (text === ',' && this.#open.at(-1) && !this.#expectsField) {
      this.#write(')], ', at);
      this.#expectsField = true;
    } else if (this.#expectsField && (text === '?' || /^[A-Za-z_]\w*$/.test(text))) return this.#field(i);
    else this.#write(text, at);
    return i;
  }

  #field(i: number): number {
    const name = this.#parts[i]!.text === '?' ? i + 1 : i;
    const colon = this.#next(name, ':');
    const { text, at } = this.#parts[name] ?? this.#parts[i]!;
    if (colon === -1) {
      this.#write(text, at);
      return name;
    }
    this.#write(`[${JSON.stringify((name === i ? '' : '?') + text)}, (`, this.#parts[colon]!.at);
    this.#expectsField = false;
    return colon;
  }

  /** The index of the part after `i`, past spaces, if that is `sign`; else -1. */
  #next(i: number, sign: string): number {
    let next = i + 1;
    while (/^\s$/.test(this.#parts[next]?.text ?? '')) next++;
    return this.#parts[next]?.text === sign ? next : -1;
  }
}
