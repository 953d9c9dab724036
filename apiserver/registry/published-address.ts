// Each API server's part in the `kubernetes` service: it keeps a lease of its own beside those of the other servers on
// the same store, and all of them write down together whose leases are fresh (Kubernetes' lease endpoint reconciler).

import type { Timer } from '../../base/clock.ts';
import { ConflictError } from '../../store/store.ts';
import type { ServerParts } from '../handlers/handler.ts';
import { publishAddresses } from './bootstrap.ts';

const prefix = '/registry/masterleases/';
const renewPeriodMs = 10_000;
const leaseMs = 15_000;

export class PublishedAddress {
  readonly #server: ServerParts;
  readonly #host: string;
  readonly #port: number;
  /** When a lease was first seen as it is now; clocks of several machines need not agree. */
  readonly #seen = new Map<string, { revision: number; atMs: number }>();
  #timer: Timer | undefined;
  #isWithdrawn = false;
  #round: Promise<void> = Promise.resolve();

  constructor(server: ServerParts, address: { host: string; port: number }) {
    this.#server = server;
    this.#host = address.host;
    this.#port = address.port;
  }

  /** Takes the server in, and keeps it in. */
  publish(): Promise<void> {
    return this.#next();
  }

  /** Takes the server out. What fails of it is over when the lease is. */
  async withdraw(): Promise<void> {
    this.#isWithdrawn = true;
    this.#timer?.cancel();
    await this.#round;
    try {
      await this.#server.store.delete(prefix + this.#host);
      await this.#reconcile();
    } catch (error) {
      this.#server.log.warn('the address of a server that stops could not be withdrawn', { error: String(error) });
    }
  }

  #next(): Promise<void> {
    this.#round = this.#renew()
      .catch((error: unknown) => this.#server.log.warn('the kubernetes service could not be kept up', { error: String(error) }))
      .finally(() => {
        if (!this.#isWithdrawn) this.#timer = this.#server.clock.setTimer(renewPeriodMs, () => void this.#next());
      });
    return this.#round;
  }

  async #renew(): Promise<void> {
    const { store, clock } = this.#server;
    const lease = JSON.stringify({ ip: this.#host, renewTime: new Date(clock.nowMs()).toISOString() });
    await store.put(prefix + this.#host, Buffer.from(lease));
    await this.#reconcile();
  }

  async #reconcile(): Promise<void> {
    const hosts = await this.#freshHosts();
    // A service without any endpoint helps nobody; the next server writes its own.
    if (hosts.length > 0) await publishAddresses(this.#server, { hosts, port: this.#port });
  }

  async #freshHosts(): Promise<string[]> {
    const { store, clock } = this.#server;
    const { entries } = await store.list(prefix);
    const nowMs = clock.monotonicMs();
    const hosts: string[] = [];
    for (const { key, modRevision } of entries) {
      const seen = this.#seen.get(key);
      if (seen?.revision !== modRevision) this.#seen.set(key, { revision: modRevision, atMs: nowMs });
      else if (nowMs - seen.atMs >= leaseMs) {
        this.#seen.delete(key);
        if (await this.#removed(key, modRevision)) continue;
      }
      hosts.push(key.slice(prefix.length));
    }
    return hosts.sort();
  }

  /** Whether an expired lease could be removed; otherwise it has just been renewed. */
  async #removed(key: string, revision: number): Promise<boolean> {
    try {
      await this.#server.store.delete(key, revision);
      return true;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      return error.current === undefined;
    }
  }
}
