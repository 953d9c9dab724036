// `proxy` of pods, services and nodes: HTTP through the API server to a port in the cluster.

import { BlockList, isIP } from 'node:net';
import { type Node, type Pod, pods, type Service } from '../../api/core.ts';
import { badRequestError, StatusError } from '../../api/status.ts';
import type { ApiContext } from '../context.ts';
import { randomEndpoint } from '../service-resolver.ts';
import type { ResourceHandler, ServerParts } from './handler.ts';
import { kubeletTarget } from './kubelet-connection.ts';
import { proxyRequest, type Target } from './proxy-request.ts';

interface Destination {
  scheme: string;
  name: string;
  port: string;
}

/** Reads `name`, `name:port` and `scheme:name:port`. @throws StatusError BadRequest */
function destinationOf(text: string, word: string): Destination {
  const parts = text.split(':');
  const [scheme = '', name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts];
  if (parts.length > 3 || name === '' || !['', 'http', 'https'].includes(scheme))
    throw badRequestError(`invalid ${word} request ${JSON.stringify(text)}`);
  return { scheme, name, port };
}

/** The path on the other server, with the query as the client wrote it. */
function pathOf(ctx: ApiContext): string {
  const url = ctx.req.url ?? '';
  const question = url.indexOf('?');
  return `${ctx.state.info.rest || '/'}${question === -1 ? '' : url.slice(question)}`;
}

/** Serving certificates inside of pods are the pods' own affair; nobody here could vouch for them. */
function targetAt(ctx: ApiContext, { scheme, host, port }: { scheme: string; host: string; port: string | number | undefined }): Target {
  const path = pathOf(ctx);
  const number = port === undefined || port === '' ? (scheme === 'https' ? 443 : 80) : Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) {
    const why = /^\d+$/.test(String(port)) ? `address ${port}: invalid port` : `dial tcp: lookup tcp/${port}: unknown port`;
    throw new StatusError('ServiceUnavailable', `error trying to reach service: ${why}`);
  }
  if (scheme === 'https') return { isTls: true, host, port: number, path, tls: { rejectUnauthorized: false, servername: '' } };
  return { isTls: false, host, port: number, path };
}

/** Passes the request on, with links that lead back; the root without its slash is somewhere else. */
function pass(ctx: ApiContext, target: Target): Promise<void> | void {
  const { info, exchange } = ctx.state;
  if (info.rest === '' && !exchange.upgrade && (ctx.method === 'GET' || ctx.method === 'HEAD')) {
    ctx.status = 301;
    const { path } = info;
    ctx.set('Location', `${path}/${(ctx.req.url ?? '').slice(path.length)}`);
    ctx.body = null;
    ctx.status = 301;
    return;
  }
  const pathPrepend = info.rest === '' ? info.path : info.path.slice(0, -info.rest.length);
  return proxyRequest(ctx, target, { pathPrepend });
}

const forbidden = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 32],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['255.255.255.255', 32],
] as const)
  forbidden.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  forbidden.addSubnet(network, prefix, 'ipv6');

/** Nothing on the API server's own machine or link is reached through it. @throws StatusError BadRequest */
function checkAddress(address: string | undefined): string {
  const version = isIP(address ?? '');
  if (!address || version === 0 || forbidden.check(address, version === 6 ? 'ipv6' : 'ipv4')) throw badRequestError('address not allowed');
  return address;
}

const podAddressesOf = ({ status }: Pod) => status?.podIPs?.map(({ ip }) => ip) ?? (status?.podIP ? [status.podIP] : []);

export const proxyPod: ResourceHandler = async (ctx, served) => {
  const { scheme, name, port } = destinationOf(ctx.state.info.name, 'pod');
  const pod = (await served.registry.current(ctx.state.info.namespace, name)).parse() as Pod;
  const firstPort = pod.spec?.containers.find((container) => container.ports?.length)?.ports?.[0]?.containerPort;
  const host = checkAddress(podAddressesOf(pod)[0]);
  return pass(ctx, targetAt(ctx, { scheme, host, port: port || firstPort }));
};

export const proxyNode: ResourceHandler = async (ctx, served, server) => {
  const { scheme, name, port } = destinationOf(ctx.state.info.name, 'node');
  const node = (await served.registry.current('', name)).parse() as Node;
  const target = kubeletTarget(server.kubelet, node, pathOf(ctx));
  if (port === '' || port === String(target.port)) return pass(ctx, target);
  return pass(ctx, targetAt(ctx, { scheme, host: checkAddress(target.host), port }));
};

export const proxyService: ResourceHandler = async (ctx, served, server) => {
  const { scheme, name, port } = destinationOf(ctx.state.info.name, 'service');
  const service = (await served.registry.current(ctx.state.info.namespace, name)).parse() as Service;
  let portName = port;
  if (/^[+-]?\d+$/.test(port)) {
    const servicePort = service.spec?.ports?.find((each) => each.port === Number(port));
    if (!servicePort) throw new StatusError('ServiceUnavailable', `no service port ${Number(port)} found for service "${name}"`);
    portName = servicePort.name ?? '';
  }
  const isFit = isOfPod(server, ctx.state.info.namespace);
  const { host, port: number } = randomEndpoint(server.view, server.random, { service, portName, isFit });
  return pass(ctx, targetAt(ctx, { scheme, host, port: number }));
};

/**
 * Whether an endpoint is an address of the pod that it says it is: whoever may write endpoints may not send the API
 * server just anywhere.
 */
function isOfPod({ resources }: ServerParts, namespace: string): NonNullable<Parameters<typeof randomEndpoint>[2]['isFit']> {
  const served = resources.ofKind(pods);
  return ({ targetRef, addresses }) => {
    if (!served || !targetRef?.name || targetRef.namespace !== namespace) return false;
    const pod = served.cache.get(served.registry.codec.keyOf(namespace, targetRef.name))?.parse() as Pod | undefined;
    return pod !== undefined && podAddressesOf(pod).includes(addresses[0] ?? '');
  };
}
