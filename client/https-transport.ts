// The Transport over the network: one keep-alive pool to one API server, TLS with a client certificate or a
// bearer token, streaming bodies, and upgrades for exec, attach and port-forward.

import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { Pool } from 'undici';
import { errorOf } from './decode.ts';
import type { ApiRequest, ApiResponse, Transport } from './transport.ts';

export interface HttpsTransportOptions {
  /** `https://host:port`; `http:` too, for `kubectl proxy` and its like. A path is put before every request's own. */
  server: string;
  /** PEM. The system's authorities when absent. */
  ca?: string | Buffer;
  /** PEM, with `key`: who we are. */
  cert?: string | Buffer;
  key?: string | Buffer;
  /** A bearer token, or where to get the newest one before each request. */
  token?: string | (() => string | Promise<string>);
  /** The name on the server's certificate when it is not the server's address. */
  serverName?: string;
  insecureSkipTlsVerify?: boolean;
  userAgent?: string;
}

/** How long the server may take to begin an answer, and, unless the request can be aborted, to go on with it. */
const answerMsMax = 60_000;
const upgradeErrorBytesMax = 1 << 20;

export function createHttpsTransport(options: HttpsTransportOptions): Transport {
  const { origin, pathname } = new URL(options.server);
  const prefix = pathname.replace(/\/$/, '');
  const tls = {
    ...(options.ca ? { ca: options.ca } : {}),
    ...(options.cert ? { cert: options.cert } : {}),
    ...(options.key ? { key: options.key } : {}),
    ...(options.serverName ? { servername: options.serverName } : {}),
    ...(options.insecureSkipTlsVerify ? { rejectUnauthorized: false } : {}),
  };
  // Watches hold a connection each, so their number is not limited here.
  const pool = new Pool(origin, {
    connections: null,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    connect: { ...tls, keepAlive: true, timeout: 10_000 },
  });

  async function headersOf(request: ApiRequest): Promise<Record<string, string>> {
    const headers: Record<string, string> = { 'user-agent': options.userAgent ?? 't8s', ...request.headers };
    const token = typeof options.token === 'function' ? await options.token() : options.token;
    if (token) headers.authorization ??= `Bearer ${token}`;
    return headers;
  }

  return {
    async request(request): Promise<ApiResponse> {
      const response = await pool.request({
        method: request.method,
        path: prefix + request.path || '/',
        headers: await headersOf(request),
        body: request.body ?? null,
        headersTimeout: answerMsMax,
        bodyTimeout: request.signal ? 0 : answerMsMax,
        ...(request.signal ? { signal: request.signal } : {}),
      });
      return { status: response.statusCode, headers: flatten(response.headers), body: response.body };
    },

    async upgrade(request) {
      const url = new URL(prefix + request.path, origin);
      const start = url.protocol === 'https:' ? tlsRequest : plainRequest;
      const headers = await headersOf(request);
      return new Promise((resolve, reject) => {
        const { signal } = request;
        const outgoing = start(url, { method: request.method, headers, agent: false, ...tls, ...(signal ? { signal } : {}) });
        outgoing.on('error', reject);
        outgoing.on('upgrade', (response, socket: Duplex, head) => {
          if (head.length) socket.unshift(head);
          resolve({ status: response.statusCode ?? 101, headers: flatten(response.headers), socket });
        });
        outgoing.on('response', (response) => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          response.on('error', reject);
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > upgradeErrorBytesMax)
              response.destroy(new Error(`the refusal of an upgrade exceeds ${upgradeErrorBytesMax} bytes`));
            else chunks.push(chunk);
          });
          response.on('end', () => reject(errorOf(response.statusCode ?? 500, Buffer.concat(chunks).toString('utf8'))));
        });
        outgoing.end(request.body);
      });
    },

    // Not pool.close(): that would wait for watches to end by themselves.
    close: () => pool.destroy(),
  };
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) flat[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  return flat;
}
