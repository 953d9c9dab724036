// The last link of the chain: which handler serves a request.

import { notFoundError } from '../../api/status.ts';
import type { Aggregator } from '../aggregation/aggregator.ts';
import { type ApiContext, jsonType, send } from '../context.ts';
import type { Served } from '../registry/resource-table.ts';
import { HealthMetrics } from '../slis.ts';
import { createObject } from './create.ts';
import { deleteObject } from './delete.ts';
import { deleteCollection } from './delete-collection.ts';
import type { DiscoveryHandler } from './discovery.ts';
import { getObject } from './get.ts';
import { methodNotAllowed, type ResourceHandler, refuseUnlessGet, type ServerParts, unknownResource } from './handler.ts';
import { type HealthCheck, serveHealth } from './health.ts';
import { listObjects } from './list.ts';
import { patchObject } from './patch.ts';
import { serveRootPaths } from './root-paths.ts';
import { storelessHandlers, subresourceHandlers } from './subresources.ts';
import { updateObject } from './update.ts';
import { watchObjects } from './watch.ts';

const mainHandlers: Record<string, ResourceHandler> = {
  create: createObject,
  get: getObject,
  list: listObjects,
  watch: watchObjects,
  update: updateObject(),
  patch: patchObject(),
  delete: deleteObject,
  deletecollection: deleteCollection,
};

const statusStrategyOf = (served: Served) => served.registry.statusStrategy;
const statusHandlers: Record<string, ResourceHandler> = {
  get: getObject,
  update: updateObject(statusStrategyOf),
  patch: patchObject(statusStrategyOf),
};

/** A path outside of /api and /apis that something is served at. */
export type PathHandler = (ctx: ApiContext) => Promise<boolean> | boolean;

export interface DispatchOptions {
  server: ServerParts;
  discovery: DiscoveryHandler;
  /** Asked for what is not served here. */
  aggregator: Aggregator;
  checks: readonly HealthCheck[];
  /** version.Info. */
  version: object;
  /** Asked in order for paths that nothing else serves; true: served. */
  paths: readonly PathHandler[];
  /** What those serve, as `/` lists it. */
  pathNames: readonly string[];
}

export function dispatch(options: DispatchOptions): (ctx: ApiContext) => Promise<void> {
  const { server, discovery, aggregator, checks, version, paths, pathNames } = options;
  const health = new HealthMetrics();
  return async (ctx) => {
    const { info } = ctx.state;
    if (info.isResource) return serveResource(ctx, server, aggregator);
    const path = info.path;
    if (path === '/version' || path === '/version/') {
      refuseUnlessGet(ctx);
      return send(ctx, 200, jsonType, JSON.stringify(version, null, 2));
    }
    if (path === '/metrics') return send(ctx, 200, server.metrics.contentType, await server.metrics.render());
    if (path === '/metrics/slis') return send(ctx, 200, server.metrics.contentType, await health.render());
    if (serveRootPaths(ctx, { resources: server.resources, remote: aggregator.remote, checks, others: pathNames })) return;
    if (await serveHealth(ctx, checks, health)) return;
    if (await discovery.serve(ctx)) return;
    for (const serve of paths) if (await serve(ctx)) return;
    if (await aggregator.serve(ctx)) return;
    if (/^\/apis?(\/|$)/.test(path)) throw unknownResource();
    send(ctx, 404, 'text/plain; charset=utf-8', '404 page not found\n');
  };
}

async function serveResource(ctx: ApiContext, server: ServerParts, aggregator: Aggregator): Promise<void> {
  const { info } = ctx.state;
  const served = server.resources.find(info.group, info.version, info.resource);
  if (!served) {
    if (await aggregator.serve(ctx)) return;
    throw unknownResource();
  }
  const { deprecation } = served.declaration;
  if (deprecation) {
    ctx.state.warnings.add(deprecation);
    server.metrics.deprecatedApiRequested(info);
  }
  const handler = info.subresource ? subresourceHandlerOf(ctx, served) : mainHandlerOf(ctx, served);
  return handler(ctx, served, server);
}

function mainHandlerOf(ctx: ApiContext, served: Served): ResourceHandler {
  const { info } = ctx.state;
  // A collection of a namespaced kind over all namespaces can be read, and nothing else.
  const isMisplaced = served.kind.namespaced ? info.namespace === '' && info.verb !== 'list' && info.verb !== 'watch' : isInNamespace(ctx);
  if (isMisplaced) throw unknownResource();
  const answering = served.declaration.handler;
  const byVerb = answering === undefined ? mainHandlers : storelessHandlers[answering];
  const handler = served.verbs.has(info.verb) ? byVerb?.[info.verb] : undefined;
  const wantsName = info.verb === 'update' || info.verb === 'patch';
  const isOfCollection = info.name === '';
  if (!handler || (wantsName && isOfCollection) || (info.verb === 'create' && !isOfCollection)) throw methodNotAllowed(served, info.verb);
  return handler;
}

/** `namespaces/x` itself is in no namespace, although its name stands where one would. */
function isInNamespace(ctx: ApiContext): boolean {
  const { info } = ctx.state;
  return info.namespace !== '' && info.resource !== 'namespaces';
}

function subresourceHandlerOf(ctx: ApiContext, served: Served): ResourceHandler {
  const { info } = ctx.state;
  const { declaration } = served;
  if (info.subresource === 'status' && declaration.status) {
    const handler = statusHandlers[info.verb];
    if (!handler) throw methodNotAllowed(served, info.verb);
    return handler;
  }
  const name = info.subresource === 'scale' && declaration.scale ? 'scale' : declaration.subresources?.[info.subresource]?.handler;
  const handlers = name === undefined ? undefined : subresourceHandlers[name];
  if (!handlers) throw declaration.isCustom ? notFoundError(served.kind, info.name) : unknownResource();
  const handler = handlers[info.verb];
  if (!handler) throw methodNotAllowed(served, info.verb);
  return handler;
}
