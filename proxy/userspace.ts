// Sockets of this process as service proxy, where nftables is not to be had: listens at every frontend's address and
// carries bytes to an endpoint chosen at random. Addresses that the machine lacks are claimed by `claimAddress`.
// Clients appear under this machine's address, whatever a frontend says of masquerading.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Applier } from './applier.ts';
import type { Endpoint, Frontend, Plan } from './plan.ts';

export interface UserspaceOptions {
  clock: Clock;
  random: Random;
  log: Log;
  /** Makes an address this machine's own (`ip addr add .../32 dev lo`); rejects where that may not be. */
  claimAddress?: (address: string) => Promise<void>;
  releaseAddress?: (address: string) => Promise<void>;
  /** A UDP client that is silent this long is forgotten. Default 120 s. */
  udpIdleMs?: number;
}

const affinityClientsMax = 65535;
const udpClientsMax = 4096;
const connectAttemptsMax = 3;

interface Listener {
  frontend: Frontend;
  close(): void;
}

export class Userspace implements Applier {
  readonly name = 'userspace';
  readonly #options: UserspaceOptions;
  readonly #listeners = new Map<string, Listener>();
  readonly #claimed = new Set<string>();
  #plan: Plan = new Map();

  constructor(options: UserspaceOptions) {
    this.#options = options;
  }

  async apply(plan: Plan): Promise<void> {
    this.#plan = plan;
    await this.#become();
  }

  /** Tries again the frontends that could not be listened at. */
  async reconcile(): Promise<number> {
    const before = this.#listeners.size;
    await this.#become();
    return this.#listeners.size - before;
  }

  async close(): Promise<void> {
    for (const listener of this.#listeners.values()) listener.close();
    this.#listeners.clear();
    for (const address of this.#claimed) await this.#options.releaseAddress?.(address);
    this.#claimed.clear();
  }

  async #become(): Promise<void> {
    // This process cannot tell near clients from others before it has accepted them: `any` frontends serve all.
    const wanted = new Map([...this.#plan].filter(([, f]) => f.scope === 'any' && f.protocol !== 'sctp' && f.endpoints.length > 0));
    for (const [key, listener] of this.#listeners) {
      if (wanted.has(key)) continue;
      listener.close();
      this.#listeners.delete(key);
    }
    const inUse = new Set([...wanted.values()].map((f) => f.address));
    for (const address of this.#claimed) {
      if (inUse.has(address)) continue;
      this.#claimed.delete(address);
      await this.#options.releaseAddress?.(address);
    }
    for (const [key, frontend] of wanted) {
      const listener = this.#listeners.get(key);
      if (listener) listener.frontend = frontend;
      else await this.#listen(key, frontend);
    }
  }

  async #listen(key: string, frontend: Frontend): Promise<void> {
    const open = () => (frontend.protocol === 'udp' ? this.#listenUdp(frontend) : this.#listenTcp(frontend));
    try {
      this.#listeners.set(key, await open());
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      try {
        if (code !== 'EADDRNOTAVAIL' || !this.#options.claimAddress) throw error;
        await this.#options.claimAddress(frontend.address);
        this.#claimed.add(frontend.address);
        this.#listeners.set(key, await open());
      } catch (again) {
        this.#options.log.warn('cannot listen for a service', { service: frontend.of, at: key, error: String(again) });
      }
    }
  }

  async #listenTcp(frontend: Frontend): Promise<Listener> {
    const choose = this.#chooser();
    const sockets = new Set<Socket>();
    const listener: Listener = { frontend, close: () => undefined };
    const server: Server = createServer({ allowHalfOpen: true }, (client) => {
      sockets.add(client);
      client.on('close', () => sockets.delete(client));
      client.on('error', () => client.destroy());
      this.#carry(client, () => choose(listener.frontend, client.remoteAddress ?? ''), connectAttemptsMax);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: frontend.address, port: frontend.port }, resolve);
    });
    server.unref();
    listener.close = () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    };
    return listener;
  }

  #carry(client: Socket, choose: () => Endpoint | undefined, attempts: number): void {
    const endpoint = choose();
    if (!endpoint || client.destroyed) {
      client.destroy();
      return;
    }
    const upstream = connect({ host: endpoint.address, port: endpoint.port, allowHalfOpen: true });
    const refused = () => {
      upstream.destroy();
      if (attempts > 1) this.#carry(client, choose, attempts - 1);
      else client.resetAndDestroy();
    };
    upstream.once('error', refused);
    upstream.once('connect', () => {
      upstream.off('error', refused);
      upstream.on('error', () => client.destroy());
      upstream.on('close', () => client.destroySoon());
      client.on('close', () => upstream.destroySoon());
      client.pipe(upstream);
      upstream.pipe(client);
    });
  }

  async #listenUdp(frontend: Frontend): Promise<Listener> {
    const choose = this.#chooser();
    const { clock, udpIdleMs = 120_000 } = this.#options;
    const clients = new Map<string, { upstream: UdpSocket; endpoint: Endpoint; idle: Timer }>();
    const socket = createSocket('udp4');
    const listener: Listener = { frontend, close: () => undefined };
    const forget = (name: string) => {
      const client = clients.get(name);
      clients.delete(name);
      client?.idle.cancel();
      client?.upstream.close();
    };
    socket.on('message', (message, from) => {
      const name = `${from.address}:${from.port}`;
      let client = clients.get(name);
      if (client && !includes(listener.frontend.endpoints, client.endpoint)) {
        forget(name);
        client = undefined;
      }
      if (!client) {
        const endpoint = choose(listener.frontend, from.address);
        if (!endpoint) return;
        if (clients.size >= udpClientsMax) forget(clients.keys().next().value as string);
        const upstream = createSocket('udp4');
        upstream.on('message', (answer) => socket.send(answer, from.port, from.address));
        upstream.on('error', () => forget(name));
        upstream.unref();
        client = { upstream, endpoint, idle: clock.setTimer(udpIdleMs, () => forget(name)) };
        clients.set(name, client);
      } else {
        client.idle.cancel();
        client.idle = clock.setTimer(udpIdleMs, () => forget(name));
      }
      client.upstream.send(message, client.endpoint.port, client.endpoint.address);
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(frontend.port, frontend.address, resolve);
    });
    socket.on('error', (error) => this.#options.log.warn('UDP service socket failed', { service: frontend.of, error: error.message }));
    socket.unref();
    listener.close = () => {
      socket.close();
      for (const name of [...clients.keys()]) forget(name);
    };
    return listener;
  }

  /** Random, or what the client had before while that is remembered. */
  #chooser(): (frontend: Frontend, client: string) => Endpoint | undefined {
    const remembered = new Map<string, { endpoint: Endpoint; atMs: number }>();
    const { clock, random } = this.#options;
    return ({ endpoints, affinitySeconds }, client) => {
      const nowMs = clock.monotonicMs();
      const had = affinitySeconds > 0 ? remembered.get(client) : undefined;
      const isFresh = had && nowMs - had.atMs <= affinitySeconds * 1000 && includes(endpoints, had.endpoint);
      const endpoint = isFresh ? had.endpoint : endpoints[Math.floor(random.float() * endpoints.length)];
      if (endpoint && affinitySeconds > 0) {
        remembered.delete(client);
        if (remembered.size >= affinityClientsMax) remembered.delete(remembered.keys().next().value as string);
        remembered.set(client, { endpoint, atMs: nowMs });
      }
      return endpoint;
    };
  }
}

function includes(endpoints: readonly Endpoint[], endpoint: Endpoint): boolean {
  return endpoints.some((e) => e.address === endpoint.address && e.port === endpoint.port);
}
