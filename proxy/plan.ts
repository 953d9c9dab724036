// What the services of a cluster mean on one node: a list of frontends (an address, protocol and port that clients
// use) and the endpoints behind each. Pure; how a frontend is realised is an applier's business.

import type { Pod, Service } from '../api/core.ts';
import { type EndpointSlice, serviceNameLabel } from '../api/discovery.ts';
import { keyOf } from '../client/cache.ts';

export type Protocol = 'tcp' | 'udp' | 'sctp';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/**
 * Who a frontend is for. `near` ones are for this node and its cluster's pods, and are consulted before `any`: a Local
 * external policy binds only clients from outside (KEP-1669 and the service proxies' shared rule).
 */
export type Scope = 'any' | 'near';

/** `outside`: only clients with an address outside the pods' range. */
export type Masquerade = 'never' | 'outside' | 'always';

export interface Frontend {
  /** `namespace/name:port name`, or `pod namespace/name` for a host port. For logs. */
  readonly of: string;
  readonly scope: Scope;
  readonly address: string;
  readonly protocol: Protocol;
  readonly port: number;
  /** Sorted; without duplicates. */
  readonly endpoints: readonly Endpoint[];
  readonly masquerade: Masquerade;
  /** What a client meets when there is no endpoint: `drop` where others still have some. */
  readonly whenEmpty: 'reject' | 'drop';
  /** 0: no session affinity. */
  readonly affinitySeconds: number;
  /** CIDRs that may use it; undefined: everyone. */
  readonly sourceRanges?: readonly string[];
}

/** Sorted by key (`frontendKey`). */
export type Plan = ReadonlyMap<string, Frontend>;

/** The node that a plan is for. */
export interface PlanNode {
  readonly name: string;
  /** IPv4 addresses at which node ports and host ports answer. */
  readonly addresses: readonly string[];
  readonly zone?: string | undefined;
}

export interface HealthCheck {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly localEndpoints: number;
}

export function frontendKey({ scope, protocol, address, port }: Pick<Frontend, 'scope' | 'protocol' | 'address' | 'port'>): string {
  return `${address} ${protocol} ${port} ${scope}`;
}

/** The desired frontends of every service, and of the host ports of `node`'s own `pods`. */
export function plan(services: Iterable<Service>, slices: Iterable<EndpointSlice>, node: PlanNode, pods: Iterable<Pod> = []): Plan {
  const slicesOf = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const key = serviceKeyOf(slice);
    if (!key) continue;
    const list = slicesOf.get(key);
    if (list) list.push(slice);
    else slicesOf.set(key, [slice]);
  }
  const frontends: Frontend[] = [];
  for (const service of services) frontends.push(...planService(service, slicesOf.get(keyOf(service)) ?? [], node));
  for (const pod of pods) frontends.push(...planHostPorts(pod, node));
  return planOf(frontends);
}

