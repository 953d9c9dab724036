// How many seats a priority level could have used over a time: the average, the deviation and the peak of a number that
// changes in steps, as the borrowing of seats is decided by (k8s.io/apiserver/pkg/util/flowcontrol).

import type { Clock } from '../../base/clock.ts';

/** How slowly the envelope of the demand is forgotten, per adjustment. */
const smoothingCoefficient = 0.977;

export class SeatDemand {
  readonly #clock: Clock;
  #lastMs: number;
  #value = 0;
  #elapsed = 0;
  #integral = 0;
  #integralOfSquares = 0;
  #max = 0;
  average = 0;
  deviation = 0;
  highWatermark = 0;
  smoothed = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastMs = clock.monotonicMs();
  }

  set(value: number): void {
    this.#advance();
    this.#value = value;
    if (value > this.#max) this.#max = value;
  }

  /** Closes a period: what was seen in it becomes the statistics, and a new one begins. */
  update(): void {
    this.#advance();
    this.highWatermark = Math.round(this.#max);
    this.#max = this.#value;
    if (this.#elapsed > 0) {
      this.average = this.#integral / this.#elapsed;
      this.deviation = Math.sqrt(Math.max(0, this.#integralOfSquares / this.#elapsed - this.average ** 2));
      const envelope = this.average + this.deviation;
      this.smoothed = Math.max(envelope, smoothingCoefficient * this.smoothed + (1 - smoothingCoefficient) * envelope);
    }
    this.#elapsed = 0;
    this.#integral = 0;
    this.#integralOfSquares = 0;
  }

  #advance(): void {
    const nowMs = this.#clock.monotonicMs();
    const elapsed = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    this.#elapsed += elapsed;
    this.#integral += elapsed * this.#value;
    this.#integralOfSquares += elapsed * this.#value ** 2;
  }
}
