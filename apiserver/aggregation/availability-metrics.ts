// Which API services cannot be reached, as metrics of Kubernetes' names.

import { Counter, Gauge, type Registry } from 'prom-client';

export class AvailabilityMetrics {
  readonly #gauge: Gauge<'name'>;
  readonly #counter: Counter<'name' | 'reason'>;

  constructor(registry: Registry) {
    this.#gauge = new Gauge({
      name: 'aggregator_unavailable_apiservice',
      help: 'Gauge of APIServices which are marked as unavailable broken down by APIService name.',
      labelNames: ['name'],
      registers: [registry],
    });
    this.#counter = new Counter({
      name: 'aggregator_unavailable_apiservice_total',
      help: 'Counter of APIServices which are marked as unavailable broken down by APIService name and reason.',
      labelNames: ['name', 'reason'],
      registers: [registry],
    });
  }

  /** All API services that there are, with whether they can be reached. */
  set(available: ReadonlyMap<string, boolean>): void {
    this.#gauge.reset();
    for (const [name, isAvailable] of available) this.#gauge.set({ name }, isAvailable ? 0 : 1);
  }

  /** One that could be reached, or was new, cannot be any more. */
  lost(name: string, reason: string): void {
    this.#counter.inc({ name, reason });
  }
}
