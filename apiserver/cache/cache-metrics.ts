// What the watch caches count, under Kubernetes' names: they count for themselves, and are asked when somebody looks.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Kind } from '../../api/kind.ts';
import { ringLengthMax, type WatchCache } from './watch-cache.ts';

/** Kinds with their caches. A kind that is served in several versions has several, which count as one. */
type Caches = () => Iterable<{ kind: Kind; cache: Pick<WatchCache, 'counts' | 'revision'> }>;

const labelNames = ['group', 'resource'] as const;
const labelsOf = ({ group, plural }: Kind) => ({ group, resource: plural });
/** As Kubernetes: what has more digits would lose the last ones. */
const revisionModulus = 10 ** 15;

export class CacheMetrics {
  readonly #readWait: Histogram<'group' | 'resource'>;

  constructor(registry: Registry, caches: Caches) {
    const registers = [registry];
    const counter = (name: string, help: string, count: (cache: Pick<WatchCache, 'counts'>) => number, more: Record<string, string> = {}) =>
      new Counter({
        name,
        help,
        labelNames: [...labelNames, ...Object.keys(more)],
        registers,
        collect() {
          this.reset();
          for (const { kind, cache } of caches()) if (count(cache) > 0) this.inc({ ...labelsOf(kind), ...more }, count(cache));
        },
      });
    const unindexed = { index: '' };
    counter('apiserver_cache_list_total', 'Number of LIST requests served from watch cache', ({ counts }) => counts.lists, unindexed);
    counter(
      'apiserver_cache_list_fetched_objects_total',
      'Number of objects read from watch cache in the course of serving a LIST request',
      ({ counts }) => counts.listFetched,
      unindexed,
    );
    counter(
      'apiserver_cache_list_returned_objects_total',
      'Number of objects returned for a LIST request from watch cache',
      ({ counts }) => counts.listReturned,
    );
    counter(
      'apiserver_init_events_total',
      'Counter of init events processed in watch cache broken by resource type.',
      ({ counts }) => counts.initialEvents,
    );
    counter(
      'apiserver_watch_cache_events_received_total',
      'Counter of events received in watch cache broken by resource type.',
      ({ counts }) => counts.events,
    );
    counter(
      'apiserver_watch_cache_events_dispatched_total',
      'Counter of events dispatched in watch cache broken by resource type.',
      ({ counts }) => counts.events,
    );
    counter(
      'apiserver_terminated_watchers_total',
      'Counter of watchers closed due to unresponsiveness broken by resource type.',
      ({ counts }) => counts.terminatedWatchers,
    );
    counter(
      'apiserver_watch_cache_initializations_total',
      'Counter of watch cache initializations broken by resource type.',
      ({ counts }) => counts.initializations,
    );
    counter(
      'apiserver_watch_cache_consistent_read_total',
      'Counter for consistent reads from cache.',
      ({ counts }) => counts.consistentReads,
      { success: 'true', fallback: 'false' },
    );
    const gauge = (name: string, help: string, value: (cache: Pick<WatchCache, 'revision'>) => number) =>
      new Gauge({
        name,
        help,
        labelNames: [...labelNames],
        registers,
        collect() {
          this.reset();
          for (const { kind, cache } of caches()) this.set(labelsOf(kind), value(cache));
        },
      });
    gauge(
      'apiserver_watch_cache_resource_version',
      'Current resource version of watch cache broken by resource type. This is truncated to the 15 least significant digits.',
      ({ revision }) => revision % revisionModulus,
    );
    gauge('watch_cache_capacity', 'Total capacity of watch cache broken by resource type.', () => ringLengthMax);
    this.#readWait = new Histogram({
      name: 'apiserver_watch_cache_read_wait_seconds',
      help: 'Histogram of time spent waiting for a watch cache to become fresh.',
      labelNames: [...labelNames],
      buckets: [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3],
      registers,
    });
  }

  /** A read has waited for the cache. */
  waited(kind: Kind, seconds: number): void {
    this.#readWait.observe(labelsOf(kind), seconds);
  }
}
