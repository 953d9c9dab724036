// Which handlers serve a declaration's subresources, by the handler name that it gives: verb by verb.

import { pods } from '../../api/core.ts';
import type { UpdateStrategy } from '../registry/registry.ts';
import type { Served } from '../registry/resource-table.ts';
import { getComponentStatus, listComponentStatuses } from './component-statuses.ts';
import { getObject } from './get.ts';
import { type ResourceHandler, unknownResource } from './handler.ts';
import { namespaceFinalize } from './namespace-finalize.ts';
import { patchObject } from './patch.ts';
import { bindPod } from './pod-binding.ts';
import { evictPod } from './pod-eviction.ts';
import { podAttach, podExec, podLog, podPortForward } from './pod-streams.ts';
import { proxyNode, proxyPod, proxyService } from './proxy.ts';
import { reviewHandlers } from './reviews.ts';
import { getScale, patchScale, updateScale } from './scale.ts';
import { requestToken } from './service-account-token.ts';
import { updateObject } from './update.ts';

type ByVerb = Readonly<Record<string, ResourceHandler>>;

/** Streams are asked for with GET (WebSocket) or POST (SPDY). */
const stream = (handler: ResourceHandler): ByVerb => ({ get: handler, create: handler });
const anyMethod = (handler: ResourceHandler): ByVerb => ({
  get: handler,
  create: handler,
  update: handler,
  patch: handler,
  delete: handler,
  head: handler,
  options: handler,
});

/** The object itself, in writes that the subresource's own declaration prepares and checks. */
function view(subresource: string): ByVerb {
  const strategyOf = ({ declaration }: Served): UpdateStrategy => {
    const declared = declaration.subresources?.[subresource];
    return {
      subresource,
      beforeUpdate: (object, old, context) => declared?.beforeUpdate?.(object, old, context),
      validateUpdate: (object, old, context) => declared?.validateUpdate?.(object, old, context) ?? [],
    };
  };
  return { get: getObject, update: updateObject(strategyOf), patch: patchObject(strategyOf) };
}

export const subresourceHandlers: Record<string, ByVerb> = {
  scale: { get: getScale, update: updateScale, patch: patchScale },
  'namespace-finalize': { update: namespaceFinalize },
  'serviceaccount-token': { create: requestToken },
  'pod-binding': { create: bindPod },
  'csr-approval': view('approval'),
  'pod-ephemeralcontainers': view('ephemeralcontainers'),
  'pod-resize': view('resize'),
  'pod-eviction': { create: evictPod },
  'pod-log': { get: podLog },
  'pod-exec': stream(podExec),
  'pod-attach': stream(podAttach),
  'pod-portforward': stream(podPortForward),
  'pod-proxy': anyMethod(proxyPod),
  'service-proxy': anyMethod(proxyService),
  'node-proxy': anyMethod(proxyNode),
};

/** A binding names its pod inside, not in the path. */
const bindNamedPod: ResourceHandler = (ctx, _served, server) => {
  const served = server.resources.ofKind(pods);
  if (!served) throw unknownResource();
  return bindPod(ctx, served, server);
};

/** What serves the kinds that nothing is stored of, by the name that their declarations give. */
export const storelessHandlers: Record<string, ByVerb> = {
  'component-statuses': { get: getComponentStatus, list: listComponentStatuses },
  bindings: { create: bindNamedPod },
  ...Object.fromEntries(Object.entries(reviewHandlers).map(([name, create]) => [name, { create }])),
};
