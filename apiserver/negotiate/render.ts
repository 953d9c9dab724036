// Answers in the form that was asked for: bytes as they are wherever possible, transformed only on demand.

import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { stringify as stringifyYaml } from 'yaml';
import { apiVersionOf } from '../../api/kind.ts';
import { badRequestError } from '../../api/status.ts';
import { type ApiContext, jsonType, send } from '../context.ts';
import type { StoredObject } from '../registry/object-codec.ts';
import type { Served } from '../registry/resource-table.ts';
import { type Accepted, readAccept } from './accept.ts';
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

/** Answers with one object. */
export async function sendObject(ctx: ApiContext, served: Served, object: StoredObject, status: number, nowMs: number): Promise<void> {
  const accepted = readAccept(ctx.req.headers.accept);
  if (accepted.as === 'Table') {
    const metadata = object.revision ? { resourceVersion: String(object.revision) } : {};
    const options = { version: accepted.asVersion, includeObject: readIncludeObject(ctx), nowMs };
    return sendJson(ctx, status, tableJson(served.declaration, [object], metadata, options), accepted);
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
  const accepted = readAccept(ctx.req.headers.accept);
  if (accepted.as === 'Table') {
    const options = { version: accepted.asVersion, includeObject: readIncludeObject(ctx), nowMs };
    return sendJson(ctx, 200, tableJson(served.declaration, objects, metadata, options), accepted);
  }
  if (accepted.as) {
    const head = JSON.stringify({ kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${accepted.asVersion}`, metadata });
    const items = objects.map((object) => partialJson(object.parse(), accepted.asVersion));
    return sendJson(ctx, 200, `${head.slice(0, -1)},"items":[${items.join(',')}]}`, accepted);
  }
  return sendJson(ctx, 200, listBytes(served, objects, metadata), accepted);
}

const open = Buffer.from('{');
const comma = Buffer.from(',');

/** The list's JSON in one buffer, copied together from the objects' own bytes. */
function listBytes(served: Served, objects: readonly StoredObject[], metadata: ListMetadata): Buffer {
  const { kind } = served;
  const head = JSON.stringify({ kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata });
  const start = Buffer.from(`${head.slice(0, -1)},"items":[`);
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
  at += bytes.write(']}', at, 'latin1');
  return bytes.subarray(0, at);
}

/** Answers with JSON, or with what the client wants instead of it: YAML, indented, compressed. */
export async function sendJson(ctx: ApiContext, status: number, json: string | Buffer, accepted: Accepted): Promise<void> {
  if (accepted.format === 'yaml') return sendYaml(ctx, status, json);
  let body = json;
  if (isPretty(ctx)) body = `${JSON.stringify(JSON.parse(json.toString()), null, 2)}\n`;
  if (body.length > gzipBytesMin && ctx.req.headers['accept-encoding']?.includes('gzip')) {
    ctx.set('Content-Encoding', 'gzip');
    ctx.append('Vary', 'Accept-Encoding');
    // Level 1, as Kubernetes: most of the gain for a fraction of the time.
    body = await gzipAsync(body, { level: constants.Z_BEST_SPEED });
  }
  send(ctx, status, jsonType, body);
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
