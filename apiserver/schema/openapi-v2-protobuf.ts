// The OpenAPI 2 document as gnostic's protobuf message openapi.v2.Document, which kubectl up to 1.25 asks for. Field
// numbers are those of gnostic's OpenAPIv2.proto; what Kubernetes never publishes is left out.

import type { OpenApiSchema } from './openapi-definitions.ts';

/** A field: its number, and how its JSON value is written. */
type Field = [number, Writer];
type Writer = (out: Message, number: number, value: unknown) => void;

/** The wire form of one message under construction. */
class Message {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  #push(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  varint(number: number, value: number): void {
    this.#push(varint(number * 8));
    this.#push(varint(value));
  }

  bytes(number: number, value: Uint8Array): void {
    this.#push(varint(number * 8 + 2));
    this.#push(varint(value.length));
    this.#push(value);
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#parts, this.#length);
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

const text: Writer = (out, number, value) => out.bytes(number, Buffer.from(String(value)));
const flag: Writer = (out, number, value) => (value ? out.varint(number, 1) : undefined);
const texts: Writer = (out, number, value) => (value as unknown[]).forEach((item) => void text(out, number, item));
/** Any: a YAML text, for which JSON will do. */
const any: Writer = (out, number, value) => {
  const inner = new Message();
  text(inner, 2, `${JSON.stringify(value)}\n`);
  out.bytes(number, inner.finish());
};

function message(fields: () => Record<string, Field>, extensions?: number): Writer {
  let table: Record<string, Field> | undefined;
  return (out, number, value) => {
    table ??= fields();
    const inner = new Message();
    for (const [key, item] of Object.entries(value as OpenApiSchema)) {
      const field = table[key];
      if (field) field[1](inner, field[0], item);
      else if (key.startsWith('x-') && extensions !== undefined) named(any)(inner, extensions, { [key]: item });
    }
    out.bytes(number, inner.finish());
  };
}

/** A map as repeated pairs of name = 1 and value = 2. */
function named(writer: Writer): Writer {
  return (out, number, value) => {
    for (const [name, item] of Object.entries(value as OpenApiSchema)) {
      const pair = new Message();
      text(pair, 1, name);
      writer(pair, 2, item);
      out.bytes(number, pair.finish());
    }
  };
}

/** A message around one field. */
function wrap(inner: number, writer: Writer): Writer {
  return (out, number, value) => {
    const around = new Message();
    writer(around, inner, value);
    out.bytes(number, around.finish());
  };
}
const repeated =
  (writer: Writer): Writer =>
  (out, number, value) =>
    (value as unknown[]).forEach((item) => void writer(out, number, item));

const schema: Writer = message(
  () => ({
    $ref: [1, text],
    format: [2, text],
    title: [3, text],
    description: [4, text],
    default: [5, any],
    pattern: [13, text],
    uniqueItems: [16, flag],
    required: [19, texts],
    enum: [20, repeated(any)],
    additionalProperties: [21, (out, number, value) => (typeof value === 'boolean' ? wrap(2, flag) : wrap(1, schema))(out, number, value)],
    type: [22, wrap(1, text)],
    items: [23, wrap(1, schema)],
    allOf: [24, repeated(schema)],
    properties: [25, wrap(1, named(schema))],
  }),
  31,
);

const bodyParameter = message(
  () => ({ description: [1, text], name: [2, text], in: [3, text], required: [4, flag], schema: [5, schema] }),
  6,
);
const queryParameter = message(
  () => ({ required: [1, flag], in: [2, text], description: [3, text], name: [4, text], type: [6, text], uniqueItems: [20, flag] }),
  23,
);
const pathParameter = message(
  () => ({ required: [1, flag], in: [2, text], description: [3, text], name: [4, text], type: [5, text], uniqueItems: [19, flag] }),
  22,
);

/** ParametersItem.parameter, then the body's or the path's or query's place among non-body parameters. */
const parameter: Writer = (out, number, value) => {
  const place = (value as OpenApiSchema)['in'];
  const inner = place === 'body' ? wrap(1, bodyParameter) : wrap(2, place === 'path' ? wrap(4, pathParameter) : wrap(3, queryParameter));
  wrap(1, inner)(out, number, value);
};
const response = message(() => ({ description: [1, text], schema: [2, wrap(1, schema)] }), 5);
const operation = message(
  () => ({
    tags: [1, texts],
    description: [3, text],
    operationId: [5, text],
    produces: [6, texts],
    consumes: [7, texts],
    parameters: [8, repeated(parameter)],
    responses: [9, wrap(1, named(wrap(1, response)))],
    schemes: [10, texts],
  }),
  13,
);
const pathItem = message(
  () => ({
    get: [2, operation],
    put: [3, operation],
    post: [4, operation],
    delete: [5, operation],
    options: [6, operation],
    head: [7, operation],
    patch: [8, operation],
    parameters: [9, repeated(parameter)],
  }),
  10,
);
/** Maps whose message is only their pairs lie one wrapper deep; the pairs' own number differs for paths and responses. */
const pairs =
  (number: number, writer: Writer): Writer =>
  (out, outer, value) => {
    const inner = new Message();
    named(writer)(inner, number, value);
    out.bytes(outer, inner.finish());
  };
const apiKey = message(() => ({ type: [1, text], name: [2, text], in: [3, text], description: [4, text] }), 5);
const stringArray = message(() => ({ value: [1, texts] }));
const securityRequirement: Writer = pairs(1, (out, number, value) => stringArray(out, number, { value }));

const document = message(
  () => ({
    swagger: [1, text],
    info: [2, message(() => ({ title: [1, text], version: [2, text], description: [3, text] }), 7)],
    paths: [8, pairs(2, pathItem)],
    definitions: [9, pairs(1, schema)],
    security: [12, repeated(securityRequirement)],
    securityDefinitions: [13, pairs(1, wrap(2, apiKey))],
  }),
  16,
);

/** The bytes of a document that openApiV2() made. */
export function openApiV2Protobuf(openApi: OpenApiSchema): Uint8Array {
  const around = new Message();
  document(around, 1, openApi);
  const bytes = around.finish();
  // Without the tag and length that put it into another message.
  let start = 1;
  while (bytes[start]! >= 0x80) start++;
  return bytes.subarray(start + 1);
}
