// Answers in the form that was asked for: bytes as they are wherever possible, transformed only on demand.

import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { stringify as stringifyYaml } from 'yaml';
import { apiVersionOf, type Kind, listKindOf } from '../../api/kind.ts';
import { badRequestError, StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { type ApiContext, jsonType, send } from '../context.ts';
import { envelope, envelopeAround, itemHead, listParts, protobufType } from '../protobuf/envelope.ts';
import type { StoredObject } from '../registry/object-codec.ts';
import type { Served } from '../registry/resource-table.ts';
import { type Accepted, type ProtobufSupport, readAccept } from './accept.ts';
import { objectProtobuf, partialListPieces, partialListProtobuf, partialProtobuf } from './protobuf.ts';
import { streamBytesMin, streamChunkBytes, streamPieces, wantsGzip } from './stream.ts';
import { type IncludeObject, partialJson, tableJson, tablePieces } from './table.ts';

const gzipAsync = promisify(gzip);
const gzipBytesMin = 128 << 10;

export interface ListMetadata {
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
}

/** The includeObject parameter of Tables. @throws StatusError BadRequest */
export function readIncludeObject(ctx: ApiContext): IncludeObject {
  const value = ctx.state.query.get('includeObject') || 'Metadata';
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value;
  const why = `Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`;
  throw badRequestError(`Unable to convert to Table as requested: includeObject: ${why}`);
}

/** What of a kind's objects can be said in protobuf. */
export const protobufOf = (served: Served): ProtobufSupport => (served.registry.codec.message ? 'all' : 'metadata');

/** Answers with one object. */
export async function sendObject(ctx: ApiContext, served: Served, object: StoredObject, status: number, nowMs: number): Promise<void> {
  const accepted = readAccept(ctx.req.headers.accept, true, protobufOf(served));
  if (accepted.as === 'PartialObjectMetadataList') throw notOfKind(accepted.as, served.kind);
  if (accepted.as === 'Table') {
    const metadata = object.revision ? { resourceVersion: String(object.revision) } : {};
    const options = { version: accepted.asVersion, includeObject: readIncludeObject(ctx), nowMs };
    return sendJson(ctx, status, tableJson(served.declaration, [object], metadata, options), accepted);
  }
  if (accepted.format === 'protobuf') {
    const typeMeta = { apiVersion: apiVersionOf(served.kind), kind: served.kind.kind };
    const body = accepted.as ? partialProtobuf(object, accepted.asVersion) : envelope(typeMeta, [object.protobuf()]);
    return sendBytes(ctx, status, protobufType, body);
  }
  if (accepted.as) return sendJson(ctx, status, partialJson(object.parse(), accepted.asVersion), accepted);
  return sendJson(ctx, status, object.wire, accepted);
}

/** Answers with a list. */
export async function sendList(
  ctx: ApiContext,
  served: Served,
  objects: readonly StoredObject[],
  metadata: ListMetadata,
  nowMs: number,
): Promise<void> {
  const accepted = readAccept(ctx.req.headers.accept, true, protobufOf(served));
  if (accepted.as === 'PartialObjectMetadata') throw notOfKind(accepted.as, served.kind);
  const isStreamable = accepted.format === 'protobuf' || (accepted.format === 'json' && !isPretty(ctx));
  if (accepted.as && isStreamable && isLong(objects)) return streamTransformed(ctx, served, { objects, metadata, nowMs, accepted });
  if (accepted.as === 'Table') {
    const options = { version: accepted.asVersion, includeObject: readIncludeObject(ctx), nowMs };
    return sendJson(ctx, 200, tableJson(served.declaration, objects, metadata, options), accepted);
  }
  if (accepted.format === 'protobuf') {
    if (!accepted.as && isLong(objects)) return streamProtobuf(ctx, served, objects, metadata);
    return sendBytes(ctx, 200, protobufType, listProtobuf(served, objects, metadata, accepted));
  }
  if (accepted.as) return sendJson(ctx, 200, Buffer.concat([...partialPieces(objects, metadata, accepted.asVersion)]), accepted);
  let bytes = 0;
  for (const object of objects) bytes += object.item.length;
  if (bytes > streamBytesMin && accepted.format === 'json' && !isPretty(ctx)) {
    const start = listStart(served, metadata);
    if (wantsGzip(ctx)) return streamPieces(ctx, jsonType, { pieces: jsonPieces(start, objects) });
    return streamList(ctx, { start, objects, itemsBytes: bytes });
  }
  return sendJson(ctx, 200, listBytes(served, objects, metadata), accepted);
}

/** Tables and metadata of many objects are made as the client reads them, so that only a few are there at a time. */
function streamTransformed(
  ctx: ApiContext,
  served: Served,
  list: { objects: readonly StoredObject[]; metadata: ListMetadata; nowMs: number; accepted: Accepted },
): Promise<void> {
  const { objects, metadata, nowMs, accepted } = list;
  const version = accepted.asVersion;
  if (accepted.as === 'Table') {
    const options = { version, includeObject: readIncludeObject(ctx), nowMs };
    return streamPieces(ctx, jsonType, { pieces: tablePieces(served.declaration, objects, metadata, options) });
  }
  if (accepted.format === 'protobuf') return streamPieces(ctx, protobufType, partialListPieces(objects, metadata, version));
  return streamPieces(ctx, jsonType, { pieces: partialPieces(objects, metadata, version) });
}

/** metav1.PartialObjectMetadataList. */
function* partialPieces(objects: Iterable<StoredObject>, metadata: ListMetadata, version: string): Generator<Buffer> {
  const head = JSON.stringify({ kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${version}`, metadata });
  let before = `${head.slice(0, -1)},"items":[`;
  for (const object of objects) {
    yield Buffer.from(before + partialJson(object.parse(), version));
    before = ',';
  }
  yield Buffer.from(before === ',' ? ']}' : `${before}]}`);
}

/** What is one object cannot be shown as a list, nor the other way round. Kubernetes names the Go type that it holds. */
function notOfKind(as: 'PartialObjectMetadata' | 'PartialObjectMetadataList', { group, kind }: Kind): StatusError {
  const held = `${kind === 'Event' ? 'core' : group.split('.', 1)[0] || 'core'}.${kind}`;
  const what = as === 'PartialObjectMetadata' ? `is a list (*${held}List)` : `is not a list (*${held})`;
  return new StatusError('NotAcceptable', `you requested ${as}, but the requested object ${what}`);
}

/** A long list goes out piece by piece, as fast as the client reads: memory stays that of a few pieces. */
async function streamList(
  ctx: ApiContext,
  { start, objects, itemsBytes }: { start: Buffer; objects: readonly StoredObject[]; itemsBytes: number },
): Promise<void> {
  ctx.status = 200;
  ctx.set('Content-Type', jsonType);
  // Each item gets its brace and, but for the first, a comma. Known in advance, the length saves framing every piece.
  ctx.set('Content-Length', String(start.length + itemsBytes + 2 * objects.length - 1 + close.length));
  const sink = ctx.state.exchange.open();
  const { signal } = ctx.state.exchange;
  let chunk = Buffer.allocUnsafeSlow(Math.max(streamChunkBytes, start.length));
  let at = start.copy(chunk);
  let isFirst = true;
  for (const { item } of objects) {
    if (at + item.length + 4 > chunk.length) {
      sink.write(chunk.subarray(0, at));
      await sink.drained();
      if (signal.aborted) return;
      chunk = Buffer.allocUnsafeSlow(Math.max(streamChunkBytes, item.length + 4));
      at = 0;
    }
    if (!isFirst) at += comma.copy(chunk, at);
    isFirst = false;
    at += open.copy(chunk, at);
    at += item.copy(chunk, at);
  }
  at += close.copy(chunk, at);
  sink.write(chunk.subarray(0, at));
  sink.end();
}

function* jsonPieces(start: Buffer, objects: readonly StoredObject[]): Generator<Buffer> {
  yield start;
  let isFirst = true;
  for (const { item } of objects) {
    if (!isFirst) yield comma;
    isFirst = false;
    yield open;
    yield item;
  }
  yield close;
}

function isLong(objects: readonly StoredObject[]): boolean {
  let bytes = 0;
  for (const { wire } of objects) {
    bytes += wire.length;
    if (bytes > streamBytesMin) return true;
  }
  return false;
}

/** Of lists up to this long each item's encoding is kept, so that the next list finds it made. */
const keptProtobufItemsMax = 10_000;

async function streamProtobuf(ctx: ApiContext, { kind }: Served, objects: readonly StoredObject[], metadata: ListMetadata): Promise<void> {
  const isKept = objects.length <= keptProtobufItemsMax;
  const itemOf = (object: StoredObject) => (isKept ? object.protobuf() : object.protobufOnce());
  const head = Buffer.concat(listParts(metadata, []));
  let length = head.length;
  for (const object of objects) {
    const bytes = isKept ? object.protobuf().length : object.protobufLength();
    length += itemHead(bytes).length + bytes;
  }
  const { before, after } = envelopeAround({ apiVersion: apiVersionOf(kind), kind: `${kind.kind}List` }, length);
  function* pieces(): Generator<Buffer> {
    yield before;
    yield head;
    for (const object of objects) {
      const item = itemOf(object);
      yield itemHead(item.length);
      yield item;
    }
    yield after;
  }
  return streamPieces(ctx, protobufType, { pieces: pieces(), length: before.length + length + after.length });
}

function listProtobuf({ kind }: Served, objects: readonly StoredObject[], metadata: ListMetadata, accepted: Accepted): Buffer {
  if (accepted.as) return partialListProtobuf(objects, metadata, accepted.asVersion);
  const typeMeta = { apiVersion: apiVersionOf(kind), kind: listKindOf(kind) };
  const items = objects.map((object) => object.protobuf());
  return envelope(typeMeta, listParts(metadata, items));
}

const open = Buffer.from('{');
const comma = Buffer.from(',');
const close = Buffer.from(']}');

function listStart({ kind }: Served, metadata: ListMetadata): Buffer {
  const head = JSON.stringify({ kind: listKindOf(kind), apiVersion: apiVersionOf(kind), metadata });
  return Buffer.from(`${head.slice(0, -1)},"items":[`);
}

/** The list's JSON in one buffer, copied together from the objects' own bytes. */
function listBytes(served: Served, objects: readonly StoredObject[], metadata: ListMetadata): Buffer {
  const start = listStart(served, metadata);
  let length = start.length + 2;
  for (const object of objects) length += object.item.length + 2;
  const bytes = Buffer.allocUnsafe(length);
  let at = start.copy(bytes);
  let isFirst = true;
  for (const object of objects) {
    if (!isFirst) at += comma.copy(bytes, at);
    isFirst = false;
    at += open.copy(bytes, at);
    at += object.item.copy(bytes, at);
  }
  at += close.copy(bytes, at);
  return bytes.subarray(0, at);
}

/** Answers with JSON, or with what the client wants instead of it: YAML, protobuf (of a built-in kind), indented, compressed. */
export async function sendJson(ctx: ApiContext, status: number, json: string | Buffer, accepted: Accepted): Promise<void> {
  if (accepted.format === 'yaml') return sendYaml(ctx, status, json);
  if (accepted.format === 'protobuf')
    return sendBytes(ctx, status, protobufType, objectProtobuf(JSON.parse(json.toString()) as KubeObject));
  let body = json;
  if (isPretty(ctx)) body = `${JSON.stringify(JSON.parse(json.toString()), null, 2)}\n`;
  return sendBytes(ctx, status, jsonType, body);
}

/** Answers with bytes that are made already, compressed if they are many and the client can read that. */
async function sendBytes(ctx: ApiContext, status: number, type: string, bytes: string | Buffer): Promise<void> {
  let body = bytes;
  if (body.length > gzipBytesMin && wantsGzip(ctx)) {
    ctx.set('Content-Encoding', 'gzip');
    ctx.append('Vary', 'Accept-Encoding');
    // Level 1, as Kubernetes: most of the gain for a fraction of the time.
    body = await gzipAsync(body, { level: constants.Z_BEST_SPEED });
  }
  send(ctx, status, type, body);
}

function sendYaml(ctx: ApiContext, status: number, json: string | Buffer): void {
  const text = stringifyYaml(JSON.parse(json.toString()), { lineWidth: 0, aliasDuplicateObjects: false });
  send(ctx, status, 'application/yaml', text);
}

function isPretty(ctx: ApiContext): boolean {
  const { query } = ctx.state;
  if (!query.has('pretty')) return false;
  const value = query.get('pretty');
  return value !== 'false' && value !== '0';
}
