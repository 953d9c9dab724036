// What services and their pods mean to each other: which pods stand behind a service, at which addresses and
// ports. Shared by the controllers of Endpoints and of EndpointSlices.

import { conditionOf } from '../../api/conditions.ts';
import { type Pod, pods, type Service, services } from '../../api/core.ts';
import { selectorMatches, selectorOfMap } from '../../api/labels.ts';
import { isPodTerminal, isSidecar } from '../../api/pods.ts';
import type { CacheReader } from '../../client/controller.ts';

export type ServicePort = NonNullable<NonNullable<Service['spec']>['ports']>[number];
export type AddressFamily = 'IPv4' | 'IPv6';

export const lastChangeTriggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';
export const headlessLabel = 'service.kubernetes.io/headless';

/** Whether the pods behind `service` are found by us: it has a selector, and is not just a name for elsewhere. */
export function hasEndpoints(service: Service): boolean {
  return service.spec?.type !== 'ExternalName' && service.spec?.selector !== undefined;
}

export function podsOf(service: Service, cache: CacheReader): Pod[] {
  const selector = selectorOfMap(service.spec?.selector);
  return cache.list(pods, service.metadata?.namespace).filter((pod) => selectorMatches(selector, pod.metadata?.labels));
}

/** Keys of the services that select `pod`. */
export function servicesOf(pod: Pod, cache: CacheReader): string[] {
  const { namespace = '', labels } = pod.metadata ?? {};
  return cache
    .list(services, namespace)
    .filter((service) => hasEndpoints(service) && selectorMatches(selectorOfMap(service.spec?.selector), labels))
    .map((service) => `${namespace}/${service.metadata?.name}`);
}

/** An ended pod, or one without an address, has none; one that is being deleted only where those are wanted. */
export function isEndpoint(pod: Pod, options: { includeTerminating: boolean }): boolean {
  if (isPodTerminal(pod) || addressesOf(pod).length === 0) return false;
  return options.includeTerminating || !pod.metadata?.deletionTimestamp;
}

function addressesOf(pod: Pod): string[] {
  const { podIP, podIPs = [] } = pod.status ?? {};
  return podIPs.length ? podIPs.map(({ ip }) => ip) : podIP ? [podIP] : [];
}

export function addressesOfFamily(pod: Pod, family: AddressFamily): string[] {
  return addressesOf(pod).filter((ip) => ip.includes(':') === (family === 'IPv6'));
}

/** The families that a service serves, its first one first. */
export function familiesOf(service: Service): AddressFamily[] {
  const { ipFamilies = [], clusterIP = '' } = service.spec ?? {};
  if (ipFamilies.length) return ipFamilies.map((family) => (family === 'IPv6' ? 'IPv6' : 'IPv4'));
  if (isClusterIpSet(service)) return [clusterIP.includes(':') ? 'IPv6' : 'IPv4'];
  return ['IPv4', 'IPv6'];
}

export function isClusterIpSet(service: Service): boolean {
  const { clusterIP = '' } = service.spec ?? {};
  return clusterIP !== '' && clusterIP !== 'None';
}

/** The port of `pod` that `port` of a service leads to; undefined when it has none of that name. */
export function targetPortOf(pod: Pod, port: ServicePort): number | undefined {
  const target: unknown = port.targetPort;
  if (target === undefined) return port.port;
  if (typeof target === 'number') return target;
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []).filter(isSidecar)];
  for (const container of containers) {
    for (const candidate of container.ports ?? []) {
      if (candidate.name === target && (candidate.protocol ?? 'TCP') === (port.protocol ?? 'TCP')) return candidate.containerPort;
    }
  }
  return undefined;
}

/** The name that DNS gives a pod of a headless service. */
export function hostnameOf(pod: Pod, service: Service): string | undefined {
  const { hostname, subdomain } = pod.spec ?? {};
  return hostname && subdomain === service.metadata?.name ? hostname : undefined;
}

/**
 * The first of the times that call for a change and are newer than `previous`: the service's creation, and pods becoming
 * ready or unready. `previous` when there is none.
 */
export function triggerTime(service: Service, selected: readonly Pod[], previous: string | undefined): string | undefined {
  const times = [
    service.metadata?.creationTimestamp,
    ...selected.map((pod) => conditionOf(pod.status?.conditions, 'Ready')?.lastTransitionTime),
  ];
  let first: string | undefined;
  for (const time of times) {
    if (!time || (previous && Date.parse(time) <= Date.parse(previous))) continue;
    if (!first || Date.parse(time) < Date.parse(first)) first = time;
  }
  return first ?? previous;
}
