// The metrics that every component of Kubernetes has, whatever it does: of its build, its process, its work queues and
// its requests. One of these per component and cluster: nothing is shared in the process.

import { Gauge } from 'prom-client';
import type { Clock } from '../../base/clock.ts';
import type { Transport } from '../transport.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import { MetricsRegistry, type MetricsSettings } from './registry.ts';
import { RestClientMetrics } from './rest-client-metrics.ts';
import { WorkQueueMetrics } from './work-queue-metrics.ts';

export interface ComponentMetricsOptions {
  clock: Clock;
  settings?: MetricsSettings | undefined;
  /** Labels of `kubernetes_build_info`. */
  buildInfo?: Record<string, string> | undefined;
}

export class ComponentMetrics {
  readonly registry: MetricsRegistry;
  readonly workQueues: WorkQueueMetrics;
  readonly #restClient: RestClientMetrics;

  constructor({ clock, settings, buildInfo }: ComponentMetricsOptions) {
    this.registry = new MetricsRegistry(settings);
    registerBuildInfo(this.registry, buildInfo);
    registerProcessMetrics(this.registry);
    this.workQueues = new WorkQueueMetrics(this.registry);
    this.#restClient = new RestClientMetrics(this.registry, clock);
  }

  /** `host`: of the API server, as the component names it. */
  measured(transport: Transport, host: string): Transport {
    return this.#restClient.measured(transport, host);
  }

  render(): Promise<string> {
    return this.registry.render();
  }
}

/** `kubernetes_build_info`, where it is known what was built. */
export function registerBuildInfo(registry: MetricsRegistry, buildInfo: Record<string, string> | undefined): void {
  if (!buildInfo) return;
  new Gauge({
    name: 'kubernetes_build_info',
    help: "A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
    labelNames: ['major', 'minor', 'git_version', 'git_commit', 'git_tree_state', 'build_date', 'go_version', 'compiler', 'platform'],
    registers: [registry],
  }).set(buildInfo, 1);
}
