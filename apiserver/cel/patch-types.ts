// `Object{...}`, `Object.spec{...}` and `JSONPatch{...}`, as mutations write them. The CEL library constructs no messages, so
// they are rewritten to calls of functions before they are compiled; texts and comments are left as they are.

import { type Environment, Optional } from '@marcbachmann/cel-js';
import { CelError } from './environment.ts';

/** A value made by `Object...{...}`; its fields are checked to be where its name says. */
export class ObjectValue {
  readonly typeName: string;
  readonly fields: Readonly<Record<string, unknown>>;
  constructor(typeName: string, fields: Readonly<Record<string, unknown>>) {
    this.typeName = typeName;
    this.fields = fields;
  }
}

/** A whole `Object{...}`: the type an ApplyConfiguration evaluates to. */
export class RootObjectValue extends ObjectValue {}

/** One operation made by `JSONPatch{...}`. */
export class JsonPatchValue {
  readonly fields: Readonly<Record<string, unknown>>;
  constructor(fields: Readonly<Record<string, unknown>>) {
    this.fields = fields;
  }
}

/** What an expression may hold before a constructor's brace: a text, a comment, or a name with its dots. */
const tokens =
  /(?:[rRbB]{0,2}(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))|\/\/[^\n]*|[A-Za-z_][\w.]*|[\s\S]/g;

/** `expression` with constructors written as calls: `Object.spec{a: 1}` as `object_("Object.spec", [["a", 1]])`. */
export function patchConstructors(expression: string): string {
  const parts: readonly string[] = expression.match(tokens) ?? [];
  // For each open brace or bracket, whether it is a constructor's.
  const open: boolean[] = [];
  let text = '';
  let expectsField = false;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] ?? '';
    const brace = followingBrace(parts, i);
    if (/^(Object(\.\w+)*|JSONPatch)$/.test(part) && brace !== -1) {
      const isRoot = part === 'Object' || part === 'JSONPatch';
      text += isRoot ? `${part === 'Object' ? 'rootObject_' : 'jsonPatch_'}([` : `object_(${JSON.stringify(part)}, [`;
      open.push(true);
      expectsField = true;
      i = brace;
    } else if (part === '{' || part === '[' || part === '(') {
      open.push(false);
      expectsField = false;
      text += part;
    } else if (part === '}' || part === ']' || part === ')') {
      const isConstructor = open.pop() ?? false;
      text += isConstructor ? (expectsField ? '])' : ']])') : part;
      expectsField = false;
    } else if (part === ',' && open.at(-1) && !expectsField) {
      text += '], ';
      expectsField = true;
    } else if (expectsField && /^[A-Za-z_]\w*$/.test(part)) {
      const colon = parts.indexOf(':', i);
      const isOptional = text.endsWith('?');
      text = `${isOptional ? text.slice(0, -1) : text}[${JSON.stringify((isOptional ? '?' : '') + part)}, `;
      i = colon === -1 ? i : colon;
      expectsField = false;
    } else text += part;
  }
  return text;
}

/** The index of the brace that follows part `i`, past spaces; -1 when something else does. */
function followingBrace(parts: readonly string[], i: number): number {
  let next = i + 1;
  while (/^\s$/.test(parts[next] ?? '')) next++;
  return parts[next] === '{' ? next : -1;
}

/** Declares what the rewritten expression calls. */
export function registerPatchTypes(environment: Environment): void {
  environment.registerType('Object', { ctor: RootObjectValue });
  environment.registerType('ObjectField', { ctor: ObjectValue });
  environment.registerType('JSONPatch', { ctor: JsonPatchValue });
  environment.registerFunction('rootObject_(list): Object', (entries: Entries) => new RootObjectValue('Object', fieldsOf(entries)));
  environment.registerFunction(
    'object_(string, list): ObjectField',
    (name: string, entries: Entries) => new ObjectValue(name, fieldsOf(entries)),
  );
  environment.registerFunction('jsonPatch_(list): JSONPatch', (entries: Entries) => new JsonPatchValue(fieldsOf(entries)));
}

type Entries = readonly (readonly [string, unknown])[];

function fieldsOf(entries: Entries): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    if (!name.startsWith('?')) fields[name] = value;
    else if (!(value instanceof Optional)) throw new CelError(`cannot initialize optional entry '${name.slice(1)}' from non-optional`);
    else if (value.hasValue()) fields[name.slice(1)] = value.value();
  }
  return fields;
}

/** @throws CelError when an `Object.x{}` stands at a field that is not x */
export function plainJson(value: unknown, at = 'Object'): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map((item) => plainJson(item, at));
  if (value instanceof JsonPatchValue) return plainJson(value.fields, at);
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Optional) return value.hasValue() ? plainJson(value.value(), at) : null;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof ObjectValue && value.typeName !== at && at !== '')
    throw new CelError(
      `type mismatch: unexpected type name "${value.typeName}", expected "${at}", which matches field name path from root Object type`,
    );
  const entries = value instanceof ObjectValue ? Object.entries(value.fields) : value instanceof Map ? [...value] : Object.entries(value);
  const under = at === '' && value instanceof ObjectValue ? value.typeName : at;
  return Object.fromEntries(
    entries.map(([name, item]) => [String(name), plainJson(item, value instanceof ObjectValue ? `${under}.${name}` : under)]),
  );
}
