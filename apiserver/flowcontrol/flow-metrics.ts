// apiserver_flowcontrol_*: what Kubernetes' dashboards show of priority and fairness. Numbers that the queues know anyway
// are read when they are asked for; only what would be lost is counted as it happens.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../../base/clock.ts';
import type { PriorityLevel } from './priority-level.ts';
import type { QueuedRequest, QueueSetObserver } from './queue-set.ts';
import { Utilization } from './utilization.ts';

const prefix = 'apiserver_flowcontrol';
const durationBuckets = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const bySchema = ['priority_level', 'flow_schema'] as const;

interface SchemaSeries {
  dispatched: Counter.Internal;
  executed: Histogram.Internal<string>;
  executedWatch: Histogram.Internal<string>;
  waited: Histogram.Internal<string>;
  seats: Histogram.Internal<string>;
}

export class FlowMetrics {
  readonly utilization: Utilization;
  readonly #rejected: Counter<'priority_level' | 'flow_schema' | 'reason'>;
  readonly #dispatched: Counter<'priority_level' | 'flow_schema'>;
  readonly #notAccommodated: Counter<'priority_level' | 'flow_schema'>;
  readonly #queueLength: Histogram<'priority_level' | 'flow_schema'>;
  readonly #waitSeconds: Histogram<'priority_level' | 'flow_schema' | 'execute'>;
  readonly #executionSeconds: Histogram<'priority_level' | 'flow_schema' | 'type'>;
  readonly #estimatedSeats: Histogram<'priority_level' | 'flow_schema'>;
  readonly #series = new Map<string, Map<string, SchemaSeries>>();
  #levels: readonly PriorityLevel[] = [];
  #fairFraction = 0;

