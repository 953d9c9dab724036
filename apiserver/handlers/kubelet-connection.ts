// How the API server reaches what runs on nodes: the kubelet's HTTPS server, with the API server's own client
// certificate, and pods directly. Upgraded connections (WebSocket, SPDY) are carried byte for byte: this is the one
// place where a request of a client goes on to another server.

import { type ClientRequest, type IncomingMessage, request as plainRequest, STATUS_CODES } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Node } from '../../api/core.ts';
import { StatusError } from '../../api/status.ts';
import type { ApiContext, Upgrade } from '../context.ts';

export interface KubeletConnection {
  /** PEM of the client certificate that kubelets know the API server by. */
  cert: string;
  key: string;
  /** PEM of the authority that signed the kubelets' serving certificates. */
  ca: string;
}

/** Where a request goes on to. */
export interface Target {
  isTls: boolean;
  host: string;
  port: number;
  /** With its query. */
  path: string;
  tls?: { cert?: string; key?: string; ca?: string; servername?: string; rejectUnauthorized?: boolean };
}

const kubeletPort = 10250;
const addressTypes = ['InternalIP', 'Hostname', 'InternalDNS', 'ExternalIP', 'ExternalDNS'];

/** A path on a node's kubelet. @throws StatusError when there is no way to it */
export function kubeletTarget(connection: KubeletConnection | undefined, node: Node, path: string): Target {
  const name = node.metadata?.name ?? '';
  if (!connection) throw new StatusError('ServiceUnavailable', `no kubelet can be reached: node ${name} has no kubelet server`);
  const addresses = node.status?.addresses ?? [];
  const host = addressTypes.map((type) => addresses.find((address) => address.type === type)?.address).find((address) => address);
  if (!host) throw new StatusError('InternalError', `Internal error occurred: no preferred addresses found; known addresses: []`);
  const endpoint = node.status?.daemonEndpoints?.kubeletEndpoint as { Port?: number } | undefined;
  // The kubelet's certificate carries the node's name, whichever address it was reached by.
  return { isTls: true, host, port: endpoint?.Port || kubeletPort, path, tls: { ...connection, servername: name } };
}

/** What travels hop by hop is not for the other side. */
const hopHeaders = new Set(['connection', 'keep-alive', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'host']);
/** Credentials are the API server's business; the other side has its own. */
const credentialHeaders = new Set(['authorization', 'cookie']);

/** Sends the client's request on, streams the answer back, and joins the connections when both sides upgrade. */
export async function proxyRequest(
  ctx: ApiContext,
  target: Target,
  options: { checkStatus?: boolean; identity?: Record<string, string | string[]> } = {},
): Promise<void> {
  const { upgrade } = ctx.state.exchange;
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(ctx.req.headers)) {
    const isOurs = credentialHeaders.has(name) || name.startsWith('x-remote-') || name.startsWith('impersonate-');
    if (value !== undefined && !hopHeaders.has(name) && !isOurs) headers[name] = value;
  }
  Object.assign(headers, options.identity);
  if (upgrade) {
    headers['connection'] = 'Upgrade';
    headers['upgrade'] = ctx.req.headers.upgrade ?? '';
  }
  const outgoing = dial(ctx, target, headers);
  // Listening from the start: a connection can fail before the body has come.
  const answering = answerOf(outgoing, target);
  answering.catch(() => {});
  if (ctx.method === 'GET' || ctx.method === 'HEAD' || upgrade) outgoing.end();
  else outgoing.end(await ctx.state.exchange.body(Number.MAX_SAFE_INTEGER));
  const answer = await answering;
  if (answer.socket && upgrade) return join(ctx, upgrade, answer.response, answer.socket, answer.head);
  return stream(ctx, answer.response, options.checkStatus ?? false);
}

function dial(ctx: ApiContext, target: Target, headers: Record<string, string | string[]>): ClientRequest {
  const options = {
    host: target.host,
    port: target.port,
    path: target.path,
    method: ctx.method,
    headers,
    signal: ctx.state.exchange.signal,
  };
  return target.isTls ? tlsRequest({ ...options, ...target.tls }) : plainRequest(options);
}

interface Answer {
  response: IncomingMessage;
  socket?: Duplex;
  head: Buffer;
}

function answerOf(outgoing: ClientRequest, target: Target): Promise<Answer> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', (response) => resolve({ response, head: Buffer.alloc(0) }));
    outgoing.once('upgrade', (response, socket, head) => resolve({ response, socket, head }));
    outgoing.once('error', (error) => {
      const message = `error trying to reach service: dial tcp ${target.host}:${target.port}: ${error.message}`;
      reject(error.name === 'AbortError' ? error : new StatusError('ServiceUnavailable', message));
    });
  });
}

async function stream(ctx: ApiContext, response: IncomingMessage, checkStatus: boolean): Promise<void> {
  const code = response.statusCode ?? 502;
  if (checkStatus && (code < 200 || code > 206)) throw await errorOf(ctx, response, code);
  for (const [name, value] of Object.entries(response.headers)) if (value !== undefined && !hopHeaders.has(name)) ctx.set(name, value);
  if (code !== 200) {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    ctx.status = code;
    ctx.body = Buffer.concat(chunks);
    return;
  }
  const sink = ctx.state.exchange.open();
  try {
    for await (const chunk of response) {
      sink.write(chunk as Buffer);
      await sink.drained();
    }
    sink.end();
  } catch (error) {
    // The answer has begun: all that can be said now is that it is not whole.
    sink.destroy();
    if (!ctx.state.exchange.signal.aborted) throw error;
  }
}

const errorBytesMax = 10 << 10;

async function errorOf(ctx: ApiContext, response: IncomingMessage, code: number): Promise<StatusError> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of response) {
    total += (chunk as Buffer).length;
    if (total <= errorBytesMax) chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString().trim();
  const { resource, subresource, name } = ctx.state.info;
  if (code === 400) return new StatusError('BadRequest', text);
  if (code === 404)
    return new StatusError('NotFound', text || `the server could not find the requested resource ( ${resource}/${subresource} ${name})`);
  return new StatusError('InternalError', `Internal error occurred: ${text}`, { code, details: { causes: [{ message: text }] } });
}

/** From here on the two ends talk to each other and nobody listens. */
function join(ctx: ApiContext, upgrade: Upgrade, response: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  ctx.respond = false;
  const client = upgrade.socket;
  const lines = [`HTTP/1.1 ${response.statusCode ?? 101} ${STATUS_CODES[response.statusCode ?? 101] ?? ''}`];
  for (let i = 0; i < response.rawHeaders.length; i += 2) lines.push(`${response.rawHeaders[i]}: ${response.rawHeaders[i + 1]}`);
  client.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (head.length) client.write(head);
  if (upgrade.head.length) socket.write(upgrade.head);
  upgrade.isTaken = true;
  return new Promise((resolve) => {
    let open = 2;
    const closed = (other: Duplex) => () => {
      other.destroy();
      if (--open === 0) resolve();
    };
    client.on('error', closedQuietly);
    socket.on('error', closedQuietly);
    client.once('close', closed(socket));
    socket.once('close', closed(client));
    client.pipe(socket);
    socket.pipe(client);
  });
}

/** A broken connection closes, and that is what is acted on. */
function closedQuietly(): void {}
