// What envelope encryption counts, under Kubernetes' names. Ids of keys are shown by their hashes, and only the newest.

import { createHash } from 'node:crypto';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../../../base/clock.ts';

const keyIdsMax = 100;
const doubling = (start: number, count: number) => Array.from({ length: count }, (_, i) => start * 2 ** i);
const keyLabels = ['transformation_type', 'provider_name', 'key_id_hash', 'apiserver_id_hash'];

export class KmsMetrics {
  readonly #clock: Clock;
  readonly #apiServerHash: string;
  readonly #statusOf: (error?: Error) => string;
  /** Label sets in the order of their last use. */
  readonly #used = new Map<string, Record<string, string>>();
  readonly #seen = new Map<string, Record<string, string>>();
  readonly #calls = new Histogram({
    name: 'apiserver_envelope_encryption_kms_operations_latency_seconds',
    help: 'KMS operation duration with gRPC error code status total.',
    labelNames: ['provider_name', 'method_name', 'grpc_status_code'],
    buckets: doubling(0.0001, 20),
    registers: [],
  });
  readonly #keyIds = new Counter({
    name: 'apiserver_envelope_encryption_key_id_hash_total',
    help: 'Number of times a keyID is used split by transformation type, provider, and apiserver identity.',
    labelNames: keyLabels,
    registers: [],
  });
  readonly #keyIdTimes = new Gauge({
    name: 'apiserver_envelope_encryption_key_id_hash_last_timestamp_seconds',
    help: 'The last time in seconds when a keyID was used.',
    labelNames: keyLabels,
    registers: [],
  });
  readonly #statusTimes = new Gauge({
    name: 'apiserver_envelope_encryption_key_id_hash_status_last_timestamp_seconds',
    help: 'The last time in seconds when a keyID was returned by the Status RPC call.',
    labelNames: keyLabels.slice(1),
    registers: [],
  });
  readonly #invalidKeyIds = new Counter({
    name: 'apiserver_envelope_encryption_invalid_key_id_from_status_total',
    help: 'Number of times an invalid keyID is returned by the Status RPC call split by error.',
    labelNames: ['provider_name', 'error'],
    registers: [],
  });
  readonly #cacheSize = new Gauge({
    name: 'apiserver_envelope_encryption_dek_source_cache_size',
    help: 'Number of records in data encryption key (DEK) source cache. On a restart, this value is an approximation of the number of decrypt RPC calls the server will make to the KMS plugin.',
    labelNames: ['provider_name'],
    registers: [],
  });
  readonly #cacheMisses = new Counter({
    name: 'apiserver_storage_envelope_transformation_cache_misses_total',
    help: 'Total number of cache misses while accessing key decryption key(KEK).',
    registers: [],
  });
  readonly #keySeconds = new Histogram({
    name: 'apiserver_storage_data_key_generation_duration_seconds',
    help: 'Latencies in seconds of data encryption key(DEK) generation operations.',
    buckets: doubling(5e-6, 14),
    registers: [],
  });
  readonly #keyFailures = new Counter({
    name: 'apiserver_storage_data_key_generation_failures_total',
    help: 'Total number of failed data encryption key(DEK) generation operations.',
    registers: [],
  });

  constructor(clock: Clock, apiServerHash: string, statusOf: (error?: Error) => string) {
    this.#clock = clock;
    this.#apiServerHash = apiServerHash;
    this.#statusOf = statusOf;
  }

  join(registry: Registry): void {
    for (const metric of [this.#calls, this.#keySeconds]) registry.registerMetric(metric);
    for (const metric of [this.#keyIds, this.#invalidKeyIds]) registry.registerMetric(metric);
    for (const metric of [this.#cacheMisses, this.#keyFailures]) registry.registerMetric(metric);
    for (const metric of [this.#keyIdTimes, this.#statusTimes]) registry.registerMetric(metric);
    registry.registerMetric(this.#cacheSize);
  }

  called(provider: string, method: string, seconds: number, error?: Error): void {
    this.#calls.observe({ provider_name: provider, method_name: method, grpc_status_code: this.#statusOf(error) }, seconds);
  }

  keyUsed(type: 'from_storage' | 'to_storage', provider: string, keyId: string): void {
    const labels = { transformation_type: type, ...this.#labelsOf(provider, keyId) };
    const forgotten = remember(this.#used, labels);
    if (forgotten) {
      this.#keyIds.remove(forgotten);
      this.#keyIdTimes.remove(forgotten);
    }
    this.#keyIds.inc(labels);
    this.#keyIdTimes.set(labels, this.#clock.nowMs() / 1000);
  }

  keySeen(provider: string, keyId: string): void {
    const labels = this.#labelsOf(provider, keyId);
    const forgotten = remember(this.#seen, labels);
    if (forgotten) this.#statusTimes.remove(forgotten);
    this.#statusTimes.set(labels, this.#clock.nowMs() / 1000);
  }

  /** @param error `empty` or `too_long` */
  keyInvalid(provider: string, error: string): void {
    this.#invalidKeyIds.inc({ provider_name: provider, error });
  }

  cached(provider: string, size: number): void {
    this.#cacheSize.set({ provider_name: provider }, size);
  }

  missed(): void {
    this.#cacheMisses.inc();
  }

  generated(seconds: number): void {
    this.#keySeconds.observe(seconds);
  }

  #labelsOf(provider: string, keyId: string) {
    return { provider_name: provider, key_id_hash: hashOf(keyId), apiserver_id_hash: this.#apiServerHash };
  }
}

/** '' of nothing. */
export function hashOf(text: string): string {
  return text === '' ? '' : `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** What is to be forgotten for it. */
function remember(known: Map<string, Record<string, string>>, labels: Record<string, string>): Record<string, string> | undefined {
  const key = JSON.stringify(labels);
  known.delete(key);
  known.set(key, labels);
  if (known.size <= keyIdsMax) return undefined;
  const [oldest = '', forgotten] = known.entries().next().value ?? [];
  known.delete(oldest);
  return forgotten;
}
