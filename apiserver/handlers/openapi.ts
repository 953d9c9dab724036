// /openapi/v2 and /openapi/v3, from the documents that the schema makes of what is served.

import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Kind } from '../../api/kind.ts';
import { StatusError } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import type { Aggregator } from '../aggregation/aggregator.ts';
import { type ApiContext, jsonType, send } from '../context.ts';
import type { RemoteVersion } from '../discovery/documents.ts';
import { wantsGzip } from '../negotiate/stream.ts';
import type { ResourceTable } from '../registry/resource-table.ts';
import type { ResourceDeclaration } from '../resources/resource.ts';
import { type OpenApiDocument, OpenApiDocuments } from '../schema/openapi-documents.ts';
import type { Operation } from '../schema/operations.ts';
import type { PathHandler } from './dispatch.ts';

const gzipAsync = promisify(gzip);

/** What answers are called; the name that older clients ask by is none that they could parse themselves. */
const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const protobufTypes = ['application/com.github.proto-openapi.spec.v2@v1.0+protobuf', protobufType];

export interface OpenApiOptions {
  clock: Clock;
  version: string;
  pathOperations: readonly Operation[];
  /** Whose group versions are in the index, and answered for by their own servers. */
  aggregator: Pick<Aggregator, 'remote' | 'openApi'>;
}

/** Serves both; the documents are made on first use, and again after what is served has changed. */
export function openApiPaths(resources: ResourceTable, options: OpenApiOptions): PathHandler {
  let documents: OpenApiDocuments | undefined;
  let generation = '';
  const hashes = new WeakMap<ResourceDeclaration, string>();
  return (ctx) => {
    const { path } = ctx.state.info;
    if (!path.startsWith('/openapi/')) return false;
    const { openApi, remote } = options.aggregator;
    const now = `${resources.generation} ${openApi.generation}`;
    if (!documents || generation !== now) {
      const customSchema = (kind: Kind, form: 2 | 3) => resources.ofKind(kind)?.declaration.openApiSchema?.(form);
      const others = () => openApi.v2(byPriority(remote).map(({ group, version }) => `${version}.${group}`));
      documents = new OpenApiDocuments(resources.declarations, { ...options, customSchema, hashes, others });
      generation = now;
    }
    if (path === '/openapi/v2') return sendV2(ctx, documents).then(() => true);
    if (path === '/openapi/v3') sendDocument(ctx, withRemote(documents.v3Index(), openApi.v3Paths()), jsonType);
    else {
      const name = path.startsWith('/openapi/v3/') ? path.slice('/openapi/v3/'.length) : undefined;
      const document = name === undefined ? undefined : (documents.v3(name) ?? openApi.converted(name));
      if (!document) return false;
      ctx.set('Vary', 'Accept');
      const hash = ctx.state.query.get('hash');
      const newest = document.etag.replaceAll('"', '');
      if (hash && hash !== newest) {
        ctx.status = 301;
        ctx.set('Location', `${path}?hash=${newest}`);
        return true;
      }
      if (hash) {
        // A document that is asked for by its hash never changes.
        ctx.set('Cache-Control', 'public, immutable');
        const inAYear = new Date(options.clock.nowMs());
        inAYear.setUTCFullYear(inAYear.getUTCFullYear() + 1);
        ctx.set('Expires', inAYear.toUTCString());
      }
      sendDocument(ctx, document, jsonType);
    }
    return true;
  };
}

async function sendV2(ctx: ApiContext, documents: OpenApiDocuments): Promise<void> {
  for (const clause of (ctx.req.headers.accept || '*/*').split(',')) {
    const type = clause.split(';', 1)[0]?.trim() ?? '';
    const isJson = type === '*/*' || type === 'application/*' || type === 'application/json';
    if (!isJson && !protobufTypes.includes(type)) continue;
    const document = isJson ? documents.v2Json() : documents.v2Protobuf();
    ctx.set('Vary', 'Accept-Encoding, Accept');
    const isSent = ctx.req.headers['if-none-match'] !== document.etag;
    if (isSent && wantsGzip(ctx)) {
      ctx.set('Content-Encoding', 'gzip');
      sendDocument(ctx, { bytes: await compressed(document.bytes), etag: document.etag }, isJson ? jsonType : protobufType);
    } else sendDocument(ctx, document, isJson ? jsonType : protobufType);
    return;
  }
  throw new StatusError('NotAcceptable', `only the following media types are accepted: application/json, ${protobufTypes[0]}`);
}

/** Made once for each document: it is by far the longest answer that many clients ask for. */
const compressions = new WeakMap<Uint8Array, Promise<Buffer>>();

function compressed(bytes: Uint8Array): Promise<Buffer> {
  let made = compressions.get(bytes);
  if (!made) {
    made = gzipAsync(bytes);
    compressions.set(bytes, made);
  }
  return made;
}

/** The index with what other servers have that is not here. */
function withRemote(index: OpenApiDocument, others: ReadonlyMap<string, string>): OpenApiDocument {
  if (others.size === 0) return index;
  const { paths } = JSON.parse(index.bytes.toString()) as { paths: Record<string, { serverRelativeURL: string }> };
  for (const [path, serverRelativeURL] of others) paths[path] ??= { serverRelativeURL };
  const bytes = Buffer.from(JSON.stringify({ paths }));
  return { bytes, etag: `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"` };
}

/** In the order in which they are merged: groups by priority, then by name. */
const byPriority = (remote: readonly RemoteVersion[]) =>
  [...remote].sort((a, b) => b.groupPriority - a.groupPriority || (`${a.version}.${a.group}` < `${b.version}.${b.group}` ? -1 : 1));

function sendDocument(ctx: ApiContext, { bytes, etag }: OpenApiDocument, type: string): void {
  ctx.set('ETag', etag);
  if (ctx.req.headers['if-none-match'] === etag) ctx.status = 304;
  else send(ctx, 200, type, bytes);
}
