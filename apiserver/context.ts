// What the filters and handlers know about one request: koa's context with this state. A request that arrives over
// HTTPS and one that arrives in-process differ only in their Exchange.

import type { Duplex } from 'node:stream';
import type Koa from 'koa';
import type { UserInfo } from './resources/resource.ts';

/** A path and method, read as Kubernetes reads them (k8s.io/apiserver/pkg/endpoints/request RequestInfo). */
export interface RequestInfo {
  /** `/api/...` and `/apis/<group>/<version>/...` with a resource; otherwise a bare path. */
  isResource: boolean;
  path: string;
  /** create, get, list, watch, update, patch, delete, deletecollection; for bare paths the method in lower case. */
  verb: string;
  group: string;
  version: string;
  /** '' for cluster-scoped objects and for all namespaces. */
  namespace: string;
  resource: string;
  subresource: string;
  /** '' for collections. */
  name: string;
  /** What follows the subresource, for proxies: `/a/b`. */
  rest: string;
}

/** A streaming answer. Chunks are never mutated after they were written, unless they were only lent. */
export interface Sink {
  write(chunk: Uint8Array): void;
  /** Writes a chunk that is the caller's again, to be filled anew, once the promise resolves; then it was sent, or nobody is there any more. */
  lend(chunk: Uint8Array): Promise<void>;
  /** Bytes written but not yet taken by the other side. */
  readonly bufferedBytes: number;
  /** Resolves once the other side has taken what was written, or is gone. */
  drained(): Promise<void>;
  end(): void;
  /** Breaks the connection off. */
  destroy(): void;
}

/** A connection that the client wants to speak another protocol on. */
export interface Upgrade {
  readonly socket: Duplex;
  /** What came after the request's head. */
  readonly head: Buffer;
  /** Somebody has answered 101; the socket is theirs. */
  isTaken: boolean;
}

/** One request's connection to its client. */
export interface Exchange {
  readonly upgrade: Upgrade | undefined;
  /** Set for in-process requests, and by nothing else: who asks. */
  readonly localUser: UserInfo | undefined;
  /** The whole request body. @throws StatusError RequestEntityTooLarge */
  body(bytesMax: number): Promise<Buffer>;
  /** The request body as it comes, for whoever passes it on. */
  bodyStream(): AsyncIterable<Uint8Array>;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
  /** Sends the status (default 200) and the headers set so far, then whatever the sink is given. */
  open(status?: number): Sink;
}

export interface ApiState {
  exchange: Exchange;
  info: RequestInfo;
  user: UserInfo;
  auditId: string;
  query: URLSearchParams;
  /** Texts of Warning headers, in order, each once. */
  warnings: Set<string>;
  /** What the audit event of this request is annotated with; absent when it is not audited. */
  auditAnnotations?: Map<string, string>;
  /** How much of this request is recorded: `Metadata`, `Request`, `RequestResponse`. */
  auditLevel?: string;
  /** Neither counted as in flight nor bounded by the request deadline. */
  isLongRunning: boolean;
  /** Set for all but long-running requests; `aborted` once the client has been told that its time is over. */
  deadline?: { readonly aborted: boolean; readonly allottedMs: number };
  /** How long the request was in a queue; absent: it was not. */
  waitedSeconds?: number;
  /** Set for watches: to be called once what is there has been sent and only changes are to come. */
  watchBegun?: () => void;
}

export type ApiContext = Koa.ParameterizedContext<ApiState>;
export type Filter = (ctx: ApiContext, next: () => Promise<void>) => Promise<void>;
export type Handler = (ctx: ApiContext) => Promise<void>;

/**
 * Annotates the audit event of a request, if there is one, and if it records the request's body where `level` asks for that. The
 * first to say something about a key is believed.
 */
export function annotateAudit(
  state: Pick<ApiState, 'auditAnnotations' | 'auditLevel'>,
  key: string,
  value: string,
  level?: 'Request',
): void {
  const { auditAnnotations, auditLevel } = state;
  if (!auditAnnotations || auditAnnotations.has(key) || (level === 'Request' && auditLevel === 'Metadata')) return;
  auditAnnotations.set(key, value);
}

/** Answers with bytes that are complete. */
export function send(ctx: ApiContext, status: number, type: string, body: Uint8Array | string): void {
  ctx.status = status;
  ctx.set('Content-Type', type);
  ctx.body = typeof body === 'string' || Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

export const jsonType = 'application/json';

/** One function of many filters, the first outermost; `handle` is what they lead to. */
export function chain(filters: readonly Filter[], handle: Handler): Handler {
  return filters.reduceRight<Handler>((inner, filter) => (ctx) => filter(ctx, () => inner(ctx)), handle);
}
