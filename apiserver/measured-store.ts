// The store as the server uses it, with the time that each request takes of it: etcd_* are the names that dashboards know,
// whichever store it is.

import { Counter, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../base/clock.ts';
import { ConflictError, KeyExistsError, type Store } from '../store/store.ts';

const buckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const labelNames = ['operation', 'group', 'resource'] as const;
/** More kinds than any cluster has; what comes after them is counted together. */
const seriesMax = 5000;

interface Series {
  seconds: Histogram.Internal<string>;
  total: Counter.Internal;
  errors: Counter.Internal;
}

export function measuredStore(store: Store, clock: Clock, registry: Registry): Store {
  const registers = [registry];
  const seconds = new Histogram({
    name: 'etcd_request_duration_seconds',
    help: 'Etcd request latency in seconds for each operation and object type.',
    labelNames: [...labelNames],
    buckets,
    registers,
  });
  const total = new Counter({
    name: 'etcd_requests_total',
    help: 'Etcd request counts for each operation and object type.',
    labelNames: [...labelNames],
    registers,
  });
  const errors = new Counter({
    name: 'etcd_request_errors_total',
    help: 'Etcd failed request counts for each operation and object type.',
    labelNames: [...labelNames],
    registers,
  });
  const known = new Map<string, Series>();

  function seriesOf(operation: string, key: string): Series {
    const [, , group = '', resource = ''] = key.split('/', 4);
    const name = `${operation} ${group} ${resource}`;
    let series = known.get(name);
    if (!series) {
      const isOneMore = known.size < seriesMax;
      const labels = { operation, group: isOneMore && group !== 'core' ? group : '', resource: isOneMore ? resource : '' };
      series = { seconds: seconds.labels(labels), total: total.labels(labels), errors: errors.labels(labels) };
      if (isOneMore) known.set(name, series);
    }
    return series;
  }

  async function timed<R>(operation: string, key: string, result: Promise<R>): Promise<R> {
    const startMs = clock.monotonicMs();
    const series = seriesOf(operation, key);
    series.total.inc();
    try {
      return await result;
    } catch (error) {
      // That somebody else was quicker is an answer.
      if (!(error instanceof ConflictError) && !(error instanceof KeyExistsError)) series.errors.inc();
      throw error;
    } finally {
      series.seconds.observe((clock.monotonicMs() - startMs) / 1000);
    }
  }

  const { isOutdated } = store;
  return {
    currentRevision: () => store.currentRevision(),
    get: (key, revision) => timed('get', key, store.get(key, revision)),
    list: (prefix, options) => timed('list', prefix, store.list(prefix, options)),
    count: (prefix) => timed('count', prefix, store.count(prefix)),
    put: (key, value, expectedRevision) =>
      timed(expectedRevision === 0 ? 'create' : 'update', key, store.put(key, value, expectedRevision)),
    delete: (key, expectedRevision) => timed('delete', key, store.delete(key, expectedRevision)),
    watch: (prefix, afterRevision) => store.watch(prefix, afterRevision),
    compact: (revision) => store.compact(revision),
    ...(isOutdated ? { isOutdated: (key: string) => timed('get', key, isOutdated.call(store, key)) } : {}),
    sizeBytes: () => store.sizeBytes(),
    close: () => store.close(),
  };
}
