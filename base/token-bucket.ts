// So many at once, and then so many a second.

import type { Clock } from './clock.ts';

export interface TokenBucketOptions {
  clock: Clock;
  perSecond: number;
  /** How many are there at first, and at most. */
  burst: number;
}

export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #lastMs: number;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#lastMs = options.clock.monotonicMs();
  }

  /** Takes one, if there is one. */
  take(): boolean {
    const { clock, perSecond, burst } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#lastMs) / 1000) * perSecond);
    this.#lastMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
