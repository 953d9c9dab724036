// What Kubernetes puts around messages: four bytes and runtime.Unknown, which says the kind; lists; and watch events in
// frames with their length before them.

import { DecodeError } from '../schema/check.ts';
import { rawFields } from './decode.ts';
import { encodeMessage } from './encode.ts';
import { type Message, messageOf } from './message.ts';

export const protobufType = 'application/vnd.kubernetes.protobuf';

const magic = Buffer.from('k8s\0', 'latin1');
const metaPackage = 'io.k8s.apimachinery.pkg.apis.meta.v1';
/** contentEncoding = 3 and contentType = 4, both empty, as Go ends every Unknown. */
const tail = Buffer.from([0x1a, 0, 0x22, 0]);

export interface TypeMeta {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The bytes of a message of meta/v1. */
export function metaMessage(name: string): Message {
  const message = messageOf(`${metaPackage}.${name}`);
  if (!message) throw new Error(`the message table has no ${name}`);
  return message;
}

/** A whole answer: `parts`, which together are the message, in their envelope. */
export function envelope({ apiVersion, kind }: TypeMeta, parts: readonly Buffer[]): Buffer {
  const version = delimited(1, Buffer.from(apiVersion));
  const typeMeta = Buffer.concat([version, delimited(2, Buffer.from(kind))]);
  let length = 0;
  for (const part of parts) length += part.length;
  return Buffer.concat([magic, delimited(1, typeMeta), head(2, length), ...parts, tail]);
}

/** What comes before and after a message of `length` bytes that is sent in pieces. */
export function envelopeAround({ apiVersion, kind }: TypeMeta, length: number): { before: Buffer; after: Buffer } {
  const typeMeta = Buffer.concat([delimited(1, Buffer.from(apiVersion)), delimited(2, Buffer.from(kind))]);
  return { before: Buffer.concat([magic, delimited(1, typeMeta), head(2, length)]), after: tail };
}

/** The tag and length that come before an item of a list. */
export const itemHead = (length: number, number = 2) => head(number, length);

/** The parts of a list's message. `items` are messages of the list's kind. */
export function listParts(metadata: object, items: readonly Buffer[], numbers = { metadata: 1, items: 2 }): Buffer[] {
  const parts: Buffer[] = [];
  for (const item of items) parts.push(head(numbers.items, item.length), item);
  const meta = delimited(numbers.metadata, encodeMessage(metaMessage('ListMeta'), metadata));
  if (numbers.metadata < numbers.items) parts.unshift(meta);
  else parts.push(meta);
  return parts;
}

/** One event of a watch; `object` is in its envelope. */
export function watchFrame(type: string, object: Buffer): Buffer {
  const raw = head(1, object.length);
  const name = delimited(1, Buffer.from(type));
  const wrapped = head(2, raw.length + object.length);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length + wrapped.length + raw.length + object.length);
  return Buffer.concat([length, name, wrapped, raw, object]);
}

export interface Unwrapped extends TypeMeta {
  readonly raw: Uint8Array;
}

/** What a body says it is, and its message's bytes. @throws DecodeError */
export function unwrap(body: Uint8Array): Unwrapped {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes.length === 0) throw new DecodeError('empty data');
  if (!bytes.subarray(0, magic.length).equals(magic)) {
    throw new DecodeError(`provided data does not appear to be a protobuf message, expected prefix [${[...magic].join(' ')}]`);
  }
  if (bytes.length === magic.length) throw new DecodeError('empty body');
  let typeMeta: Buffer = Buffer.alloc(0);
  let raw: Buffer = Buffer.alloc(0);
  for (const [number, value] of rawFields(bytes.subarray(magic.length))) {
    if (typeof value === 'number') continue;
    if (number === 1) typeMeta = value;
    else if (number === 2) raw = value;
  }
  let apiVersion = '';
  let kind = '';
  for (const [number, value] of rawFields(typeMeta)) {
    if (typeof value === 'number') continue;
    if (number === 1) apiVersion = value.toString();
    else if (number === 2) kind = value.toString();
  }
  return { apiVersion, kind, raw };
}

function delimited(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([head(number, bytes.length), bytes]);
}

/** A field's tag and the length of what follows. */
function head(number: number, length: number): Buffer {
  const bytes = [number * 8 + 2];
  let rest = length;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