/** Sorts frontends; where two claim one key, the first by name wins, whatever order they came in. */
export function planOf(frontends: Iterable<Frontend>): Plan {
  const byKey = new Map<string, Frontend>();
  for (const frontend of frontends) {
    const key = frontendKey(frontend);
    const other = byKey.get(key);
    if (!other || frontend.of < other.of) byKey.set(key, frontend);
  }
  return new Map([...byKey].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `namespace/name` of the service that `slice` belongs to; undefined when it belongs to none. */
export function serviceKeyOf(slice: EndpointSlice): string | undefined {
  const name = slice.metadata?.labels?.[serviceNameLabel];
  return name ? `${slice.metadata?.namespace}/${name}` : undefined;
}

/** The frontends of one service; none for a headless or external-name one, or one that another proxy serves. */
export function planService(service: Service, slices: readonly EndpointSlice[], node: PlanNode): Frontend[] {
  const { spec } = service;
  const clusterAddresses = (spec?.clusterIPs ?? (spec?.clusterIP ? [spec.clusterIP] : [])).filter(isIPv4);
  if (!spec || spec.type === 'ExternalName' || clusterAddresses.length === 0) return [];
  if (service.metadata?.labels?.['service.kubernetes.io/service-proxy-name']) return [];

  const externalLocal = spec.externalTrafficPolicy === 'Local';
  const internalLocal = spec.internalTrafficPolicy === 'Local';
  const ingress = (spec.type === 'LoadBalancer' ? (service.status?.loadBalancer?.ingress ?? []) : [])
    .filter((i) => i.ip && i.ipMode !== 'Proxy')
    .map((i) => i.ip as string)
    .filter(isIPv4);
  const sourceRanges = (spec.loadBalancerSourceRanges ?? [])
    .map((range) => range.trim())
    .filter((range) => isIPv4(range.split('/')[0] ?? ''));
  const affinitySeconds = spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800) : 0;

  const out: Frontend[] = [];
  for (const port of spec.ports ?? []) {
    const protocol = (port.protocol ?? 'TCP').toLowerCase() as Protocol;
    const of = `${service.metadata?.namespace}/${service.metadata?.name}${port.name ? `:${port.name}` : ''}`;
    const { everywhere, local } = endpointsOf(slices, port.name ?? '', protocol, node);
    const whenEmptyHere = everywhere.length > 0 ? 'drop' : 'reject';
    const common = { of, protocol, affinitySeconds, scope: 'any' as Scope };
    for (const address of clusterAddresses) {
      const endpoints = internalLocal ? local : everywhere;
      out.push({
        ...common,
        address,
        port: port.port,
        endpoints,
        masquerade: 'outside',
        whenEmpty: internalLocal ? whenEmptyHere : 'reject',
      });
    }
    const external = (address: string, number: number, ranges: readonly string[]) => {
      const at = { ...common, address, port: number, ...(ranges.length > 0 ? { sourceRanges: ranges } : {}) };
      if (!externalLocal) {
        out.push({ ...at, endpoints: everywhere, masquerade: 'always', whenEmpty: 'reject' });
        return;
      }
      out.push({ ...at, endpoints: local, masquerade: 'never', whenEmpty: whenEmptyHere });
      out.push({ ...at, scope: 'near', endpoints: everywhere, masquerade: 'outside', whenEmpty: 'reject' });
    };
    for (const address of (spec.externalIPs ?? []).filter(isIPv4)) external(address, port.port, []);
    for (const address of ingress) external(address, port.port, sourceRanges);
    if (port.nodePort) for (const address of node.addresses) external(address, port.nodePort, []);
  }
  return out;
}

/** The frontends of a pod's host ports: one endpoint each, seen under the client's own address. */
export function planHostPorts(pod: Pod, node: PlanNode): Frontend[] {
  const podAddress = pod.status?.podIP;
  const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
  if (!podAddress || !isIPv4(podAddress) || ended || pod.spec?.hostNetwork) return [];
  const out: Frontend[] = [];
  const sidecars = (pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always');
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    for (const port of container.ports ?? []) {
      if (!port.hostPort) continue;
      const given = port.hostIP && port.hostIP !== '0.0.0.0' ? [port.hostIP].filter(isIPv4) : node.addresses;
      for (const address of given) {
        out.push({
          of: `pod ${keyOf(pod)}`,
          scope: 'any',
          address,
          protocol: (port.protocol ?? 'TCP').toLowerCase() as Protocol,
          port: port.hostPort,
          endpoints: [{ address: podAddress, port: port.containerPort }],
          masquerade: address.startsWith('127.') ? 'always' : 'never',
          whenEmpty: 'reject',
          affinitySeconds: 0,
        });
      }
    }
  }
  return out;
}

/** What the health check node ports answer: for load balancers that look for nodes with local endpoints. */
export function planHealthChecks(
  services: Iterable<Service>,
  slicesOf: (key: string) => readonly EndpointSlice[],
  node: PlanNode,
): HealthCheck[] {
  const out: HealthCheck[] = [];
  for (const service of services) {
    const port = service.spec?.healthCheckNodePort;
    if (!port || service.spec?.type !== 'LoadBalancer' || service.spec.externalTrafficPolicy !== 'Local') continue;
    const addresses = new Set<string>();
    for (const slice of slicesOf(keyOf(service))) {
      for (const endpoint of slice.endpoints ?? []) {
        if (endpoint.nodeName === node.name && endpoint.conditions?.ready !== false) addresses.add(endpoint.addresses[0] ?? '');
      }
    }
    const { namespace = '', name = '' } = service.metadata ?? {};
    out.push({ namespace, name, port, localEndpoints: addresses.size });
  }
  return out.sort((a, b) => a.port - b.port);
}

interface Usable {
  everywhere: Endpoint[];
  local: Endpoint[];
}

interface Candidate extends Endpoint {
  isLocal: boolean;
  isReady: boolean;
  isServingTerminating: boolean;
  zones: readonly string[];
  nodes: readonly string[];
}

/** Ready endpoints, or those that still serve while they terminate when none is ready (KEP-1669). */
function endpointsOf(slices: readonly EndpointSlice[], portName: string, protocol: Protocol, node: PlanNode): Usable {
  const candidates = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    for (const slicePort of slice.ports ?? []) {
      if ((slicePort.name ?? '') !== portName || (slicePort.protocol ?? 'TCP').toLowerCase() !== protocol || !slicePort.port) continue;
      for (const { addresses, conditions, nodeName, hints } of slice.endpoints ?? []) {
        const address = addresses[0];
        if (!address) continue;
        const isReady = conditions?.ready !== false;
        const candidate = {
          address,
          port: slicePort.port,
          isLocal: nodeName === node.name,
          isReady,
          isServingTerminating: (conditions?.serving ?? isReady) && conditions?.terminating === true,
          zones: hints?.forZones?.map((z) => z.name) ?? [],
          nodes: hints?.forNodes?.map((n) => n.name) ?? [],
        };
        const key = `${address}:${slicePort.port}`;
        // A pod that moves between slices is in both for a moment; believe the better news.
        if (!candidates.has(key) || candidate.isReady) candidates.set(key, candidate);
      }
    }
  }
  const all = [...candidates.values()];
  const usable = (from: readonly Candidate[]) => {
    const ready = from.filter((c) => c.isReady);
    return ready.length > 0 ? ready : from.filter((c) => c.isServingTerminating);
  };
  return { everywhere: sorted(hinted(usable(all), node)), local: sorted(usable(all.filter((c) => c.isLocal))) };
}

/** Topology hints count only when every endpoint has one and some are for us (KEP-2433, KEP-3015). */
function hinted(candidates: readonly Candidate[], node: PlanNode): readonly Candidate[] {
  if (candidates.length === 0) return candidates;
  if (candidates.every((c) => c.nodes.length > 0)) {
    const ours = candidates.filter((c) => c.nodes.includes(node.name));
    if (ours.length > 0) return ours;
  }
  const { zone } = node;
  if (zone && candidates.every((c) => c.zones.length > 0)) {
    const ours = candidates.filter((c) => c.zones.includes(zone));
    if (ours.length > 0) return ours;
  }
  return candidates;
}

function sorted(candidates: readonly Candidate[]): Endpoint[] {
  return candidates
    .map(({ address, port }) => ({ address, port }))
    .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : a.port - b.port));
}

function isIPv4(address: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(address);
}
