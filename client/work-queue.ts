// Keys that want work: each at most once in line and at most once in flight, again after a per-key back-off
// when it failed, or after a delay when it asked for one.

import { type Observable, Subject } from 'rxjs';
import { type BackoffOptions, backoffMs } from '../base/backoff.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { Random } from '../base/random.ts';

export interface WorkQueueOptions {
  clock: Clock;
  random: Random;
  /** Of a failing key. Default 5 ms to 1000 s, doubling, as in client-go. */
  backoff?: BackoffOptions;
  /** How many keys may be in line. Default 1,000,000. */
  keysMax?: number;
}

export class WorkQueue {
  /** Fires when `take` may have something to give. */
  readonly ready: Observable<void>;
  readonly #ready = new Subject<void>();
  readonly #line = new Set<string>();
  readonly #inFlight = new Set<string>();
  /** Added while in flight: in line again as soon as they are done. */
  readonly #dirty = new Set<string>();
  readonly #delayed = new Map<string, { atMs: number; timer: Timer }>();
  readonly #failures = new Map<string, number>();
  readonly #options: Required<WorkQueueOptions>;
  #hasOverflowed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = { backoff: { baseMs: 5, capMs: 1_000_000 }, keysMax: 1_000_000, ...options };
    this.ready = this.#ready.asObservable();
  }

  /** Puts `key` in line, unless it is there already. */
  add(key: string): void {
    if (this.#inFlight.has(key)) {
      this.#dirty.add(key);
      return;
    }
    if (this.#line.has(key)) return;
    if (this.#line.size >= this.#options.keysMax) {
      this.#hasOverflowed = true;
      return;
    }
    this.#line.add(key);
    this.#ready.next();
  }

  /** Puts `key` in line after `delayMs`; of several delays the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const atMs = this.#options.clock.monotonicMs() + delayMs;
    const known = this.#delayed.get(key);
    if (known && known.atMs <= atMs) return;
    known?.timer.cancel();
    if (!known && this.#delayed.size >= this.#options.keysMax) {
      this.#hasOverflowed = true;
      return;
    }
    const timer = this.#options.clock.setTimer(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { atMs, timer });
  }

  /** Puts `key` in line after a back-off that grows with each call until `forget`. Returns the delay in ms. */
  retry(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const delayMs = backoffMs(failures, this.#options.backoff, this.#options.random);
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** Ends the back-off and the delay of `key`: it has succeeded, or is gone. */
  forget(key: string): void {
    this.#failures.delete(key);
    this.#delayed.get(key)?.timer.cancel();
    this.#delayed.delete(key);
  }

  /** The first key in line, which is in flight until `done`; undefined when nobody waits. */
  take(): string | undefined {
    const [key] = this.#line;
    if (key === undefined) return undefined;
    this.#line.delete(key);
    this.#inFlight.add(key);
    return key;
  }

  done(key: string): void {
    this.#inFlight.delete(key);
    if (this.#dirty.delete(key)) this.add(key);
  }

  get length(): number {
    return this.#line.size;
  }

  /** Whether keys were turned away since the last call. Whoever owns the queue then adds all that exist. */
  takeOverflow(): boolean {
    const had = this.#hasOverflowed;
    this.#hasOverflowed = false;
    return had;
  }

  /** Cancels all timers and forgets all keys. */
  close(): void {
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    this.#line.clear();
    this.#dirty.clear();
    this.#failures.clear();
    this.#ready.complete();
  }
}
