// The downward API: values of a pod's own fields and of its containers' resources, for env and volumes.

import type { Container, Pod } from '../../api/core.ts';
import { parseQuantity } from '../../api/quantity.ts';

/** What a pod's fields cannot tell by themselves. */
export interface PodFacts {
  nodeName: string;
  hostIps: readonly string[];
  podIps: readonly string[];
  /** The node's, which stand in for limits that are not set. */
  allocatable: Readonly<Record<string, string>>;
}

/** @throws Error for a path that is not supported */
export function fieldValue(pod: Pod, path: string, facts: PodFacts): string {
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (subscript) return pod.metadata?.[subscript[1] as 'labels' | 'annotations']?.[subscript[2] as string] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.metadata?.name ?? '';
    case 'metadata.namespace':
      return pod.metadata?.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata?.uid ?? '';
    case 'metadata.labels':
      return formatMap(pod.metadata?.labels);
    case 'metadata.annotations':
      return formatMap(pod.metadata?.annotations);
    case 'spec.nodeName':
      return facts.nodeName;
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? '';
    case 'status.hostIP':
      return facts.hostIps[0] ?? '';
    case 'status.hostIPs':
      return facts.hostIps.join(',');
    case 'status.podIP':
      return facts.podIps[0] ?? '';
    case 'status.podIPs':
      return facts.podIps.join(',');
    default:
      throw new Error(`unsupported fieldPath: ${path}`);
  }
}

/** `key="value"` a line, sorted by key. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

/** @throws Error for a resource that is not supported, or a container that is not there */
export function resourceFieldValue(
  pod: Pod,
  reference: { resource: string; divisor?: string; containerName?: string },
  container: Container | undefined,
  facts: PodFacts,
): string {
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const subject = reference.containerName ? all.find((c) => c.name === reference.containerName) : container;
  if (!subject) throw new Error(`container ${reference.containerName ?? ''} not found`);
  const match = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.*)$/.exec(reference.resource);
  if (!match) throw new Error(`unsupported container resource : ${reference.resource}`);
  const [, which, name] = match as unknown as [string, 'limits' | 'requests', string];
  const amount = subject.resources?.[which]?.[name] ?? (which === 'limits' ? facts.allocatable[name] : undefined) ?? '0';
  const given = reference.divisor ? parseQuantity(reference.divisor).nano : 0n;
  const divisor = given === 0n ? 1_000_000_000n : given;
  const nano = parseQuantity(amount).nano;
  return String((nano + divisor - 1n) / divisor);
}
