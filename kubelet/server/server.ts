// The kubelet's HTTPS server: logs, exec, attach, port-forward and what it knows of its pods, for the API server and
// whoever else has a certificate that says so.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { StatusError } from '../../api/status.ts';
import type { DelegatedAccess } from '../../client/delegated-access.ts';
import { metricsContentType } from '../../client/metrics/registry.ts';
import { RuntimeError } from '../../runtime/runtime.ts';
import type { KubeletContext } from '../context.ts';
import { latestContainer } from '../pods/pod-state.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import type { PodWorkers } from '../pods/pod-workers.ts';
import { authorize } from './access.ts';
import { serveLogs } from './logs.ts';
import { isTrue, type Route, routeOf } from './route.ts';
import { upgradeToRuntime } from './runtime-upgrade.ts';
import { containerMetrics, resourceMetrics, statsSummary } from './stats.ts';
import { bridgeExec, type ExecStreams, execProtocols } from './websocket-exec.ts';
import { bridgePortForward, portForwardProtocols, tunnelPortForward, tunnelProtocol } from './websocket-port-forward.ts';

export interface KubeletServerOptions {
  context: KubeletContext;
  workers: PodWorkers;
  /** Asks the API server about those it does not know by their certificates; absent: nobody else may ask. */
  access?: DelegatedAccess | undefined;
  /** PEM. */
  tls: { cert: string; key: string; clientCa: string };
  address: string | undefined;
  /** 0: any. */
  port: number;
}

export interface KubeletServer {
  readonly port: number;
  close(): Promise<void>;
}

const messageBytesMax = 4 << 20;
/** spdystream's and Kubernetes' own upgrade header, and ours. */
const spdy = 'spdy/3.1';

