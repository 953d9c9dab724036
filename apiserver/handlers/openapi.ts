// /openapi/v2 and /openapi/v3, from the documents that the schema makes of what is served.

import { createHash } from 'node:crypto';
import type { Kind } from '../../api/kind.ts';
import { StatusError } from '../../api/status.ts';
import type { Aggregator } from '../aggregation/aggregator.ts';
import { type ApiContext, jsonType, send } from '../context.ts';
import type { RemoteVersion } from '../discovery/documents.ts';
import type { ResourceTable } from '../registry/resource-table.ts';
import type { ResourceDeclaration } from '../resources/resource.ts';
import { type OpenApiDocument, OpenApiDocuments } from '../schema/openapi-documents.ts';
import type { Operation } from '../schema/operations.ts';
import type { PathHandler } from './dispatch.ts';

/** What answers are called; the name that older clients ask by is none that they could parse themselves. */
const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const protobufTypes = ['application/com.github.proto-openapi.spec.v2@v1.0+protobuf', protobufType];

export interface OpenApiOptions {
  version: string;
  pathOperations: readonly Operation[];
  /** Whose group versions are in the index, and answered for by their own servers. */
  aggregator: Pick<Aggregator, 'remote'>;
}

/** Serves both; the documents are made on first use, and again after what is served has changed. */
export function openApiPaths(resources: ResourceTable, options: OpenApiOptions): PathHandler {
  let documents: OpenApiDocuments | undefined;
  let generation = -1;
  const hashes = new WeakMap<ResourceDeclaration, string>();
  return (ctx) => {
    const { path } = ctx.state.info;
    if (!path.startsWith('/openapi/')) return false;
    if (!documents || generation !== resources.generation) {
      const customSchema = (kind: Kind, form: 2 | 3) => resources.ofKind(kind)?.declaration.openApiSchema?.(form);
      documents = new OpenApiDocuments(resources.declarations, { ...options, customSchema, hashes });
      generation = resources.generation;
    }
    if (path === '/openapi/v2') sendV2(ctx, documents);
    else if (path === '/openapi/v3') sendDocument(ctx, withRemote(documents.v3Index(), options.aggregator.remote), jsonType);
    else {
      const document = path.startsWith('/openapi/v3/') ? documents.v3(path.slice('/openapi/v3/'.length)) : undefined;
      if (!document) return false;
      // A document that is asked for by its hash never changes.
      if (ctx.state.query.has('hash')) ctx.set('Cache-Control', 'public, immutable');
      sendDocument(ctx, document, jsonType);
    }
    return true;
  };
}

function sendV2(ctx: ApiContext, documents: OpenApiDocuments): void {
  for (const clause of (ctx.req.headers.accept || '*/*').split(',')) {
    const type = clause.split(';', 1)[0]?.trim() ?? '';
    const isJson = type === '*/*' || type === 'application/*' || type === 'application/json';
    if (!isJson && !protobufTypes.includes(type)) continue;
    sendDocument(ctx, isJson ? documents.v2Json() : documents.v2Protobuf(), isJson ? jsonType : protobufType);
    return;
  }
  throw new StatusError('NotAcceptable', `only the following media types are accepted: application/json, ${protobufTypes[0]}`);
}

function withRemote(index: OpenApiDocument, remote: readonly RemoteVersion[]): OpenApiDocument {
  if (remote.length === 0) return index;
  const { paths } = JSON.parse(index.bytes.toString()) as { paths: Record<string, { serverRelativeURL: string }> };
  for (const { group, version } of remote)
    paths[`apis/${group}/${version}`] ??= { serverRelativeURL: `/openapi/v3/apis/${group}/${version}` };
  const bytes = Buffer.from(JSON.stringify({ paths }));
  return { bytes, etag: `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"` };
}

function sendDocument(ctx: ApiContext, { bytes, etag }: OpenApiDocument, type: string): void {
  ctx.set('ETag', etag);
  ctx.set('Vary', 'Accept-Encoding, Accept');
  if (ctx.req.headers['if-none-match'] === etag) ctx.status = 304;
  else send(ctx, 200, type, bytes);
}
