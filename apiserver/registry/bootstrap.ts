// The objects every cluster begins with, made when missing: its namespaces, its priority classes, the `kubernetes`
// service through which pods reach the API server, and the API services of what is built in.

import { apiServices } from '../../api/apiregistration.ts';
import { endpoints, namespaces, services } from '../../api/core.ts';
import { endpointSlices, serviceNameLabel } from '../../api/discovery.ts';
import { apiVersionOf, type Kind } from '../../api/kind.ts';
import { priorityClasses } from '../../api/scheduling.ts';
import { isStatus } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { registerApiServices } from '../aggregation/auto-register.ts';
import type { ServerParts } from '../handlers/handler.ts';
import { localApiService } from '../resources/apiservices.ts';
import { defaultObject } from '../resources/defaulted.ts';
import type { UserInfo } from '../resources/resource.ts';
import type { WriteRequest } from './registry.ts';
import type { ServiceAllocation } from './service-allocation.ts';

/** In whose name the API server writes. */
export const apiServerUser: UserInfo = Object.freeze({ name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] });

const bootstrapNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
/** Those that keep the cluster and its nodes alive come before everything of its users. */
const bootstrapPriorityClasses = [
  {
    metadata: { name: 'system-node-critical' },
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
  {
    metadata: { name: 'system-cluster-critical' },
    value: 2_000_000_000,
    description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
];
const requestIn = (namespace: string): WriteRequest => ({ namespace, user: apiServerUser, dryRun: false, warn: () => {} });
const at = { namespace: 'default', name: 'kubernetes' };

export async function createBootstrapObjects(server: ServerParts, allocation: ServiceAllocation): Promise<void> {
  for (const name of bootstrapNamespaces) await ensure(server, namespaces, { metadata: { name } });
  for (const priorityClass of bootstrapPriorityClasses) await ensure(server, priorityClasses, structuredClone(priorityClass));
  const registered = server.resources.ofKind(apiServices)?.registry;
  if (registered) {
    const desired = new Map(server.resources.all.map(({ kind }) => [apiVersionOf(kind), localApiService(kind.group, kind.version)]));
    await registerApiServices(registered, server.view.list(apiServices), {
      desired: [...desired.values()].filter((service) => service !== undefined),
      management: 'onstart',
      request: requestIn(''),
    });
  }
  const served = server.resources.ofKind(services);
  if (!served) return;
  await allocation.repair(served.cache.list({ namespace: '', name: '', labels: [], fields: [] }).map((object) => object.parse()));
  const clusterIP = allocation.firstAddress;
  const service = {
    metadata: { ...at, labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
    },
  };
  await ensure(server, services, service);
}

/** Puts the addresses, and no others, behind the `kubernetes` service. */
export async function publishAddresses(server: ServerParts, address: { hosts: readonly string[]; port: number }): Promise<void> {
  const port = { name: 'https', port: address.port, protocol: 'TCP' };
  const labels = { 'endpointslice.kubernetes.io/skip-mirror': 'true' };
  await replace(server, endpoints, {
    metadata: { ...at, labels },
    subsets: [{ addresses: address.hosts.map((ip) => ({ ip })), ports: [port] }],
  } as KubeObject);
  await replace(server, endpointSlices, {
    metadata: { ...at, labels: { [serviceNameLabel]: at.name } },
    addressType: address.hosts[0]?.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: address.hosts.map((host) => ({ addresses: [host], conditions: { ready: true } })),
    ports: [port],
  } as KubeObject);
}

async function ensure(server: ServerParts, kind: Kind, object: KubeObject): Promise<void> {
  const registry = server.resources.ofKind(kind)?.registry;
  if (!registry) return;
  const { namespace = '', name = '' } = object.metadata ?? {};
  if (registry.cache.get(registry.codec.keyOf(namespace, name))) return;
  defaultObject(registry.declaration, object);
  try {
    await registry.create(object, requestIn(namespace));
  } catch (error) {
    // Another API server on the same store was quicker.
    if (!isStatus(error, 'AlreadyExists')) throw error;
  }
}

async function replace(server: ServerParts, kind: Kind, object: KubeObject): Promise<void> {
  const registry = server.resources.ofKind(kind)?.registry;
  if (!registry) return;
  const { namespace = '', name = '' } = object.metadata ?? {};
  defaultObject(registry.declaration, object);
  await registry.update(name, requestIn(namespace), () => structuredClone(object), { createMissing: true });
}
