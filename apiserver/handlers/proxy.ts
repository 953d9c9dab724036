// `proxy` of pods, services and nodes: HTTP through the API server to a port in the cluster.

import { type Endpoints, endpoints, type Node, type Pod, type Service } from '../../api/core.ts';
import { badRequestError, StatusError } from '../../api/status.ts';
import type { ApiContext } from '../context.ts';
import type { Served } from '../registry/resource-table.ts';
import type { ResourceHandler, ServerParts } from './handler.ts';
import { kubeletTarget, proxyRequest, type Target } from './kubelet-connection.ts';

interface Destination {
  scheme: string;
  name: string;
  port: string;
}

/** Reads `name`, `name:port` and `scheme:name:port`. */
function destinationOf(text: string): Destination {
  const parts = text.split(':');
  if (parts.length === 1) return { scheme: '', name: text, port: '' };
  if (parts.length === 2) return { scheme: '', name: parts[0] ?? '', port: parts[1] ?? '' };
  const [scheme = '', name = '', port = ''] = parts;
  if (parts.length > 3 || (scheme !== '' && scheme !== 'http' && scheme !== 'https'))
    throw badRequestError(`invalid request ${JSON.stringify(text)}`);
  return { scheme, name, port };
}

function pathOf(ctx: ApiContext): string {
  const query = ctx.state.query.size ? `?${ctx.state.query}` : '';
  return `${ctx.state.info.rest || '/'}${query}`;
}

/** Serving certificates inside of pods are the pods' own affair; nobody here could vouch for them. */
const targetOf = (scheme: string, host: string, port: number, path: string): Target =>
  scheme === 'https' ? { isTls: true, host, port, path, tls: { rejectUnauthorized: false } } : { isTls: false, host, port, path };

export const proxyPod: ResourceHandler = async (ctx, served) => {
  const { scheme, name, port } = destinationOf(ctx.state.info.name);
  const pod = (await served.registry.current(ctx.state.info.namespace, name)).parse() as Pod;
  const host = pod.status?.podIP;
  if (!host) throw badRequestError('address not allowed');
  const firstPort = pod.spec?.containers
    .flatMap((container) => container.ports ?? [])
    .find((containerPort) => containerPort.containerPort > 0);
  return proxyRequest(
    ctx,
    targetOf(scheme, host, Number(port) || firstPort?.containerPort || (scheme === 'https' ? 443 : 80), pathOf(ctx)),
  );
};

export const proxyNode: ResourceHandler = async (ctx, served, server) => {
  const { name } = destinationOf(ctx.state.info.name);
  const node = (await served.registry.current('', name)).parse() as Node;
  return proxyRequest(ctx, kubeletTarget(server.kubelet, node, pathOf(ctx)));
};

export const proxyService: ResourceHandler = async (ctx, served, server) => {
  const { scheme, name, port } = destinationOf(ctx.state.info.name);
  const service = (await served.registry.current(ctx.state.info.namespace, name)).parse() as Service;
  const { host, number } = await endpointOf(ctx, served, server, service, port);
  return proxyRequest(ctx, targetOf(scheme, host, number, pathOf(ctx)));
};

async function endpointOf(
  ctx: ApiContext,
  _: Served,
  server: ServerParts,
  service: Service,
  port: string,
): Promise<{ host: string; number: number }> {
  const name = service.metadata?.name ?? '';
  const ports = service.spec?.ports ?? [];
  const wanted = port === '' ? ports[0] : ports.find((each) => each.name === port || String(each.port) === port);
  if (!wanted)
    throw new StatusError('ServiceUnavailable', `no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`);
  const object = await server.resources.ofKind(endpoints)?.registry.current(ctx.state.info.namespace, name);
  for (const subset of (object?.parse() as Endpoints | undefined)?.subsets ?? []) {
    const target = subset.ports?.find((each) => (each.name ?? '') === (wanted.name ?? ''));
    const addresses = subset.addresses ?? [];
    const address = addresses[Math.floor(server.random.float() * addresses.length)];
    if (target && address) return { host: address.ip, number: target.port };
  }
  throw new StatusError('ServiceUnavailable', `no endpoints available for service ${JSON.stringify(name)}`);
}
