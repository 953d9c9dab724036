// Names that only one object of the cluster may have at a time, each reserved by a key of its own in the store: two API
// servers cannot both have it, and one that dies in between leaves a key that `repair` finds.

import type { Clock } from '../../base/clock.ts';
import { ConflictError, KeyExistsError, type Store } from '../../store/store.ts';

/** A reservation younger than this may belong to a write that is still under way, in milliseconds. */
const graceMs = 60_000;

interface Reservation {
  /** `namespace/name` of the holder. */
  holder: string;
  /** Milliseconds since the Unix epoch. */
  atMs: number;
}

export class Reservations {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #prefix: string;

  /** @param range names the set: `serviceips` */
  constructor(store: Store, clock: Clock, range: string) {
    this.#store = store;
    this.#clock = clock;
    this.#prefix = `/registry/ranges/${range}/`;
  }

  /** False when somebody has it. */
  async take(name: string, holder: string): Promise<boolean> {
    const value: Reservation = { holder, atMs: this.#clock.nowMs() };
    try {
      await this.#store.put(this.#prefix + name, Buffer.from(JSON.stringify(value)), 0);
      return true;
    } catch (error) {
      if (error instanceof KeyExistsError) return false;
      throw error;
    }
  }

  async isTaken(name: string): Promise<boolean> {
    return (await this.#store.get(this.#prefix + name)) !== undefined;
  }

  async release(name: string): Promise<void> {
    try {
      await this.#store.delete(this.#prefix + name);
    } catch (error) {
      // It is free, which is all that was asked for.
      if (!(error instanceof ConflictError)) throw error;
    }
  }

  async names(): Promise<Set<string>> {
    const { entries } = await this.#store.list(this.#prefix);
    return new Set(entries.map((entry) => entry.key.slice(this.#prefix.length)));
  }

  /** Makes the reservations agree with what `holders` (name to `namespace/name`) really hold. */
  async repair(holders: ReadonlyMap<string, string>): Promise<void> {
    const { entries } = await this.#store.list(this.#prefix);
    const reserved = new Set<string>();
    for (const entry of entries) {
      const name = entry.key.slice(this.#prefix.length);
      reserved.add(name);
      if (holders.has(name)) continue;
      const { atMs } = JSON.parse(Buffer.from(entry.value).toString()) as Reservation;
      if (this.#clock.nowMs() - atMs < graceMs) continue;
      await this.#releaseAt(entry.key, entry.modRevision);
    }
    for (const [name, holder] of holders) if (!reserved.has(name)) await this.take(name, holder);
  }

  async #releaseAt(key: string, revision: number): Promise<void> {
    try {
      await this.#store.delete(key, revision);
    } catch (error) {
      // Somebody else repaired it, or took it anew.
      if (!(error instanceof ConflictError)) throw error;
    }
  }
}
