// Environment variables for services, in the form Docker's links had (`WEB_SERVICE_HOST`, `WEB_PORT_80_TCP_ADDR`, ...).

import type { Service } from '../../api/core.ts';

/**
 * Variables for the services of `namespace`, and for the API server's own wherever the pod is; `enableServiceLinks`
 * false leaves only the latter.
 */
export function serviceEnvironment(services: readonly Service[], namespace: string, enableServiceLinks: boolean): Map<string, string> {
  const env = new Map<string, string>();
  const sorted = [...services].sort((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1));
  for (const service of sorted) {
    const { name = '', namespace: of = '' } = service.metadata ?? {};
    const isMaster = of === 'default' && name === 'kubernetes';
    if (isMaster || (of === namespace && enableServiceLinks)) addService(env, service);
  }
  return env;
}

function addService(env: Map<string, string>, service: Service): void {
  const host = service.spec?.clusterIP;
  const ports = service.spec?.ports ?? [];
  const [first] = ports;
  if (!host || host === 'None' || !first) return;
  const prefix = (service.metadata?.name ?? '').replaceAll('-', '_').toUpperCase();
  const authority = host.includes(':') ? `[${host}]` : host;
  env.set(`${prefix}_SERVICE_HOST`, host);
  env.set(`${prefix}_SERVICE_PORT`, String(first.port));
  for (const port of ports) {
    if (port.name) env.set(`${prefix}_SERVICE_PORT_${port.name.replaceAll('-', '_').toUpperCase()}`, String(port.port));
  }
  const urlOf = (port: (typeof ports)[number]) => `${(port.protocol ?? 'TCP').toLowerCase()}://${authority}:${port.port}`;
  env.set(`${prefix}_PORT`, urlOf(first));
  for (const port of ports) {
    const protocol = port.protocol ?? 'TCP';
    const link = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`;
    env.set(link, urlOf(port));
    env.set(`${link}_PROTO`, protocol.toLowerCase());
    env.set(`${link}_PORT`, String(port.port));
    env.set(`${link}_ADDR`, host);
  }
}
