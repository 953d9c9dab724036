// The metrics of this process's components, as the configuration says, and the ports on which the controllers' and the
// scheduler's are served.

import type { UserInfo } from '../apiserver/resources/resource.ts';
import type { ApiServer } from '../apiserver/server.ts';
import { buildInfoOf, defaultVersion } from '../apiserver/version.ts';
import type { Client } from '../client/client.ts';
import { startComponentServer } from '../client/component-server.ts';
import { DelegatedAccess } from '../client/delegated-access.ts';
import { ComponentMetrics } from '../client/metrics/component-metrics.ts';
import type { MetricsSettings } from '../client/metrics/registry.ts';
import { createClient } from '../client/rest-client.ts';
import { SchedulerMetrics } from '../scheduler/scheduler-metrics.ts';
import type { ClusterConfig } from './config.ts';
import type { Ambient } from './node.ts';

export function metricsSettings({ disabledMetrics, allowMetricLabels }: ClusterConfig): MetricsSettings {
  const allowedLabels = new Map<string, Map<string, Set<string>>>();
  for (const [key, values] of Object.entries(allowMetricLabels)) {
    const [metric = '', label = ''] = key.split(',');
    const labels = allowedLabels.get(metric) ?? new Map<string, Set<string>>();
    allowedLabels.set(metric, labels.set(label, new Set(values.split(','))));
  }
  return { disabled: disabledMetrics, allowedLabels };
}

/** A component's metrics, and its clients, whose requests are counted there. */
export interface Measured {
  metrics: ComponentMetrics;
  clientOf(user: UserInfo): Client;
}

export function measured(apiServer: ApiServer, server: string, config: ClusterConfig, { clock }: Pick<Ambient, 'clock'>): Measured {
  const metrics = new ComponentMetrics({ clock, settings: metricsSettings(config), buildInfo: buildInfoOf(defaultVersion) });
  const { host } = new URL(server);
  return { metrics, clientOf: (user) => createClient(metrics.measured(apiServer.transport(user), host)) };
}

export interface ControlLoopMetrics {
  controllers: Measured;
  scheduler: Measured;
  schedulerMetrics: SchedulerMetrics;
}

export function controlLoopMetrics(...given: Parameters<typeof measured>): ControlLoopMetrics {
  const [controllers, scheduler] = [measured(...given), measured(...given)];
  return { controllers, scheduler, schedulerMetrics: new SchedulerMetrics(scheduler.metrics.registry) };
}

/** Listens where the configuration asks for it; the returned functions end that. */
export async function serveControlLoopMetrics(
  { controllers, scheduler }: ControlLoopMetrics,
  { config, tls, ambient }: { config: ClusterConfig; tls: { cert: string; key: string; clientCa: string }; ambient: Ambient },
): Promise<(() => Promise<void>)[]> {
  const served = [
    { name: 'system:kube-controller-manager', of: controllers, port: config.controllerManagerSecurePort },
    { name: 'system:kube-scheduler', of: scheduler, port: config.schedulerSecurePort },
  ].filter(({ port }) => port !== 0);
  return Promise.all(
    served.map(async ({ name, of, port }) => {
      const access = new DelegatedAccess({ client: of.clientOf({ name, groups: [] }), clock: ambient.clock });
      const pages = { '/metrics': () => of.metrics.render() };
      const server = await startComponentServer({ access, pages, address: config.bindAddress, port, tls, log: ambient.log });
      return () => server.close();
    }),
  );
}
