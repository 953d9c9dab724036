// The Endpoints that a service and its pods call for.

import { isDeepStrictEqual } from 'node:util';
import type { Endpoints, Pod, Service } from '../../api/core.ts';
import { isPodReady } from '../../api/pods.ts';
import {
  addressesOfFamily,
  familiesOf,
  headlessLabel,
  hostnameOf,
  isClusterIpSet,
  isEndpoint,
  lastChangeTriggerTimeAnnotation,
  targetPortOf,
  triggerTime,
} from './service-pods.ts';

export type Subset = NonNullable<Endpoints['subsets']>[number];
type Address = NonNullable<Subset['addresses']>[number];
type Port = NonNullable<Subset['ports']>[number];

export const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity';
/** On the Endpoints that this controller writes, by which it knows them from those that users write. */
export const managedByLabel = 'endpoints.kubernetes.io/managed-by';
export const endpointController = 'endpoint-controller';
export const addressesMax = 1000;

/** What is to be written; undefined when `current` is as it should be. */
export function planEndpoints(service: Service, selected: readonly Pod[], current: Endpoints | undefined): Endpoints | undefined {
  const { subsets, isTruncated } = truncate(subsetsOf(service, selected));
  const { name = '', namespace = '', labels: serviceLabels } = service.metadata ?? {};
  const labels: Record<string, string> = { ...serviceLabels, [managedByLabel]: endpointController };
  if (isClusterIpSet(service)) delete labels[headlessLabel];
  else labels[headlessLabel] = '';
  const annotations = { ...current?.metadata?.annotations };
  if (isTruncated) annotations[overCapacityAnnotation] = 'truncated';
  else delete annotations[overCapacityAnnotation];
  if (
    current &&
    isDeepStrictEqual(comparable(current.subsets ?? []), comparable(subsets)) &&
    isDeepStrictEqual(current.metadata?.labels ?? {}, labels) &&
    current.metadata?.annotations?.[overCapacityAnnotation] === annotations[overCapacityAnnotation]
  ) {
    return undefined;
  }
  const trigger = triggerTime(service, selected, annotations[lastChangeTriggerTimeAnnotation]);
  if (trigger) annotations[lastChangeTriggerTimeAnnotation] = trigger;
  return {
    ...current,
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { ...current?.metadata, name, namespace, labels, annotations },
    subsets,
  };
}

/** Without what the server may add or pods change all the time. */
function comparable(subsets: readonly Subset[]): unknown {
  const strip = (addresses: readonly Address[] | undefined) =>
    (addresses ?? []).map(({ ip, hostname, nodeName, targetRef }) => [ip, hostname, nodeName, targetRef?.uid, targetRef?.name]);
  const ports = (list: readonly Port[] | undefined) => (list ?? []).map((p) => [p.name ?? '', p.port, p.protocol ?? 'TCP', p.appProtocol]);
  return subsets.map((subset) => [strip(subset.addresses), strip(subset.notReadyAddresses), ports(subset.ports)]);
}

interface Found {
  address: Address;
  isReady: boolean;
}

/** Ports that lead to the very same addresses share a subset. */
function subsetsOf(service: Service, selected: readonly Pod[]): Subset[] {
  const { ports = [], publishNotReadyAddresses = false, clusterIP } = service.spec ?? {};
  const byPort = new Map<string, { port: Port | undefined; found: Map<string, Found> }>();
  const add = (port: Port | undefined, pod: Pod, address: Address) => {
    const id = JSON.stringify(port ?? null);
    const entry = byPort.get(id) ?? { port, found: new Map<string, Found>() };
    byPort.set(id, entry);
    entry.found.set(`${address.ip} ${pod.metadata?.uid}`, { address, isReady: publishNotReadyAddresses || isPodReady(pod) });
  };
  for (const pod of selected) {
    const address = isEndpoint(pod, { includeTerminating: publishNotReadyAddresses }) ? addressOf(service, pod) : undefined;
    if (!address) continue;
    if (ports.length === 0 && clusterIP === 'None') add(undefined, pod, address);
    for (const port of ports) {
      const number = targetPortOf(pod, port);
      if (number === undefined) continue;
      const { name, protocol = 'TCP', appProtocol } = port;
      add({ ...(name ? { name } : {}), port: number, protocol, ...(appProtocol ? { appProtocol } : {}) }, pod, address);
    }
  }
  const byAddresses = new Map<string, { ports: Port[]; found: Found[] }>();
  for (const { port, found } of byPort.values()) {
    const sorted = [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
    const id = sorted.map(([key, { isReady }]) => `${key} ${isReady}`).join('\n');
    const entry = byAddresses.get(id) ?? { ports: [], found: sorted.map(([, value]) => value) };
    byAddresses.set(id, entry);
    if (port) entry.ports.push(port);
  }
  return [...byAddresses.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => subsetOf(entry.found, entry.ports));
}

function subsetOf(found: readonly Found[], ports: Port[]): Subset {
  const ready = found.filter(({ isReady }) => isReady).map(({ address }) => address);
  const notReady = found.filter(({ isReady }) => !isReady).map(({ address }) => address);
  const order = (port: Port) => `${port.name ?? ''} ${String(port.port).padStart(5, '0')} ${port.protocol}`;
  ports.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return {
    ...(ready.length ? { addresses: ready } : {}),
    ...(notReady.length ? { notReadyAddresses: notReady } : {}),
    ...(ports.length ? { ports } : {}),
  };
}

function addressOf(service: Service, pod: Pod): Address | undefined {
  const [family = 'IPv4'] = familiesOf(service);
  const [ip] = addressesOfFamily(pod, family);
  if (!ip) return undefined;
  const { name = '', namespace = '', uid = '' } = pod.metadata ?? {};
  const hostname = hostnameOf(pod, service);
  const nodeName = pod.spec?.nodeName;
  return { ip, ...(hostname ? { hostname } : {}), ...(nodeName ? { nodeName } : {}), targetRef: { kind: 'Pod', namespace, name, uid } };
}

/** At most `addressesMax`, ready ones first, each subset in proportion to its size. */
function truncate(subsets: Subset[]): { subsets: Subset[]; isTruncated: boolean } {
  const count = (which: 'addresses' | 'notReadyAddresses') => subsets.reduce((sum, subset) => sum + (subset[which]?.length ?? 0), 0);
  const ready = count('addresses');
  const notReady = count('notReadyAddresses');
  if (ready + notReady <= addressesMax) return { subsets, isTruncated: false };
  const which = ready > addressesMax ? 'addresses' : 'notReadyAddresses';
  const room = which === 'addresses' ? addressesMax : addressesMax - ready;
  const total = which === 'addresses' ? ready : notReady;
  let left = room;
  const truncated = subsets.map((subset) => {
    const present = subset[which] ?? [];
    const kept = present.slice(0, Math.min(left, Math.ceil((present.length / total) * room)));
    left -= kept.length;
    const addresses = which === 'addresses' ? kept : (subset.addresses ?? []);
    const notReadyAddresses = which === 'addresses' ? [] : kept;
    return {
      ...(addresses.length ? { addresses } : {}),
      ...(notReadyAddresses.length ? { notReadyAddresses } : {}),
      ...(subset.ports ? { ports: subset.ports } : {}),
    };
  });
  return { subsets: truncated, isTruncated: true };
}
