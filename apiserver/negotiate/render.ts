// Answers in the form that was asked for: bytes as they are wherever possible, transformed only on demand.

import { once } from 'node:events';
import { promisify } from 'node:util';
import { constants, createGzip, gzip } from 'node:zlib';
import { stringify as stringifyYaml } from 'yaml';
import { apiVersionOf, listKindOf } from '../../api/kind.ts';
import { badRequestError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { type ApiContext, jsonType, send } from '../context.ts';
import { envelope, envelopeAround, itemHead, listParts, protobufType } from '../protobuf/envelope.ts';
import type { StoredObject } from '../registry/object-codec.ts';
import type { Served } from '../registry/resource-table.ts';
import { type Accepted, type ProtobufSupport, readAccept } from './accept.ts';
import { objectProtobuf, partialListProtobuf, partialProtobuf } from './protobuf.ts';
import { type IncludeObject, partialJson, tableJson } from './table.ts';

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
  throw badRequestError(`unrecognized includeObject value: ${JSON.stringify(value)}`);
}

/** What of a kind's objects can be said in protobuf. */
export const protobufOf = (served: Served): ProtobufSupport => (served.registry.codec.message ? 'all' : 'metadata');

/** Answers with one object. */
export async function sendObject(ctx: ApiContext, served: Served, object: StoredObject, status: number, nowMs: number): Promise<void> {
  const accepted = readAccept(ctx.req.headers.accept, true, protobufOf(served));
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
  if (accepted.as === 'Table') {
    const options = { version: accepted.asVersion, includeObject: readIncludeObject(ctx), nowMs };
    return sendJson(ctx, 200, tableJson(served.declaration, objects, metadata, options), accepted);
  }
  if (accepted.format === 'protobuf') {
    if (!accepted.as && isLong(objects)) return streamProtobuf(ctx, served, objects, metadata);
    return sendBytes(ctx, 200, protobufType, listProtobuf(served, objects, metadata, accepted));
  }
  if (accepted.as) {
    const head = JSON.stringify({ kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${accepted.asVersion}`, metadata });
    const items = objects.map((object) => partialJson(object.parse(), accepted.asVersion));
    return sendJson(ctx, 200, `${head.slice(0, -1)},"items":[${items.join(',')}]}`, accepted);
  }
  let bytes = 0;
  for (const object of objects) bytes += object.item.length;
  if (bytes > streamBytesMin && accepted.format === 'json' && !isPretty(ctx)) {
    const start = listStart(served, metadata);
    if (wantsGzip(ctx)) return streamGzip(ctx, jsonType, jsonPieces(start, objects));
    return streamList(ctx, { start, objects, itemsBytes: bytes });
  }
  return sendJson(ctx, 200, listBytes(served, objects, metadata), accepted);
}

const streamBytesMin = 1 << 20;
const streamChunkBytes = 64 << 10;

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
  if (wantsGzip(ctx)) return streamGzip(ctx, protobufType, pieces());
  ctx.status = 200;
  ctx.set('Content-Type', protobufType);
  ctx.set('Content-Length', String(before.length + length + after.length));
  const sink = ctx.state.exchange.open();
  for (const chunk of gathered(pieces())) {
    sink.write(chunk);
    await sink.drained();
    if (ctx.state.exchange.signal.aborted) return;
  }
  sink.end();
}

/** Compresses what is made as it is made, no faster than the client takes it. */
async function streamGzip(ctx: ApiContext, type: string, pieces: Iterable<Buffer>): Promise<void> {
  ctx.status = 200;
  ctx.set('Content-Type', type);
  ctx.set('Content-Encoding', 'gzip');
  ctx.append('Vary', 'Accept-Encoding');
  const sink = ctx.state.exchange.open();
  const compressor = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: streamChunkBytes });
  const feed = async () => {
    for (const chunk of gathered(pieces)) if (!compressor.write(chunk)) await once(compressor, 'drain');
    compressor.end();
  };
  const fed = feed();
  // When the client is gone, what is left is not compressed for nobody.
  const onGone = () => compressor.destroy();
  const { signal } = ctx.state.exchange;
  signal.addEventListener('abort', onGone, { once: true });
  try {
    for await (const chunk of compressor) {
      sink.write(chunk);
      await sink.drained();
    }
    await fed;
    sink.end();
  } catch (error) {
    fed.catch(() => undefined);
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', onGone);
  }
}

/** The same bytes in chunks that are worth sending. */
function* gathered(pieces: Iterable<Buffer>): Generator<Buffer> {
  let chunk: Buffer[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    chunk.push(piece);
    bytes += piece.length;
    if (bytes < streamChunkBytes) continue;
    yield Buffer.concat(chunk, bytes);
    chunk = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(chunk, bytes);
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

const wantsGzip = (ctx: ApiContext) => ctx.req.headers['accept-encoding']?.includes('gzip') ?? false;

function isPretty(ctx: ApiContext): boolean {
  const { query } = ctx.state;
  if (!query.has('pretty')) return false;
  const value = query.get('pretty');
  return value !== 'false' && value !== '0';
}
