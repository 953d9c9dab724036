// Which handlers serve a declaration's subresources, by the handler name that it gives: verb by verb.

import type { ResourceHandler } from './handler.ts';
import { namespaceFinalize } from './namespace-finalize.ts';
import { bindPod } from './pod-binding.ts';
import { evictPod } from './pod-eviction.ts';
import { podAttach, podExec, podLog, podPortForward } from './pod-streams.ts';
import { proxyNode, proxyPod, proxyService } from './proxy.ts';
import { getScale, patchScale, updateScale } from './scale.ts';

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

export const subresourceHandlers: Record<string, ByVerb> = {
  scale: { get: getScale, update: updateScale, patch: patchScale },
  'namespace-finalize': { update: namespaceFinalize },
  'pod-binding': { create: bindPod },
  'pod-eviction': { create: evictPod },
  'pod-log': { get: podLog },
  'pod-exec': stream(podExec),
  'pod-attach': stream(podAttach),
  'pod-portforward': stream(podPortForward),
  'pod-proxy': anyMethod(proxyPod),
  'service-proxy': anyMethod(proxyService),
  'node-proxy': anyMethod(proxyNode),
};
