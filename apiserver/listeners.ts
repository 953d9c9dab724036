// Where a server is reached over HTTPS: its sockets, the requests that upgrade, and how all of them come to an end.

import { type IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type Koa from 'koa';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { ApiContext, ApiState, Handler, Upgrade } from './context.ts';
import { HttpExchange } from './exchange.ts';

export interface ListenOptions {
  host: string;
  /** 0: any. */
  port: number;
  /** PEM. Clients may show a certificate of `clientCa`. */
  tls: { cert: string; key: string; clientCa: string };
}

export interface ListenersOptions {
  koa: Koa<ApiState>;
  handle: Handler;
  clock: Clock;
  log: Log;
  /** Beside `clientCa`, in PEM. */
  authorities: readonly string[];
}

export class Listeners {
  readonly #options: ListenersOptions;
  readonly #open: { server: Server; sockets: Set<Socket> }[] = [];

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /** Resolves with the port. */
  async listen({ host, port, tls }: ListenOptions): Promise<number> {
    const { koa, handle, log, authorities } = this.#options;
    const ca = [tls.clientCa, ...authorities];
    const server = createServer(
      { cert: tls.cert, key: tls.key, ca, requestCert: true, rejectUnauthorized: false, keepAliveTimeout: 180_000 },
      koa.callback(),
    );
    // Watches and uploads take as long as they take; the deadline filter bounds the others.
    server.requestTimeout = 0;
    const sockets = new Set<Socket>();
    server.on('secureConnection', (socket) => {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    server.on('upgrade', (request, socket, head) => {
      serveUpgrade(koa, handle, { request, socket, head }).catch((error: unknown) => {
        log.debug('an upgraded connection failed', { error: String(error) });
        socket.destroy();
      });
    });
    server.on('tlsClientError', (error) => log.debug('a TLS handshake failed', { error: error.message }));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    this.#open.push({ server, sockets });
    return (server.address() as AddressInfo).port;
  }

  /** Takes no more connections, lets requests finish for `graceSeconds`, then breaks them off. `endWatches` is called in between. */
  async close(graceSeconds: number, endWatches: () => void): Promise<void> {
    const closed = this.#open.map(({ server }) => new Promise<void>((resolve) => server.close(() => resolve())));
    endWatches();
    for (const { server } of this.#open) server.closeIdleConnections();
    const timer = this.#options.clock.setTimer(graceSeconds * 1000, () => {
      for (const { sockets } of this.#open) for (const socket of sockets) socket.destroy();
    });
    await Promise.all(closed);
    timer.cancel();
  }
}

/** Runs a request to upgrade through the same filters; whoever refuses it answers as usual, and the connection ends. */
async function serveUpgrade(
  koa: Koa<ApiState>,
  handle: Handler,
  { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
): Promise<void> {
  const response = new ServerResponse(request);
  response.assignSocket(socket as Socket);
  response.shouldKeepAlive = false;
  const upgrade: Upgrade = { socket, head, isTaken: false };
  const ctx = koa.createContext(request, response);
  ctx.state.exchange = new HttpExchange(request, response, upgrade);
  // Between the request and whoever takes the connection over, a reset must not end the process.
  socket.on('error', () => socket.destroy());
  await handle(ctx as ApiContext);
  if (upgrade.isTaken || response.headersSent) return;
  response.end(ctx.body as Buffer | string | undefined, () => socket.end());
}