/** Resolves when it listens. */
export async function startKubeletServer(options: KubeletServerOptions): Promise<KubeletServer> {
  const { tls, address, port, context } = options;
  const handler = new Handler(options);
  const server = createServer({
    cert: tls.cert,
    key: tls.key,
    ca: tls.clientCa,
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  });
  server.on('request', (request, response) => void handler.request(request, response));
  server.on('upgrade', (request, socket, head) => void handler.upgrade(request, socket, head));
  server.on('tlsClientError', (error) => context.log.debug('connection refused', { error: error.message }));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      handler.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

class Handler {
  readonly #context: KubeletContext;
  readonly #workers: PodWorkers;
  readonly #access: DelegatedAccess | undefined;
  readonly #sockets = new Set<Duplex>();
  readonly #webSockets = new WebSocketServer({ noServer: true, maxPayload: messageBytesMax, perMessageDeflate: false });

  constructor({ context, workers, access }: KubeletServerOptions) {
    this.#access = access;
    this.#context = context;
    this.#workers = workers;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#webSockets.close();
  }

  async request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://kubelet');
    try {
      await authorize(request, this.#context.nodeName, this.#access);
      const route = routeOf(url.pathname);
      if (!route) throw new StatusError('NotFound', '404 page not found');
      await this.#serve(route, { request, response, query: url.searchParams });
    } catch (error) {
      const { code, message } = failureOf(error);
      if (code === 500) this.#context.log.warn('request failed', { path: url.pathname, error: message });
      if (response.headersSent) response.destroy();
      else response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`);
    }
  }

  async #serve(route: Route, exchange: { request: IncomingMessage; response: ServerResponse; query: URLSearchParams }): Promise<void> {
    const { response, query } = exchange;
    const context = this.#context;
    const answer = (type: string, body: string) => response.writeHead(200, { 'content-type': type }).end(body);
    switch (route.what) {
      case 'healthz':
        answer('text/plain; charset=utf-8', 'ok');
        return;
      case 'pods': {
        const items = this.#workers.all().map((worker) => ({ ...worker.pod, status: worker.status }));
        answer('application/json', JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items }));
        return;
      }
      case 'stats':
        answer('application/json', JSON.stringify(await statsSummary(context)));
        return;
      case 'resourceMetrics':
        answer(metricsContentType, await resourceMetrics(context));
        return;
      case 'containerMetrics':
        answer(metricsContentType, await containerMetrics(context));
        return;
      case 'probeMetrics':
        answer(metricsContentType, await context.metrics.renderProbes());
        return;
      case 'metrics':
        answer(metricsContentType, await context.metrics.render());
        return;
      case 'configz':
        answer(
          'application/json',
          JSON.stringify({
            kubeletconfig: { kind: 'KubeletConfiguration', apiVersion: 'kubelet.config.k8s.io/v1beta1', nodeName: context.nodeName },
          }),
        );
        return;
      case 'logs':
        return serveLogs(context, this.#worker(route), route.container, exchange);
      case 'run': {
        const { id } = await this.#running(route);
        const command = query.getAll('cmd').flatMap((word) => word.split(' '));
        const { stdout, stderr } = await context.runtime.execSync(id, command, 0);
        answer('text/plain; charset=utf-8', Buffer.concat([stdout, stderr]).toString('utf8'));
        return;
      }
      case 'exec':
      case 'attach':
      case 'portForward':
        throw new StatusError('BadRequest', 'Upgrade request required');
    }
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    try {
      await authorize(request, this.#context.nodeName, this.#access);
      const url = new URL(request.url ?? '/', 'https://kubelet');
      const route = routeOf(url.pathname);
      if (route?.what !== 'exec' && route?.what !== 'attach' && route?.what !== 'portForward')
        throw new StatusError('NotFound', '404 page not found');
      if (route.what === 'portForward') await this.#portForward(route, url.searchParams, { request, socket, head });
      else await this.#exec(route, url.searchParams, { request, socket, head });
    } catch (error) {
      const { code, message } = failureOf(error);
      const body = `${message}\n`;
      const lines = [
        `HTTP/1.1 ${code} ${statusText[code] ?? 'Error'}`,
        'Content-Type: text/plain; charset=utf-8',
        `Content-Length: ${Buffer.byteLength(body)}`,
        'Connection: close',
      ];
      socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
    }
  }

  async #exec(
    route: Route & { what: 'exec' | 'attach' | 'run' },
    query: URLSearchParams,
    upgrade: { request: IncomingMessage; socket: Duplex; head: Buffer },
  ): Promise<void> {
    const { runtime, log } = this.#context;
    const { id } = await this.#running(route);
    const asked = (kubelets: string, servers: string) => isTrue(query.get(kubelets)) || isTrue(query.get(servers));
    const tty = asked('tty', 'tty');
    const streams: ExecStreams = {
      stdin: asked('input', 'stdin'),
      stdout: asked('output', 'stdout'),
      stderr: asked('error', 'stderr') && !tty,
      tty,
    };
    if (!streams.stdin && !streams.stdout && !streams.stderr) {
      throw new StatusError('BadRequest', 'you must specify at least 1 of stdin, stdout, stderr');
    }
    const url =
      route.what === 'exec'
        ? await runtime.exec({ containerId: id, cmd: query.getAll('command'), ...streams })
        : await runtime.attach({ containerId: id, ...streams });
    if (isSpdy(upgrade.request)) return passThrough(url, upgrade);
    const { socket } = await accept(this.#webSockets, execProtocols, upgrade);
    await bridgeExec(socket, url, streams, log);
  }

  async #portForward(
    route: Route & { what: 'portForward' },
    query: URLSearchParams,
    upgrade: { request: IncomingMessage; socket: Duplex; head: Buffer },
  ): Promise<void> {
    const { runtime, log, states } = this.#context;
    const worker = this.#worker(route);
    const state = await states.read(worker.uid);
    const sandbox = state.sandboxes.find((s) => s.isReady);
    if (!sandbox) throw new StatusError('NotFound', `pod ${route.pod} is not running`);
    const ports = query
      .getAll('port')
      .flatMap((text) => text.split(','))
      .filter((text) => text !== '');
    if (ports.some((text) => !/^\d+$/.test(text) || Number(text) < 1 || Number(text) > 65_535)) {
      throw new StatusError('BadRequest', `unable to parse port ${ports.join(',')}`);
    }
    const url = await runtime.portForward({ podSandboxId: sandbox.id, port: ports.map(Number) });
    if (isSpdy(upgrade.request)) return passThrough(url, upgrade);
    const { socket, protocol } = await accept(this.#webSockets, portForwardProtocols, upgrade);
    if (protocol === tunnelProtocol) await tunnelPortForward(socket, url, log);
    else await bridgePortForward(socket, url, ports.map(Number), log);
  }

  #worker({ namespace, pod, uid }: { namespace: string; pod: string; uid?: string | undefined }): PodWorker {
    const worker = this.#workers.byName(namespace, pod);
    if (!worker || (uid && worker.uid !== uid)) throw new StatusError('NotFound', `pod "${pod}" does not exist`);
    return worker;
  }

  async #running(route: { namespace: string; pod: string; uid: string | undefined; container: string }): Promise<{ id: string }> {
    const worker = this.#worker(route);
    const container = latestContainer(await this.#context.states.read(worker.uid), route.container);
    if (!container) throw new StatusError('NotFound', `container not found ("${route.container}")`);
    if (container.state !== 'running') {
      throw new StatusError('InternalError', `cannot exec in a stopped container: container "${route.container}" is not running`);
    }
    return container;
  }
}

const statusText: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  500: 'Internal Server Error',
};

/** @throws StatusError Unauthorized, Forbidden */

function failureOf(error: unknown): { code: number; message: string } {
  if (error instanceof StatusError) return { code: error.code, message: error.message };
  if (error instanceof RuntimeError && error.code === 'NotFound') return { code: 404, message: error.message };
  return { code: 500, message: error instanceof Error ? error.message : String(error) };
}

const isSpdy = (request: IncomingMessage) => request.headers.upgrade?.toLowerCase() === spdy;

/**
 * Accepts what the client offers and `protocols` prefers. The protocol is chosen here, not by ws: Kubernetes' tunnel has a
 * name with a slash in it, which is no token, and ws would refuse it.
 * @throws StatusError BadRequest when no protocol of the client's is spoken here
 */
function accept(
  server: WebSocketServer,
  protocols: readonly string[],
  { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
): Promise<{ socket: WebSocket; protocol: string }> {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((p) => p.trim());
  const protocol = protocols.find((p) => offered.includes(p));
  if (!protocol) throw new StatusError('BadRequest', `unable to upgrade: no supported subprotocol in [${offered.join(' ')}]`);
  delete request.headers['sec-websocket-protocol'];
  const onHeaders = (lines: string[], of: IncomingMessage) => {
    if (of === request) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  };
  server.on('headers', onHeaders);
  return new Promise((resolve) => {
    server.handleUpgrade(request, socket, head, (accepted) => resolve({ socket: accepted, protocol }));
    server.off('headers', onHeaders);
  });
}

/** The client speaks what the runtime speaks: its bytes are carried both ways as they are. */
async function passThrough(
  url: string,
  { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
): Promise<void> {
  const protocols = ([] as string[])
    .concat(request.headers['x-stream-protocol-version'] ?? [])
    .flatMap((p) => p.split(',').map((x) => x.trim()));
  const runtime = await upgradeToRuntime(url, protocols);
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: SPDY/3.1'];
  const version = runtime.response.headers['x-stream-protocol-version'];
  if (version) lines.push(`X-Stream-Protocol-Version: ${version}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (runtime.head.length) socket.write(runtime.head);
  if (head.length) runtime.socket.write(head);
  await new Promise<void>((resolve) => {
    const end = () => {
      socket.destroy();
      runtime.socket.destroy();
      resolve();
    };
    runtime.socket.on('error', end).on('close', end);
    socket.on('close', end);
    // `pipe` ends the other side when one has said all, and keeps pace with the slower one.
    socket.pipe(runtime.socket);
    runtime.socket.pipe(socket);
  });
}
