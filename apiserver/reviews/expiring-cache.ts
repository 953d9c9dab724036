// Answers that hold for a while: bounded in number, the oldest forgotten first.

import type { Clock } from '../../base/clock.ts';

export class ExpiringCache<T> {
  readonly #entries = new Map<string, { value: T; endMs: number }>();
  readonly #clock: Clock;
  readonly #entriesMax: number;

  constructor({ clock, entriesMax }: { clock: Clock; entriesMax: number }) {
    this.#clock = clock;
    this.#entriesMax = entriesMax;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (entry.endMs > this.#clock.monotonicMs()) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, value: T, forMs: number): void {
    if (forMs <= 0) return;
    this.#entries.delete(key);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= this.#entriesMax && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(key, { value, endMs: this.#clock.monotonicMs() + forMs });
  }
}
