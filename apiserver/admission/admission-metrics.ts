// apiserver_admission_step_* and apiserver_admission_controller_*: how long admission takes, all of it and plug-in by plug-in
// (k8s.io/apiserver/pkg/admission/metrics). A write passes some forty plug-ins, so what is counted is kept in plain numbers
// and becomes series when it is asked for.

import { type Metric, type Registry, Summary } from 'prom-client';

export type AdmissionStep = 'admit' | 'validate';

const buckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5];
const summaryMaxAgeSeconds = 5 * 3600;

/** Durations of one sort. */
class Series {
  readonly labels: Readonly<Record<string, string>>;
  /** By the first bucket that they fit in; the last fit in none. */
  readonly counts = new Array<number>(buckets.length + 1).fill(0);
  sum = 0;

  constructor(labels: Readonly<Record<string, string>>) {
    this.labels = labels;
  }

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < buckets.length && seconds > (buckets[bucket] ?? 0)) bucket++;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += seconds;
  }
}

/** A histogram as a registry renders it, whose observations cost next to nothing. */
class PlainHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #series = new Map<string, Series>();

  constructor(name: string, help: string, registry: Registry) {
    this.name = name;
    this.help = help;
    // The library knows its own classes only, but asks of them no more than this one has.
    registry.registerMetric(this as unknown as Metric);
  }

  /** `key` stands for the labels. */
  observe(key: string, labels: () => Record<string, string>, seconds: number): void {
    let series = this.#series.get(key);
    if (!series) {
      series = new Series(labels());
      this.#series.set(key, series);
    }
    series.observe(seconds);
  }

  async get(): Promise<object> {
    const { name, help, type, aggregator } = this;
    const values = [...this.#series.values()].flatMap(({ labels, counts, sum }) => {
      let value = 0;
      const cumulative = counts.map((count, i) => {
        value += count;
        return { labels: { le: buckets[i] ?? '+Inf', ...labels }, value, metricName: `${name}_bucket` };
      });
      return [...cumulative, { labels, value: sum, metricName: `${name}_sum` }, { labels, value, metricName: `${name}_count` }];
    });
    return { name, help, type, aggregator, values };
  }

  reset(): void {
    this.#series.clear();
  }
}

export class AdmissionMetrics {
  readonly #steps: PlainHistogram;
  readonly #controllers: PlainHistogram;
  readonly #summary: Summary<'type' | 'operation' | 'rejected'>;

  constructor(registry: Registry) {
    this.#steps = new PlainHistogram(
      'apiserver_admission_step_admission_duration_seconds',
      'Admission sub-step latency histogram in seconds, broken out for each operation and API resource and step type (validate or admit).',
      registry,
    );
    this.#summary = new Summary({
      name: 'apiserver_admission_step_admission_duration_seconds_summary',
      help: 'Admission sub-step latency summary in seconds, broken out for each operation and API resource and step type (validate or admit).',
      labelNames: ['type', 'operation', 'rejected'],
      percentiles: [0.5, 0.9, 0.99],
      maxAgeSeconds: summaryMaxAgeSeconds,
      ageBuckets: 5,
      registers: [registry],
    });
    this.#controllers = new PlainHistogram(
      'apiserver_admission_controller_admission_duration_seconds',
      'Admission controller latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).',
      registry,
    );
  }

  /** All plug-ins together. */
  step(type: AdmissionStep, operation: string, isRejected: boolean, seconds: number): void {
    const labels = { type, operation, rejected: String(isRejected) };
    this.#steps.observe(`${type} ${operation} ${isRejected}`, () => labels, seconds);
    this.#summary.observe(labels, seconds);
  }

  /** One plug-in. */
  controller(
    name: string,
    type: AdmissionStep,
    operation: string,
    { isRejected, seconds }: { isRejected: boolean; seconds: number },
  ): void {
    const labels = () => ({ name, type, operation, rejected: String(isRejected) });
    this.#controllers.observe(`${name} ${type} ${operation} ${isRejected}`, labels, seconds);
  }
}
