// The server's metrics under Kubernetes' names, so that existing dashboards work.

import { Counter, Gauge, Histogram } from 'prom-client';
import { groupResourceOf, type Kind } from '../api/kind.ts';
import { registerBuildInfo } from '../client/metrics/component-metrics.ts';
import { registerProcessMetrics } from '../client/metrics/process-metrics.ts';
import { MetricsRegistry, type MetricsSettings, metricsContentType } from '../client/metrics/registry.ts';
import type { RequestInfo } from './context.ts';

export interface MetricsSources {
  /** Objects per kind. */
  objectCounts(): Iterable<[kind: Kind, count: number, bytes: number]>;
  inFlight(): { mutating: number; readOnly: number };
  storeBytes(): Promise<number>;
  buildInfo: Record<string, string>;
}

/** What a request was, in values of which there are not too many. */
export interface RequestLabels {
  /** `GET`, `LIST`, `WATCH`, `POST`, `PUT`, `PATCH`, `APPLY`, `DELETE`, `CONNECT`; dashboards tell reading from writing by it. */
  verb: string;
  group: string;
  version: string;
  resource: string;
  /** Of health checks their path. */
  subresource: string;
  scope: string;
}

/** How a request ended. */
export interface RequestDone {
  code: number;
  /** `All`, or `` for none. */
  dryRun: string;
  seconds: number;
  /** Of those, in a queue. */
  waitedSeconds: number;
  /** Of the answer, as far as it was not streamed. */
  bytes: number;
}

const durationBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

const component = 'apiserver';

interface RequestSeries {
  total: Counter.Internal;
  duration: Histogram.Internal<string>;
  /** Requests that change nothing are no service. */
  sliDuration: Histogram.Internal<string> | undefined;
  size: Histogram.Internal<string> | undefined;
  terminations: Counter.Internal | undefined;
}

export class Metrics {
  readonly #registry: MetricsRegistry;
  readonly #requests: Counter<'code' | 'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'scope' | 'component' | 'dry_run'>;
  readonly #durations: Histogram<'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'scope' | 'component' | 'dry_run'>;
  readonly #longRunning: Gauge<'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'scope' | 'component'>;
  readonly #sliDurations: Histogram<'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'scope' | 'component'>;
  readonly #sizes: Histogram<'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'scope' | 'component'>;
  readonly #terminations: Counter<'code' | 'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'scope' | 'component'>;
  readonly #watchEvents: Counter<'group' | 'version' | 'resource'>;
  readonly #watchEventSizes: Histogram<'group' | 'version' | 'resource'>;
  readonly #deprecated: Gauge<'group' | 'version' | 'resource' | 'subresource' | 'removed_release'>;
  readonly #series = new Map<string, RequestSeries>();

