// workqueue_*: what client-go tells of each named queue.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { WorkQueueObserver, WorkQueueState } from '../work-queue.ts';
import { exponentialBuckets } from './buckets.ts';

const labelNames = ['name'] as const;
const durationBuckets = exponentialBuckets(1e-6, 10, 10);

export class WorkQueueMetrics {
  readonly #adds: Counter<'name'>;
  readonly #retries: Counter<'name'>;
  readonly #waited: Histogram<'name'>;
  readonly #worked: Histogram<'name'>;
  readonly #queues = new Map<string, Set<WorkQueueState>>();

  constructor(registry: Registry) {
    const registers = [registry];
    this.#adds = new Counter({ name: 'workqueue_adds_total', help: 'Total number of adds handled by workqueue', labelNames, registers });
    this.#retries = new Counter({
      name: 'workqueue_retries_total',
      help: 'Total number of retries handled by workqueue',
      labelNames,
      registers,
    });
    this.#waited = new Histogram({
      name: 'workqueue_queue_duration_seconds',
      help: 'How long in seconds an item stays in workqueue before being requested.',
      labelNames,
      buckets: durationBuckets,
      registers,
    });
    this.#worked = new Histogram({
      name: 'workqueue_work_duration_seconds',
      help: 'How long in seconds processing an item from workqueue takes.',
      labelNames,
      buckets: durationBuckets,
      registers,
    });
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    this.#gauge(registry, 'depth', 'Current depth of workqueue', (states) => sum(states.map(({ depth }) => depth)));
    this.#gauge(
      registry,
      'unfinished_work_seconds',
      "How many seconds of work has done that is in progress and hasn't been observed by work_duration. Large values indicate stuck threads. One can deduce the number of stuck threads by observing the rate at which this increases.",
      (states) => sum(states.flatMap(({ runningSeconds }) => runningSeconds)),
    );
    this.#gauge(
      registry,
      'longest_running_processor_seconds',
      'How many seconds has the longest running processor for workqueue been running.',
      (states) => Math.max(0, ...states.flatMap(({ runningSeconds }) => runningSeconds)),
    );
  }

  /** For one queue; several queues of one name count together. */
  observe(name: string): WorkQueueObserver {
    const [adds, retries, waited, worked] = [this.#adds, this.#retries, this.#waited, this.#worked].map((metric) =>
      metric.labels({ name }),
    ) as [Counter.Internal, Counter.Internal, Histogram.Internal<'name'>, Histogram.Internal<'name'>];
    // A queue shows from its beginning, not from its first key.
    adds.inc(0);
    retries.inc(0);
    const states = this.#queues.get(name) ?? new Set();
    this.#queues.set(name, states);
    return {
      opened: (state) => void states.add(state),
      closed: (state) => void states.delete(state),
      added: () => adds.inc(),
      retried: () => retries.inc(),
      taken: (seconds) => waited.observe(seconds),
      done: (seconds) => worked.observe(seconds),
    };
  }

  #gauge(registry: Registry, name: string, help: string, read: (states: WorkQueueState[]) => number): void {
    const queues = this.#queues;
    new Gauge({
      name: `workqueue_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect() {
        for (const [queue, states] of queues) this.set({ name: queue }, read([...states]));
      },
    });
  }
}
