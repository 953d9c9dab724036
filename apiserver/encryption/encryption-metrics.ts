// What encryption at rest counts, under Kubernetes' names. It begins before there is a server to show it.

import { createHash } from 'node:crypto';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../../base/clock.ts';
import { KmsMetrics } from './kms/kms-metrics.ts';
import type { RecordTransformation } from './transformer.ts';

const doubling = (start: number, count: number) => Array.from({ length: count }, (_, i) => start * 2 ** i);

export class EncryptionMetrics {
  readonly kms: KmsMetrics;
  readonly #clock: Clock;
  readonly #apiServerHash: string;
  readonly #operations = new Counter({
    name: 'apiserver_storage_transformation_operations_total',
    help: "Total number of transformations. Successful transformation will have a status 'OK' and a varied status string when the transformation fails. The status, resource, and transformation_type fields can be used for alerting purposes. For example, you can monitor for encryption/decryption failures using the transformation_type (e.g., from_storage for decryption and to_storage for encryption). Additionally, these fields can be used to ensure that the correct transformers are applied to each resource.",
    labelNames: ['resource', 'transformation_type', 'transformer_prefix', 'status'],
    registers: [],
  });
  readonly #seconds = new Histogram({
    name: 'apiserver_storage_transformation_duration_seconds',
    help: 'Latencies in seconds of value transformation operations.',
    labelNames: ['transformation_type', 'transformer_prefix'],
    buckets: doubling(5e-6, 25),
    registers: [],
  });
  readonly #reloads = new Counter({
    name: 'apiserver_encryption_config_controller_automatic_reloads_total',
    help: 'Total number of reload successes and failures of encryption configuration split by apiserver identity.',
    labelNames: ['status', 'apiserver_id_hash'],
    registers: [],
  });
  readonly #lastReload = new Gauge({
    name: 'apiserver_encryption_config_controller_automatic_reload_last_timestamp_seconds',
    help: 'Timestamp of the last successful or failed automatic reload of encryption configuration split by apiserver identity.',
    labelNames: ['status', 'apiserver_id_hash'],
    registers: [],
  });
  readonly #configuration = new Gauge({
    name: 'apiserver_encryption_config_controller_last_config_info',
    help: 'Information about the last applied encryption configuration with hash as label, split by apiserver identity.',
    labelNames: ['apiserver_id_hash', 'hash'],
    registers: [],
  });

  /** @param apiServerId told apart from other servers by its hash */
  constructor(clock: Clock, apiServerId: string) {
    this.#clock = clock;
    this.#apiServerHash = `sha256:${createHash('sha256').update(apiServerId).digest('hex')}`;
    this.kms = new KmsMetrics(clock, this.#apiServerHash, statusOf);
  }

  /** Shows everything, what was counted already too, with the server's own. */
  join(registry: Registry): void {
    for (const metric of [this.#operations, this.#reloads]) registry.registerMetric(metric);
    for (const metric of [this.#lastReload, this.#configuration]) registry.registerMetric(metric);
    registry.registerMetric(this.#seconds);
    this.kms.join(registry);
  }

  transformed(resource: string, { type, prefix, seconds, error }: Parameters<RecordTransformation>[0]): void {
    this.#operations.inc({ resource, transformation_type: type, transformer_prefix: prefix, status: statusOf(error) });
    if (!error) this.#seconds.observe({ transformation_type: type, transformer_prefix: prefix }, seconds);
  }

  /** `hash`: of the configuration that is used since. */
  reloaded(hash: string): void {
    this.#reload('success');
    this.using(hash);
  }

  reloadFailed(): void {
    this.#reload('failure');
  }

  using(hash: string): void {
    this.#configuration.reset();
    this.#configuration.set({ apiserver_id_hash: this.#apiServerHash, hash }, 1);
  }

  #reload(status: string): void {
    const labels = { status, apiserver_id_hash: this.#apiServerHash };
    this.#reloads.inc(labels);
    this.#lastReload.set(labels, this.#clock.nowMs() / 1000);
  }
}

/** gRPC's name for what happened, when it was gRPC that failed. */
export function statusOf(error: Error | undefined): string {
  if (!error) return 'OK';
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if ('grpcStatus' in cause && typeof cause.grpcStatus === 'string') return cause.grpcStatus;
  return 'unknown-non-grpc';
}
