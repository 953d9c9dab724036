// The server's metrics under Kubernetes' names, so that existing dashboards work.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { groupResourceOf, type Kind } from '../api/kind.ts';
import type { RequestInfo } from './context.ts';

export interface MetricsSources {
  /** Objects per kind. */
  objectCounts(): Iterable<[kind: Kind, count: number]>;
  inFlight(): { mutating: number; readOnly: number };
  storeBytes(): Promise<number>;
}

const durationBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

interface RequestSeries {
  total: Counter.Internal;
  duration: Histogram.Internal<string>;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<'code' | 'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'scope' | 'component' | 'dry_run'>;
  readonly #durations: Histogram<'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'scope' | 'component' | 'dry_run'>;
  readonly #longRunning: Gauge<'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'scope' | 'component'>;
  readonly #watchEvents: Counter<'group' | 'version' | 'resource'>;
  readonly #series = new Map<string, RequestSeries>();

  constructor(sources: MetricsSources) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
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

  requestDone(info: RequestInfo, code: number, isDryRun: boolean, seconds: number): void {
    const scope = scopeOf(info);
    const key = `${info.verb} ${info.group} ${info.version} ${info.resource} ${info.subresource} ${scope} ${isDryRun} ${code}`;
    let series = this.#series.get(key);
    if (!series) {
      const labels = { ...requestLabels(info, scope), dry_run: isDryRun ? 'All' : '' };
      series = { total: this.#requests.labels({ ...labels, code: String(code) }), duration: this.#durations.labels(labels) };
      this.#series.set(key, series);
    }
    series.total.inc();
    if (info.verb !== 'watch') series.duration.observe(seconds);
  }

  longRunning(info: RequestInfo, change: 1 | -1): void {
    this.#longRunning.inc(requestLabels(info, scopeOf(info)), change);
  }

  /** For parts of the server that have metrics of their own. */
  get registry(): Registry {
    return this.#registry;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  render(): Promise<string> {
    return this.#registry.metrics();
  }
}

function requestLabels(info: RequestInfo, scope: string) {
  const { group, version, resource, subresource } = info;
  return { verb: info.verb.toUpperCase(), group, version, resource, subresource, scope, component: 'apiserver' };
}

function scopeOf(info: RequestInfo): string {
  if (!info.isResource) return '';
  if (info.name) return 'resource';
  return info.namespace ? 'namespace' : 'cluster';
}

function registerGauges(registry: Registry, sources: MetricsSources): void {
  const registers = [registry];
  new Gauge({
    name: 'apiserver_storage_objects',
    help: 'Number of stored objects at the time of last check split by kind.',
    labelNames: ['resource'],
    registers,
    collect() {
      this.reset();
      for (const [kind, count] of sources.objectCounts()) this.set({ resource: groupResourceOf(kind) }, count);
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
    registers,
    async collect() {
      this.set(await sources.storeBytes());
    },
  });
}