  constructor(sources: MetricsSources, settings?: MetricsSettings) {
    this.#registry = new MetricsRegistry(settings);
    const registers = [this.#registry];
    registerProcessMetrics(this.#registry);
    registerBuildInfo(this.#registry, sources.buildInfo);
    const labels = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component', 'dry_run'] as const;
    this.#requests = new Counter({
      name: 'apiserver_request_total',
      help: 'Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
      labelNames: [...labels, 'code'],
      registers,
    });
    this.#durations = new Histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
      labelNames: [...labels],
      buckets: durationBuckets,
      registers,
    });
    const plainLabels = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'] as const;
    this.#sliDurations = new Histogram({
      name: 'apiserver_request_sli_duration_seconds',
      help: 'Response latency distribution (not counting webhook duration and priority & fairness queue wait times) in seconds for each verb, group, version, resource, subresource, scope and component.',
      labelNames: [...plainLabels],
      buckets: durationBuckets.slice(2),
      registers,
    });
    this.#sizes = new Histogram({
      name: 'apiserver_response_sizes',
      help: 'Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.',
      labelNames: [...plainLabels],
      buckets: [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9],
      registers,
    });
    this.#terminations = new Counter({
      name: 'apiserver_request_terminations_total',
      help: 'Number of requests which apiserver terminated in self-defense.',
      labelNames: [...plainLabels, 'code'],
      registers,
    });
    this.#watchEventSizes = new Histogram({
      name: 'apiserver_watch_events_sizes',
      help: 'Watch event size distribution in bytes',
      labelNames: ['group', 'version', 'resource'],
      buckets: [1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072],
      registers,
    });
    this.#deprecated = new Gauge({
      name: 'apiserver_requested_deprecated_apis',
      help: 'Gauge of deprecated APIs that have been requested, broken out by API group, version, resource, subresource, and removed_release.',
      labelNames: ['group', 'version', 'resource', 'subresource', 'removed_release'],
      registers,
    });
    this.#longRunning = new Gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component.',
      labelNames: ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'],
      registers,
    });
    this.#watchEvents = new Counter({
      name: 'apiserver_watch_events_total',
      help: 'Number of events sent in watch clients',
      labelNames: ['group', 'version', 'resource'],
      registers,
    });
    registerGauges(this.#registry, sources);
  }

  watchEvents(kind: Kind, count: number): void {
    this.#watchEvents.inc({ group: kind.group, version: kind.version, resource: kind.plural }, count);
  }

  /** One event of `bytes`, however many watches it goes to. */
  watchEventFramed(kind: Kind, bytes: number): void {
    this.#watchEventSizes.observe({ group: kind.group, version: kind.version, resource: kind.plural }, bytes);
  }

  deprecatedApiRequested({ group, version, resource, subresource }: RequestInfo): void {
    this.#deprecated.set({ group, version, resource, subresource, removed_release: '' }, 1);
  }

  /** A request that another server should have answered. What it names may not be served here: no resources are told apart. */
  requestTerminated({ group, version, verb, scope }: RequestLabels, component: string, code: number): void {
    this.#terminations.labels({ verb, group, version, resource: '', subresource: '', scope, component, code: String(code) }).inc();
  }

  /** `labels` must name only what is served, so that clients cannot make up series. */
  requestDone(labels: RequestLabels, { code, dryRun, seconds, waitedSeconds, bytes }: RequestDone): void {
    const { verb, group, version, resource, subresource, scope } = labels;
    const key = `${verb} ${group} ${version} ${resource} ${subresource} ${scope} ${dryRun} ${code}`;
    let series = this.#series.get(key);
    if (!series) {
      const plain = { verb, group, version, resource, subresource, scope, component };
      const full = { ...plain, dry_run: dryRun };
      series = {
        total: this.#requests.labels({ ...full, code: String(code) }),
        duration: this.#durations.labels(full),
        sliDuration: dryRun === '' ? this.#sliDurations.labels(plain) : undefined,
        size: verb === 'GET' || verb === 'LIST' ? this.#sizes.labels(plain) : undefined,
        terminations: code === 429 || code === 504 ? this.#terminations.labels({ ...plain, code: String(code) }) : undefined,
      };
      this.#series.set(key, series);
    }
    series.total.inc();
    series.terminations?.inc();
    series.duration.observe(seconds);
    series.sliDuration?.observe(Math.max(0, seconds - waitedSeconds));
    series.size?.observe(bytes);
  }

  longRunning({ verb, group, version, resource, subresource, scope }: RequestLabels, change: 1 | -1): void {
    this.#longRunning.inc({ verb, group, version, resource, subresource, scope, component }, change);
  }

  /** For parts of the server that have metrics of their own. */
  get registry(): MetricsRegistry {
    return this.#registry;
  }

  get contentType(): string {
    return metricsContentType;
  }

  render(): Promise<string> {
    return this.#registry.render();
  }
}

function registerGauges(registry: MetricsRegistry, sources: MetricsSources): void {
  const registers = [registry];
  new Gauge({
    name: 'apiserver_storage_objects',
    help: '[DEPRECATED, consider using apiserver_resource_objects instead] Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.',
    labelNames: ['resource'],
    registers,
    collect() {
      this.reset();
      for (const [kind, count] of sources.objectCounts()) this.set({ resource: groupResourceOf(kind) }, count);
    },
  });
  new Gauge({
    name: 'apiserver_resource_objects',
    help: 'Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.',
    labelNames: ['group', 'resource'],
    registers,
    collect() {
      this.reset();
      for (const [kind, count] of sources.objectCounts()) this.set({ group: kind.group, resource: kind.plural }, count);
    },
  });
  new Gauge({
    name: 'apiserver_resource_size_estimate_bytes',
    help: 'Estimated size of stored objects in database. Estimate is based on sum of last observed sizes of serialized objects. In case of a fetching error, the value will be -1.',
    labelNames: ['group', 'resource'],
    registers,
    collect() {
      this.reset();
      for (const [kind, , bytes] of sources.objectCounts()) this.set({ group: kind.group, resource: kind.plural }, bytes);
    },
  });
  new Gauge({
    name: 'apiserver_current_inflight_requests',
    help: 'Maximal number of currently used inflight request limit of this apiserver per request kind in last second.',
    labelNames: ['request_kind'],
    registers,
    collect() {
      const { mutating, readOnly } = sources.inFlight();
      this.set({ request_kind: 'mutating' }, mutating);
      this.set({ request_kind: 'readOnly' }, readOnly);
    },
  });
  new Gauge({
    name: 'apiserver_storage_size_bytes',
    help: 'Size of the storage database file physically allocated in bytes.',
    labelNames: ['storage_cluster_id'],
    registers,
    async collect() {
      this.set({ storage_cluster_id: 'etcd-0' }, await sources.storeBytes());
    },
  });
}
