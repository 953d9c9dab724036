// A histogram of how long a ratio had which value: as if it were observed at the end of every nanosecond, as Kubernetes'
// timing histograms do it. Between changes nothing is done.

import { Histogram, type HistogramConfiguration, type MetricObjectWithValues, type MetricValueWithName } from 'prom-client';
import type { Clock } from '../../base/clock.ts';

const nanosecondsPerMs = 1e6;

/** One series: a numerator that changes often, over a denominator that changes seldom. */
export class TimedRatio {
  readonly labels: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  readonly #bounds: readonly number[];
  /** Milliseconds at a ratio within each bound and above the one before; the last: above all. */
  readonly #spentMs: Float64Array;
  #sumMs = 0;
  #numerator = 0;
  #denominator = 1;
  #bucket = 0;
  #sinceMs: number;

  constructor(labels: Record<string, string>, bounds: readonly number[], clock: Clock) {
    this.labels = labels;
    this.#bounds = bounds;
    this.#clock = clock;
    this.#spentMs = new Float64Array(bounds.length + 1);
    this.#sinceMs = clock.monotonicMs();
  }

  set(numerator: number): void {
    if (numerator === this.#numerator) return;
    this.#advance();
    this.#numerator = numerator;
    this.#place();
  }

  setDenominator(denominator: number): void {
    if (denominator === this.#denominator) return;
    this.#advance();
    this.#denominator = denominator;
    this.#place();
  }

  values(name: string): MetricValueWithName<string>[] {
    this.#advance();
    let count = 0;
    const values = [...this.#bounds, Number.POSITIVE_INFINITY].map((le, index) => {
      count += Math.round((this.#spentMs[index] ?? 0) * nanosecondsPerMs);
      return { metricName: `${name}_bucket`, labels: { ...this.labels, le: le === Number.POSITIVE_INFINITY ? '+Inf' : le }, value: count };
    });
    return [
      ...values,
      { metricName: `${name}_sum`, labels: { ...this.labels }, value: this.#sumMs * nanosecondsPerMs },
      { metricName: `${name}_count`, labels: { ...this.labels }, value: count },
    ];
  }

  #advance(): void {
    const nowMs = this.#clock.monotonicMs();
    const elapsedMs = nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
    this.#spentMs[this.#bucket] = (this.#spentMs[this.#bucket] ?? 0) + elapsedMs;
    this.#sumMs += (elapsedMs * this.#numerator) / this.#denominator;
  }

  #place(): void {
    const ratio = this.#numerator / this.#denominator;
    let bucket = 0;
    while (bucket < this.#bounds.length && ratio > (this.#bounds[bucket] as number)) bucket++;
    this.#bucket = bucket;
  }
}

export class TimedHistogram extends Histogram<string> {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #clock: Clock;
  readonly #ratios = new Map<string, TimedRatio>();

  constructor(configuration: HistogramConfiguration<string> & { buckets: number[] }, clock: Clock) {
    super(configuration);
    this.#name = configuration.name;
    this.#help = configuration.help;
    this.#bounds = configuration.buckets;
    this.#clock = clock;
  }

  of(labels: Record<string, string>): TimedRatio {
    const key = JSON.stringify(labels);
    const ratio = this.#ratios.get(key) ?? new TimedRatio(labels, this.#bounds, this.#clock);
    this.#ratios.set(key, ratio);
    return ratio;
  }

  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const description = await super.get();
    return { ...description, name: this.#name, help: this.#help, values: [...this.#ratios.values()].flatMap((r) => r.values(this.#name)) };
  }
}
