// The one place where a client's request goes on to another server (a kubelet, a pod, an aggregated API server), and its
// answer comes back: streamed both ways, or, when both sides upgrade (WebSocket, SPDY), carried byte for byte.

import { type ClientRequest, type IncomingMessage, request as plainRequest, STATUS_CODES } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { StatusError } from '../../api/status.ts';
import type { ApiContext, Upgrade } from '../context.ts';
import { dialErrorText } from './dial-error.ts';
import { type LinkContext, rewriteHtml, rewriteUrl } from './proxy-links.ts';

/** Where a request goes on to. */
export interface Target {
  isTls: boolean;
  host: string;
  port: number;
  /** With its query. */
  path: string;
  tls?: { cert?: string; key?: string; ca?: string; servername?: string; rejectUnauthorized?: boolean };
}

export interface ProxyOptions {
  /** A failure is told as a Status in the API server's own words, not passed on. */
  checkStatus?: boolean;
  /** Headers that tell the other server who asks. */
  identity?: Record<string, string | string[]>;
  /** Links and redirects are made to lead back through the path; the other server hears the client's own Host. */
  pathPrepend?: string;
  /** Another server may not send the client elsewhere. */
  refusesRedirects?: boolean;
}

/** What travels hop by hop is not for the other side. */
const hopHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** What only this server is asked, and what it alone may say. */
const ownHeaders = new Set(['authorization', 'expect', 'host']);
const corsHeaders = new Set(['credentials', 'headers', 'methods', 'origin'].map((name) => `access-control-allow-${name}`));

/** Sends the client's request on and answers with what comes back. @throws StatusError when the other server is not reached */
export async function proxyRequest(ctx: ApiContext, target: Target, options: ProxyOptions = {}): Promise<void> {
  const { upgrade, signal } = ctx.state.exchange;
  const outgoing = dial(ctx, target, requestHeaders(ctx, target, options));
  // Listening from the start: a connection can fail before the body has come.
  const answering = answerOf(outgoing, target, upgrade !== undefined);
  answering.catch(() => {});
  if (upgrade) outgoing.end();
  else sendBody(ctx, outgoing).catch((error: unknown) => outgoing.destroy(error instanceof Error ? error : new Error(String(error))));
  let answer: Answer;
  try {
    answer = await answering;
  } catch (error) {
    // Nobody is left to be told.
    if (!signal.aborted) throw error;
    ctx.respond = false;
    return;
  }
  const { response, socket, head } = answer;
  if (upgrade && socket) return join(ctx, upgrade, response, socket, head);
  const code = response.statusCode ?? 502;
  if (upgrade && code < 400) {
    response.destroy();
    throw new StatusError('', `invalid upgrade response: status code ${code}`);
  }
  if (options.checkStatus && (code < 200 || code > 206)) throw await errorOf(ctx, response, code);
  return respond(ctx, response, { code, target, options });
}

function requestHeaders(ctx: ApiContext, target: Target, { identity, pathPrepend }: ProxyOptions): Record<string, string | string[]> {
  const { headers: given } = ctx.req;
  const { upgrade } = ctx.state.exchange;
  const headers: Record<string, string | string[]> = {};
  const named = new Set(namesIn(given.connection));
  for (const [name, value] of Object.entries(given)) {
    const isOurs = ownHeaders.has(name) || name.startsWith('x-remote-') || name.startsWith('impersonate-');
    if (value !== undefined && !hopHeaders.has(name) && !isOurs && !(named.has(name) && !upgrade)) headers[name] = value;
  }
  // Node frames a body by itself only for the methods that usually have one.
  const isFromWithin = ctx.state.exchange.localUser !== undefined && ctx.method !== 'GET' && ctx.method !== 'HEAD';
  if (given['transfer-encoding'] !== undefined || isFromWithin) headers['transfer-encoding'] = 'chunked';
  if (isFromWithin) delete headers['content-length'];
  const client = ctx.req.socket?.remoteAddress;
  const before = given['x-forwarded-for'];
  if (client) headers['x-forwarded-for'] = before ? `${String(before)}, ${client}` : client;
  if (pathPrepend !== undefined) {
    if (given.host) headers['host'] = given.host;
    if (!upgrade) headers['x-forwarded-uri'] = ctx.state.info.path;
  } else if (identity && !upgrade) {
    headers['x-forwarded-uri'] = ctx.state.info.path;
    headers['x-forwarded-host'] = `${target.host}:${target.port}`;
    headers['x-forwarded-proto'] = target.isTls ? 'https' : 'http';
  }
  if (identity) headers['audit-id'] = ctx.state.auditId;
  Object.assign(headers, identity);
  if (upgrade) Object.assign(headers, { connection: 'Upgrade', upgrade: given.upgrade ?? '' });
  return headers;
}

