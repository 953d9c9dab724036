// Answers in the form that was asked for: bytes as they are wherever possible, transformed only on demand.

import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { stringify as stringifyYaml } from 'yaml';
import { parseJson, stringifyJson } from '../../api/json.ts';
import { apiVersionOf, type Kind, listKindOf } from '../../api/kind.ts';
import { badRequestError, StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { type ApiContext, jsonType, send } from '../context.ts';
import { envelope, envelopeAround, itemHead, listParts, protobufType } from '../protobuf/envelope.ts';
import { escapeHtml } from '../protobuf/go-json.ts';
import type { StoredObject } from '../registry/object-codec.ts';
import type { Served } from '../registry/resource-table.ts';
import { type Accepted, type ProtobufSupport, readAccept } from './accept.ts';
import { copyList, type ListParts, listLength, streamList } from './list-stream.ts';
import { objectProtobuf, partialListPieces, partialListProtobuf, partialProtobuf } from './protobuf.ts';
import { streamBytesMin, streamPieces, wantsGzip } from './stream.ts';
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
  const isStreamable = accepted.format === 'protobuf' || (accepted.format === 'json' && !isPretty(ctx, accepted));
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
  const parts: ListParts = { start: listStart(served, metadata), objects, end: close };
  const length = listLength(parts);
  if (length > streamBytesMin && accepted.format === 'json' && !isPretty(ctx, accepted)) {
    if (wantsGzip(ctx)) return streamPieces(ctx, jsonType, { pieces: jsonPieces(parts) });
    ctx.status = 200;
    ctx.set('Content-Type', jsonType);
    // Known in advance, the length saves framing every piece.
    ctx.set('Content-Length', String(length));
    return streamList(ctx, parts);
  }
  const bytes = Buffer.allocUnsafe(length);
  copyList(parts, bytes);
  return sendJson(ctx, 200, bytes, accepted);
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
  yield Buffer.from(before === ',' ? ']}\n' : `${before}]}\n`);
}

/** What is one object cannot be shown as a list, nor the other way round. Kubernetes names the Go type that it holds. */
function notOfKind(as: 'PartialObjectMetadata' | 'PartialObjectMetadataList', { group, kind }: Kind): StatusError {
  const held = `${kind === 'Event' ? 'core' : group.split('.', 1)[0] || 'core'}.${kind}`;
  const what = as === 'PartialObjectMetadata' ? `is a list (*${held}List)` : `is not a list (*${held})`;
  return new StatusError('NotAcceptable', `you requested ${as}, but the requested object ${what}`);
}

function* jsonPieces({ start, objects, end }: ListParts): Generator<Buffer> {
  yield start;
  let isFirst = true;
  for (const { item } of objects) {
    if (!isFirst) yield comma;
    isFirst = false;
    yield open;
    yield item;
  }
  yield end;
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

const newline = 10;
const lineEnd = Buffer.from('\n');
const open = Buffer.from('{');
const comma = Buffer.from(',');
const close = Buffer.from(']}\n');

function listStart({ kind }: Served, metadata: ListMetadata): Buffer {
  const head = JSON.stringify({ kind: listKindOf(kind), apiVersion: apiVersionOf(kind), metadata });
  return Buffer.from(`${head.slice(0, -1)},"items":[`);
}

/** Answers with JSON, or with what the client wants instead of it: YAML, protobuf (of a built-in kind), indented, compressed. */
export async function sendJson(ctx: ApiContext, status: number, json: string | Buffer, accepted: Accepted): Promise<void> {
  if (accepted.format === 'yaml') return sendYaml(ctx, status, json);
  if (accepted.format === 'protobuf') return sendBytes(ctx, status, protobufType, objectProtobuf(parseJson(json.toString()) as KubeObject));
  // Kubernetes ends what it writes as JSON with a newline.
  if (isPretty(ctx, accepted)) return sendBytes(ctx, status, jsonType, escapeHtml(stringifyJson(parseJson(json.toString()), 2)));
  const body = typeof json === 'string' ? `${escapeHtml(json)}\n` : json.at(-1) === newline ? json : Buffer.concat([json, lineEnd]);
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
  const text = stringifyYaml(parseJson(json.toString()), { lineWidth: 0, aliasDuplicateObjects: false });
  send(ctx, status, 'application/yaml', text);
}

const isTrue = /^(?:1|t|T|TRUE|true|True)$/;
/** Browsers and tools of the command line, behind which people sit. */
const people = /^(?:curl|Wget|Mozilla\/5\.0)/;

/** Whether JSON is to be indented: the media type or the query say so, or it is for a person to read. */
function isPretty(ctx: ApiContext, accepted: Accepted): boolean {
  if (accepted.isPretty) return true;
  const asked = ctx.state.query.get('pretty');
  return asked ? isTrue.test(asked) : people.test(ctx.req.headers['user-agent'] ?? '');
}
