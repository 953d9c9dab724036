// How long those whose requests were dropped are asked to stay away: twice as long when many are dropped, a second less
// when few are, as TCP does with its window (k8s.io/apiserver/pkg/util/flowcontrol/dropped_requests_tracker.go).

import type { Clock } from '../../base/clock.ts';

const retryAfterSecondsMax = 32;

export class RetryAfter {
  readonly #clock: Clock;
  /** Seconds in which requests were dropped, and how many, oldest first; as many as can still matter. */
  #history: { second: number; count: number }[] = [];
  #current = { second: 0, count: 0 };
  #seconds = 1;
  #raisedAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get seconds(): number {
    return this.#seconds;
  }

  noteDropped(): void {
    const second = Math.floor(this.#clock.nowMs() / 1000);
    if (this.#current.second === second) {
      this.#current.count++;
      return;
    }
    this.#history.push(this.#current);
    const keptSeconds = Math.min(2 * this.#seconds, retryAfterSecondsMax);
    const newest = this.#current.second;
    this.#history = this.#history.filter((past) => newest - past.second <= keptSeconds);
    this.#current = { second, count: 1 };
    this.#adjust(second);
  }

  #adjust(now: number): void {
    let dropped = 0;
    for (const { second, count } of this.#history) if (now - second <= this.#seconds) dropped += count;
    if (now - this.#raisedAt >= this.#seconds && dropped >= 3 * this.#seconds) {
      this.#seconds = Math.min(this.#seconds * 2, retryAfterSecondsMax);
      this.#raisedAt = now;
    } else if (dropped < this.#seconds && this.#seconds > 1) this.#seconds--;
  }
}