  constructor(registry: Registry, clock: Clock) {
    this.utilization = new Utilization(registry, clock);
    const registers = [registry];
    const labelNames = [...bySchema];
    this.#rejected = new Counter({
      name: `${prefix}_rejected_requests_total`,
      help: 'Number of requests rejected by API Priority and Fairness subsystem',
      labelNames: [...bySchema, 'reason'],
      registers,
    });
    this.#dispatched = new Counter({
      name: `${prefix}_dispatched_requests_total`,
      help: 'Number of requests executed by API Priority and Fairness subsystem',
      labelNames,
      registers,
    });
    this.#notAccommodated = new Counter({
      name: `${prefix}_request_dispatch_no_accommodation_total`,
      help: 'Number of times a dispatch attempt resulted in a non accommodation due to lack of available seats',
      labelNames,
      registers,
    });
    this.#queueLength = new Histogram({
      name: `${prefix}_request_queue_length_after_enqueue`,
      help: 'Length of queue in the API Priority and Fairness subsystem, as seen by each request after it is enqueued',
      labelNames,
      buckets: [0, 10, 25, 50, 100, 250, 500, 1000],
      registers,
    });
    this.#waitSeconds = new Histogram({
      name: `${prefix}_request_wait_duration_seconds`,
      help: 'Length of time a request spent waiting in its queue',
      labelNames: [...bySchema, 'execute'],
      buckets: durationBuckets,
      registers,
    });
    this.#executionSeconds = new Histogram({
      name: `${prefix}_request_execution_seconds`,
      help: 'Duration of initial stage (for a WATCH) or any (for a non-WATCH) stage of request execution in the API Priority and Fairness subsystem',
      labelNames: [...bySchema, 'type'],
      buckets: durationBuckets,
      registers,
    });
    this.#estimatedSeats = new Histogram({
      name: `${prefix}_work_estimated_seats`,
      help: 'Number of estimated seats (maximum of initial and final seats) associated with requests in API Priority and Fairness',
      labelNames,
      buckets: [1, 2, 4, 8, 16, 32, 64, 100],
      registers,
    });
    this.#registerLevelGauges(registry);
    this.#registerSchemaGauges(registry);
  }

  /** The levels in force, each time they or their seats change. */
  configured(levels: readonly PriorityLevel[], fairFraction: number): void {
    this.#levels = levels;
    this.#fairFraction = fairFraction;
    this.utilization.configured(levels);
  }

  observe(level: string): QueueSetObserver {
    return {
      rejected: (schema, reason) => this.#rejected.inc({ priority_level: level, flow_schema: schema, reason }),
      queued: (schema, length) => {
        // Nearly always it is the first and goes at once; that is not worth a microsecond of every request.
        if (length > 1) this.#queueLength.observe({ priority_level: level, flow_schema: schema }, length);
      },
      changed: this.utilization.observer(level),
      notAccommodated: (schema) => this.#notAccommodated.inc({ priority_level: level, flow_schema: schema }),
    };
  }

  estimated(level: string, schema: string, seats: number): void {
    this.#of(level, schema).seats.observe(seats);
  }

  waited(level: string, request: QueuedRequest, seconds: number, isExecuted: boolean): void {
    if (isExecuted) this.#of(level, request.schema).waited.observe(seconds);
    else this.#waitSeconds.observe({ priority_level: level, flow_schema: request.schema, execute: 'false' }, seconds);
  }

  executed(level: string, request: QueuedRequest, seconds: number): void {
    const series = this.#of(level, request.schema);
    series.dispatched.inc();
    (request.info.verb === 'watch' ? series.executedWatch : series.executed).observe(seconds);
  }

  #of(level: string, schema: string): SchemaSeries {
    let ofLevel = this.#series.get(level);
    if (!ofLevel) {
      ofLevel = new Map();
      this.#series.set(level, ofLevel);
    }
    let series = ofLevel.get(schema);
    if (!series) {
      const labels = { priority_level: level, flow_schema: schema };
      series = {
        dispatched: this.#dispatched.labels(labels),
        executed: this.#executionSeconds.labels({ ...labels, type: 'regular' }),
        executedWatch: this.#executionSeconds.labels({ ...labels, type: 'watch' }),
        waited: this.#waitSeconds.labels({ ...labels, execute: 'true' }),
        seats: this.#estimatedSeats.labels(labels),
      };
      ofLevel.set(schema, series);
    }
    return series;
  }

  #registerLevelGauges(registry: Registry): void {
    const gauges: [name: string, help: string, read: (level: PriorityLevel) => number][] = [
      ['nominal_limit_seats', 'Nominal number of execution seats configured for each priority level', (l) => l.nominalSeats],
      ['lower_limit_seats', 'Configured lower bound on number of execution seats available to each priority level', (l) => l.minSeats],
      ['upper_limit_seats', 'Configured upper bound on number of execution seats available to each priority level', (l) => l.maxSeats],
      ['current_limit_seats', 'current derived number of execution seats available to each priority level', (l) => l.currentSeats],
      ['target_seats', 'Seat allocation targets', (l) => l.target],
      ['demand_seats_high_watermark', 'High watermark, over last adjustment period, of demand_seats', (l) => l.demand.highWatermark],
      ['demand_seats_average', 'Time-weighted average, over last adjustment period, of demand_seats', (l) => l.demand.average],
      ['demand_seats_stdev', 'Time-weighted standard deviation, over last adjustment period, of demand_seats', (l) => l.demand.deviation],
      ['demand_seats_smoothed', 'Smoothed seat demands', (l) => l.demand.smoothed],
      ['current_r', 'R(time of last change)', (l) => l.queues.currentR],
    ];
    const levels = () => this.#levels;
    for (const [name, help, read] of gauges) {
      new Gauge({
        name: `${prefix}_${name}`,
        help,
        labelNames: ['priority_level'],
        registers: [registry],
        collect() {
          this.reset();
          for (const level of levels()) this.set({ priority_level: level.name }, read(level));
        },
      });
    }
    const fairFraction = () => this.#fairFraction;
    new Gauge({
      name: `${prefix}_seat_fair_frac`,
      help: "Fair fraction of server's concurrency to allocate to each priority level that can use it",
      registers: [registry],
      collect() {
        this.set(fairFraction());
      },
    });
  }

  #registerSchemaGauges(registry: Registry): void {
    const waiting = ({ queues }: PriorityLevel) => queues.queues.flatMap((queue) => queue.waiting);
    const executing = ({ queues }: PriorityLevel) => [...queues.queueless, ...queues.queues.flatMap((queue) => [...queue.executing])];
    const one = () => 1;
    const seats = (request: QueuedRequest) => request.seats;
    const gauges: [string, string, (level: PriorityLevel) => QueuedRequest[], (request: QueuedRequest) => number][] = [
      [
        'current_inqueue_requests',
        'Number of requests currently pending in queues of the API Priority and Fairness subsystem',
        waiting,
        one,
      ],
      ['current_inqueue_seats', 'Number of seats currently pending in queues of the API Priority and Fairness subsystem', waiting, seats],
      [
        'current_executing_requests',
        'Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API Priority and Fairness subsystem',
        executing,
        one,
      ],
      [
        'current_executing_seats',
        'Concurrency (number of seats) occupied by the currently executing (initial stage for a WATCH, any stage otherwise) requests in the API Priority and Fairness subsystem',
        executing,
        seats,
      ],
    ];
    const levels = () => this.#levels;
    const known = this.#series;
    for (const [name, help, requests, count] of gauges) {
      new Gauge({
        name: `${prefix}_${name}`,
        help,
        labelNames: [...bySchema],
        registers: [registry],
        collect() {
          this.reset();
          for (const level of levels()) {
            const labels = { priority_level: level.name };
            for (const schema of known.get(level.name)?.keys() ?? []) this.set({ ...labels, flow_schema: schema }, 0);
            for (const request of requests(level)) this.inc({ ...labels, flow_schema: request.schema }, count(request));
          }
        },
      });
    }
  }
}
