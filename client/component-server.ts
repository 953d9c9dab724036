// What a component without an API of its own serves over HTTPS, as kube-controller-manager and kube-scheduler do on a port
// each: its health, to everybody, and its metrics, to whom the API server lets read them.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { StatusError } from '../api/status.ts';
import type { Log } from '../base/log.ts';
import type { DelegatedAccess } from './delegated-access.ts';
import { metricsContentType } from './metrics/registry.ts';

export interface ComponentServerOptions {
  access: DelegatedAccess;
  /** Path to what it shows. */
  pages: Readonly<Record<string, () => Promise<string> | string>>;
  address: string;
  /** 0: any. */
  port: number;
  /** PEM. */
  tls: { cert: string; key: string; clientCa: string };
  log: Log;
}

export interface ComponentServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Open to everybody: whoever starts a component wants to know that it lives before it can say who asks. */
const healthPaths = ['/healthz', '/livez', '/readyz'];

/** Resolves when it listens. */
export async function startComponentServer(options: ComponentServerOptions): Promise<ComponentServer> {
  const { address, port, tls, log } = options;
  const server = createServer({
    cert: tls.cert,
    key: tls.key,
    ca: tls.clientCa,
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.on('request', (request, response) => void answer(options, request, response));
  server.on('tlsClientError', (error) => log.debug('connection refused', { error: error.message }));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer({ access, pages, log }: ComponentServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? '/', 'https://component').pathname;
  try {
    if (healthPaths.includes(path)) {
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }).end('ok');
      return;
    }
    const user = await access.userOf(request);
    const verb = request.method?.toLowerCase() ?? 'get';
    if (!(await access.isAllowed(user, { nonResourceAttributes: { path, verb } })))
      throw new StatusError('Forbidden', `forbidden: User "${user.name}" cannot ${verb} path "${path}"`);
    const page = pages[path];
    if (!page) {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n');
      return;
    }
    response.writeHead(200, { 'content-type': metricsContentType }).end(await page());
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const status = error instanceof StatusError ? error : new StatusError('InternalError', error.message);
    if (!(error instanceof StatusError)) log.warn('a request failed', { path, error: error.stack ?? error.message });
    if (response.headersSent) response.destroy();
    else response.writeHead(status.code, { 'content-type': 'application/json' }).end(`${JSON.stringify(status.toStatus())}\n`);
  }
}