const namesIn = (header: string | undefined): string[] => (header ?? '').split(',').map((name) => name.trim().toLowerCase());

function dial(ctx: ApiContext, target: Target, headers: Record<string, string | string[]>): ClientRequest {
  const { host, port, path } = target;
  const options = { host, port, path, method: ctx.method, headers, signal: ctx.state.exchange.signal };
  return target.isTls ? tlsRequest({ ...options, ...target.tls }) : plainRequest(options);
}

/** Passes the client's body on as it comes, no faster than the other side takes it. */
async function sendBody(ctx: ApiContext, outgoing: ClientRequest): Promise<void> {
  for await (const chunk of ctx.state.exchange.bodyStream()) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(chunk)) await new Promise<void>((resolve) => outgoing.once('drain', resolve).once('close', resolve));
  }
  outgoing.end();
}

interface Answer {
  response: IncomingMessage;
  socket?: Duplex;
  head: Buffer;
}

function answerOf(outgoing: ClientRequest, target: Target, isUpgrade: boolean): Promise<Answer> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', (response) => resolve({ response, head: Buffer.alloc(0) }));
    outgoing.once('upgrade', (response, socket, head) => resolve({ response, socket, head }));
    outgoing.on('error', (error) => {
      if (error.name === 'AbortError') return reject(error);
      const why = dialErrorText(error, target);
      reject(isUpgrade ? new StatusError('', `error dialing backend: ${why}`) : unreachable(why));
    });
  });
}

const unreachable = (why: string) => new StatusError('ServiceUnavailable', `error trying to reach service: ${why}`);

/** A larger page is passed on as it is. */
const htmlBytesMax = 8 << 20;
/** Of what refuses an upgrade: the connection is no other's to stream on. */
const refusalBytesMax = 1 << 20;

async function respond(
  ctx: ApiContext,
  response: IncomingMessage,
  { code, target, options }: { code: number; target: Target; options: ProxyOptions },
): Promise<void> {
  const { pathPrepend, refusesRedirects } = options;
  const { location } = response.headers;
  if (refusesRedirects && code >= 300 && code <= 399 && location) {
    response.destroy();
    ctx.status = 502;
    ctx.set('Content-Type', 'text/plain; charset=utf-8');
    ctx.body = 'the backend attempted to redirect this request, which is not permitted';
    return;
  }
  const links: LinkContext | undefined =
    pathPrepend === undefined
      ? undefined
      : { pathPrepend, targetHost: `${target.host}:${target.port}`, requestHost: ctx.req.headers.host ?? '' };
  ctx.status = code;
  const named = new Set(namesIn(response.headers.connection));
  for (const [name, value] of Object.entries(response.headers))
    if (value !== undefined && !hopHeaders.has(name) && !named.has(name) && !(links && corsHeaders.has(name))) ctx.set(name, value);
  if (links && location) ctx.set('Location', rewriteUrl(location, links));
  const isPage = links && !location && /^text\/html\s*(;|$)/i.test(response.headers['content-type'] ?? '') && ctx.method !== 'HEAD';
  if (isPage && !response.headers['content-encoding']) return streamPage(ctx, response, code, links);
  if (ctx.state.exchange.upgrade) {
    ctx.body = (await collect(response, refusalBytesMax)).bytes;
    return;
  }
  return stream(ctx, response, code);
}

/** Rewrites a page once it is whole; one that grows too large goes on as it comes. */
async function streamPage(ctx: ApiContext, response: IncomingMessage, code: number, links: LinkContext): Promise<void> {
  const { bytes, isWhole } = await collect(response, htmlBytesMax);
  if (!isWhole) return stream(ctx, response, code, bytes);
  // Byte by byte into characters and back: what is not ASCII stays what it was, in whatever encoding.
  ctx.body = Buffer.from(rewriteHtml(bytes.toString('latin1'), links), 'latin1');
}

/** What has come when the answer ends, or when it has more than `bytesMax`. */
async function collect(response: IncomingMessage, bytesMax: number): Promise<{ bytes: Buffer; isWhole: boolean }> {
  const chunks: Buffer[] = [];
  let total = 0;
  const iterator = response.iterator({ destroyOnReturn: false });
  for await (const chunk of iterator) {
    chunks.push(chunk as Buffer);
    total += (chunk as Buffer).length;
    if (total > bytesMax) return { bytes: Buffer.concat(chunks), isWhole: false };
  }
  return { bytes: Buffer.concat(chunks), isWhole: true };
}

async function stream(ctx: ApiContext, response: IncomingMessage, code: number, first?: Buffer): Promise<void> {
  const sink = ctx.state.exchange.open(code);
  try {
    if (first) sink.write(first);
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
  const { bytes } = await collect(response, errorBytesMax);
  response.destroy();
  const text = bytes.toString().trim();
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
