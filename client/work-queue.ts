// Keys that want work: each at most once in line and at most once in flight, again after a per-key back-off
// when it failed, or after a delay when it asked for one.

import { type Observable, Subject } from 'rxjs';
import { type BackoffOptions, backoffMs } from '../base/backoff.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { Random } from '../base/random.ts';

/** What a queue is at, when somebody asks. */
export interface WorkQueueState {
  /** Keys that want work, those in flight that want it again among them. */
  readonly depth: number;
  /** How long each key in flight has been so. */
  readonly runningSeconds: number[];
}

/** Told of what happens to a queue's keys. */
export interface WorkQueueObserver {
  opened(state: WorkQueueState): void;
  closed(state: WorkQueueState): void;
  added(): void;
  retried(): void;
  /** After so long in line. */
  taken(waitedSeconds: number): void;
  /** After so long in flight. */
  done(workedSeconds: number): void;
}

export interface WorkQueueOptions {
  clock: Clock;
  random: Random;
  /** Of a failing key. Default 5 ms to 1000 s, doubling, as in client-go. */
  backoff?: BackoffOptions;
  /** How many keys may be in line. Default 1,000,000. */
  keysMax?: number;
  observer?: WorkQueueObserver | undefined;
}

export class WorkQueue implements WorkQueueState {
  /** Fires when `take` may have something to give. */
  readonly ready: Observable<void>;
  readonly #ready = new Subject<void>();
  /** To when they began to wait, monotonic. */
  readonly #line = new Map<string, number>();
  /** To when they were taken, monotonic. */
  readonly #inFlight = new Map<string, number>();
  /** Added while in flight, and when: in line again as soon as they are done. */
  readonly #dirty = new Map<string, number>();
  readonly #delayed = new Map<string, { atMs: number; timer: Timer }>();
  readonly #failures = new Map<string, number>();
  readonly #options: Required<Omit<WorkQueueOptions, 'observer'>>;
  readonly #observer: WorkQueueObserver | undefined;
  #hasOverflowed = false;

  constructor({ observer, ...options }: WorkQueueOptions) {
    this.#observer = observer;
    observer?.opened(this);
    this.#options = { backoff: { baseMs: 5, capMs: 1_000_000 }, keysMax: 1_000_000, ...options };
    this.ready = this.#ready.asObservable();
  }

  /** Puts `key` in line, unless it is there already. */
  add(key: string): void {
    if (this.#inFlight.has(key)) {
      if (this.#dirty.has(key)) return;
      this.#dirty.set(key, this.#options.clock.monotonicMs());
      this.#observer?.added();
      return;
    }
    if (this.#line.has(key)) return;
    if (this.#line.size >= this.#options.keysMax) {
      this.#hasOverflowed = true;
      return;
    }
    this.#observer?.added();
    this.#join(key, this.#options.clock.monotonicMs());
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
    this.#observer?.retried();
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
    const [first] = this.#line;
    if (first === undefined) return undefined;
    const [key, sinceMs] = first;
    const nowMs = this.#options.clock.monotonicMs();
    this.#line.delete(key);
    this.#inFlight.set(key, nowMs);
    this.#observer?.taken((nowMs - sinceMs) / 1000);
    return key;
  }

  done(key: string): void {
    const takenMs = this.#inFlight.get(key);
    this.#inFlight.delete(key);
    if (takenMs !== undefined) this.#observer?.done((this.#options.clock.monotonicMs() - takenMs) / 1000);
    const sinceMs = this.#dirty.get(key);
    this.#dirty.delete(key);
    if (sinceMs !== undefined) this.#join(key, sinceMs);
  }

  get length(): number {
    return this.#line.size;
  }

  get depth(): number {
    return this.#line.size + this.#dirty.size;
  }

  get runningSeconds(): number[] {
    const nowMs = this.#options.clock.monotonicMs();
    return [...this.#inFlight.values()].map((sinceMs) => (nowMs - sinceMs) / 1000);
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
    this.#observer?.closed(this);
    this.#ready.complete();
  }

  #join(key: string, sinceMs: number): void {
    this.#line.set(key, sinceMs);
    this.#ready.next();
  }
}
