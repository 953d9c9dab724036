// From a reference to a service to an address that answers for it: the one way in which the API server finds webhooks,
// converters, aggregated API servers and what `services/proxy` leads to. It goes to endpoints, not to cluster
// addresses, so that it needs no service proxy below it (docs/decisions/service-routing.md).

import { type Service, services } from '../api/core.ts';
import { type EndpointSlice, endpointSlices, serviceNameLabel } from '../api/discovery.ts';
import { StatusError } from '../api/status.ts';
import type { Random } from '../base/random.ts';
import type { ClusterView } from './admission/cluster-view.ts';

export interface ServiceReference {
  namespace: string;
  name: string;
  /** The service's own port. Default 443. */
  port?: number;
}

export interface Address {
  /** An IP address, without brackets, or what an ExternalName service names. */
  host: string;
  port: number;
}

type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];

/**
 * The address of a ready endpoint, each as likely as the others.
 * @throws StatusError NotFound, ServiceUnavailable
 */
export async function resolveService(view: ClusterView, random: Random, reference: ServiceReference): Promise<Address> {
  const { namespace, name, port = 443 } = reference;
  const service = await view.get(services, namespace, name);
  if (!service) throw new StatusError('NotFound', `service "${name}" not found`, { details: { name, kind: 'service' } });
  const { type, externalName = '' } = service.spec ?? {};
  if (type === 'ExternalName') return { host: externalName, port };
  const servicePort = service.spec?.ports?.find((each) => each.port === port);
  if (!servicePort) throw new StatusError('ServiceUnavailable', `no service port ${port} found for service "${name}"`);
  return randomEndpoint(view, random, { service, portName: servicePort.name ?? '' });
}

/** The name that a service's server has a certificate for, whatever address it was reached by. */
export function serverNameOf({ name, namespace }: ServiceReference): string {
  return `${name}.${namespace}.svc`;
}

/** As a URL writes it. */
export function hostPort({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The slices that tell where a service's pods are. */
export function slicesOf(view: ClusterView, { namespace, name }: ServiceReference): EndpointSlice[] {
  return view.list(endpointSlices, namespace).filter(({ metadata }) => metadata?.labels?.[serviceNameLabel] === name);
}

/** Not being told counts as ready. */
export const isReady = ({ conditions }: Endpoint): boolean => conditions?.ready !== false;

/**
 * A ready endpoint that serves the port, of the service's first address family when there is one.
 * @throws StatusError ServiceUnavailable
 */
export function randomEndpoint(
  view: ClusterView,
  random: Random,
  { service, portName, isFit = () => true }: { service: Service; portName: string; isFit?(endpoint: Endpoint): boolean },
): Address {
  const { namespace = '', name = '' } = service.metadata ?? {};
  const [preferred] = service.spec?.ipFamilies ?? [];
  const found: { address: Address; isPreferred: boolean }[] = [];
  for (const { addressType, ports, endpoints } of slicesOf(view, { namespace, name })) {
    const port = ports?.find((each) => (each.name ?? '') === portName)?.port;
    if (port === undefined) continue;
    for (const endpoint of endpoints ?? []) {
      const [host] = endpoint.addresses;
      if (host !== undefined && isReady(endpoint) && isFit(endpoint))
        found.push({ address: { host, port }, isPreferred: addressType === preferred });
    }
  }
  const best = found.some(({ isPreferred }) => isPreferred) ? found.filter(({ isPreferred }) => isPreferred) : found;
  const chosen = best[Math.floor(random.float() * best.length)];
  if (!chosen) throw new StatusError('ServiceUnavailable', `no endpoints available for service "${name}"`);
  return chosen.address;
}
