// /metrics/slis: how often each health check was asked and what it said, by itself so that it can be scraped often.

import { Counter, Gauge } from 'prom-client';
import { MetricsRegistry } from '../client/metrics/registry.ts';

export class HealthMetrics {
  readonly #registry = new MetricsRegistry({}, { counts: false });
  readonly #last: Gauge<'name' | 'type'>;
  readonly #total: Counter<'name' | 'type' | 'status'>;

  constructor() {
    const registers = [this.#registry];
    this.#last = new Gauge({
      name: 'kubernetes_healthcheck',
      help: 'This metric records the result of a single healthcheck.',
      labelNames: ['name', 'type'],
      registers,
    });
    this.#total = new Counter({
      name: 'kubernetes_healthchecks_total',
      help: 'This metric records the results of all healthcheck.',
      labelNames: ['name', 'type', 'status'],
      registers,
    });
  }

  /** `type`: healthz, livez or readyz. */
  observe(name: string, type: string, isFine: boolean): void {
    this.#last.set({ name, type }, isFine ? 1 : 0);
    this.#total.inc({ name, type, status: isFine ? 'success' : 'error' });
  }

  render(): Promise<string> {
    return this.#registry.render();
  }
}
