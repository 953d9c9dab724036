// The paths by which rules and selectable fields name a field below a schema: `.spec.replicas`, `.labels['a.b']`.

import type { JsonSchema } from '../../api/apiextensions.ts';

/** A path leads to no field; the message says why. */
export class FieldPathError extends Error {
  override name = 'FieldPathError';
}

interface Found {
  /** As problems write it: `spec.replicas`, `labels[a.b]`. */
  readonly path: string;
  readonly schema: JsonSchema;
}

const token = /'(?:\\.|[^'\\])*'|[.[\]]|[^.[\]]+/gs;
const escapes: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', "'": "'", '\\': '\\' };

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (found, char: string) => {
    const plain = escapes[char];
    if (plain === undefined) throw new FieldPathError(`invalid string literal: invalid escape char ${found}`);
    return plain;
  });
}

/** Where `path` leads below `schema`. @throws FieldPathError */
export function findField(path: string, schema: JsonSchema, { allowsBrackets = true } = {}): Found {
  const tokens = path.match(token) ?? [];
  let found: Found = { path: '', schema };
  const take = (i: number) => {
    const text = tokens[i];
    if (text === undefined) throw new FieldPathError('unexpected end of JSON path');
    return text;
  };
  for (let i = 0; i < tokens.length; i++) {
    const sign = take(i);
    if (sign === '.') found = below(found, take(++i));
    else if (sign !== '[') throw new FieldPathError(`expected [ or . but got: ${sign}`);
    else {
      if (!allowsBrackets) throw new FieldPathError('array notation is not allowed');
      const quoted = take(++i);
      if (!/^'.*'$/s.test(quoted)) throw new FieldPathError(`expected single quoted string but got ${quoted}`);
      found = below(found, unescaped(quoted.slice(1, -1)));
      const close = take(++i);
      if (close !== ']') throw new FieldPathError(`expected ] but got ${close}`);
    }
  }
  return found;
}

function below({ path, schema }: Found, name: string): Found {
  const { properties, additionalProperties: more } = schema;
  const child = properties ? (Object.hasOwn(properties, name) ? properties[name] : undefined) : typeof more === 'object' ? more : undefined;
  if (!child) throw new FieldPathError('does not refer to a valid field');
  return { path: properties ? (path === '' ? name : `${path}.${name}`) : `${path}[${name}]`, schema: child };
}
