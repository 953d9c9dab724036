// Which handlers serve a declaration's subresources, by the handler name that it gives: verb by verb.

import type { UpdateStrategy } from '../registry/registry.ts';
import type { Served } from '../registry/resource-table.ts';
import { getComponentStatus, listComponentStatuses } from './component-statuses.ts';
import { getObject } from './get.ts';
import type { ResourceHandler } from './handler.ts';
import { namespaceFinalize } from './namespace-finalize.ts';
import { patchObject } from './patch.ts';
import { bindPod } from './pod-binding.ts';
import { evictPod } from './pod-eviction.ts';
import { podAttach, podExec, podLog, podPortForward } from './pod-streams.ts';
import { proxyNode, proxyPod, proxyService } from './proxy.ts';
import { reviewHandlers } from './reviews.ts';
import { getScale, patchScale, updateScale } from './scale.ts';
import { requestToken } from './service-account-token.ts';
import { connecting, type OptionFields } from './subresource-admission.ts';
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

const streams: OptionFields = { stdin: 'boolean', stdout: 'boolean', stderr: 'boolean', tty: 'boolean', container: 'text' };

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
  'pod-exec': stream(connecting('PodExecOptions', { ...streams, command: 'texts' }, podExec)),
  'pod-attach': stream(connecting('PodAttachOptions', streams, podAttach)),
  'pod-portforward': stream(connecting('PodPortForwardOptions', { ports: 'numbers' }, podPortForward)),
  'pod-proxy': anyMethod(connecting('PodProxyOptions', {}, proxyPod)),
  'service-proxy': anyMethod(connecting('ServiceProxyOptions', {}, proxyService)),
  'node-proxy': anyMethod(connecting('NodeProxyOptions', {}, proxyNode)),
};

/** What serves the kinds that nothing is stored of, by the name that their declarations give. */
export const storelessHandlers: Record<string, ByVerb> = {
  'component-statuses': { get: getComponentStatus, list: listComponentStatuses },
  bindings: { create: bindPod },
  ...Object.fromEntries(Object.entries(reviewHandlers).map(([name, create]) => [name, { create }])),
};
