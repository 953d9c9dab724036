// A clock that moves only when it is stepped. Timers fire in order of their time, then of their creation.

import type { Clock, Timer } from './clock.ts';

interface Pending {
  atMs: number;
  order: number;
  fire: () => void;
}

export class VirtualClock implements Clock {
  #elapsedMs = 0;
  #order = 0;
  #pending: Pending[] = [];
  readonly #startMs: number;

  /** @param startMs wall time at the first reading, in milliseconds since the Unix epoch. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs;
  }

  nowMs(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const pending = { atMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#order++, fire };
    this.#pending.push(pending);
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((p) => p !== pending);
      },
    };
  }

  /** How long until the next timer, in milliseconds; undefined when none is set. */
  get nextTimerMs(): number | undefined {
    const next = this.#next();
    return next && next.atMs - this.#elapsedMs;
  }

  /**
   * Moves time forward by `ms`, firing what falls due on the way; after each timer the event loop is let
   * run until it is idle, so that work a timer started sees the time at which it fired.
   */
  async step(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms;
    await settleEventLoop();
    for (let next = this.#next(); next && next.atMs <= untilMs; next = this.#next()) {
      this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
      this.#pending = this.#pending.filter((p) => p !== next);
      next.fire();
      await settleEventLoop();
    }
    this.#elapsedMs = untilMs;
  }

  #next(): Pending | undefined {
    let best: Pending | undefined;
    for (const p of this.#pending) {
      if (!best || p.atMs < best.atMs || (p.atMs === best.atMs && p.order < best.order)) best = p;
    }
    return best;
  }
}

/** Lets microtasks and immediates run: enough turns for any chain of in-process calls to come to rest. */
export async function settleEventLoop(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
