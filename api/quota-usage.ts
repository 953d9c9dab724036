// What an object counts for in resource quotas, and which quotas it counts in: pure, and the same for the admission that
// charges a write and the controller that counts what is there (k8s.io/kubernetes/pkg/quota/v1).

import type { PersistentVolumeClaim, Pod, ResourceQuota, Service } from './core.ts';
import { groupResourceOf, type Kind } from './kind.ts';
import { isPodTerminal, podLimits, podRequests, qosClassOf, type ResourceAmounts } from './pods.ts';
import { addQuantities, parseQuantity, type Quantity } from './quantity.ts';
import type { KubeObject } from './wire.ts';

type QuotaSpec = NonNullable<ResourceQuota['spec']>;

/** Kinds that have had a quota of their plain name since before `count/` was. */
const countedByName = new Set([
  'pods',
  'services',
  'secrets',
  'configmaps',
  'replicationcontrollers',
  'resourcequotas',
  'persistentvolumeclaims',
]);
const one: Quantity = Object.freeze({ nano: 1_000_000_000n, format: 'DecimalSI' });
const times = (count: number): Quantity => ({ nano: BigInt(count) * one.nano, format: 'DecimalSI' });

/** Resource name, as quotas name it, to amount. */
export function quotaUsageOf(kind: Kind, object: KubeObject): ResourceAmounts {
  const usage: ResourceAmounts = { [`count/${groupResourceOf(kind)}`]: one };
  if (kind.group !== '') return usage;
  if (kind.plural === 'pods') {
    // Its object is there, but a pod that has ended takes nothing any more.
    if (isPodTerminal(object)) return usage;
    usePod(object, usage);
  } else if (kind.plural === 'services') useService(object, usage);
  else if (kind.plural === 'persistentvolumeclaims') useClaim(object, usage);
  if (countedByName.has(kind.plural)) usage[kind.plural] = one;
  return usage;
}

function usePod(pod: Pod, usage: ResourceAmounts): void {
  const requests = podRequests(pod);
  for (const name in requests) {
    usage[`requests.${name}`] = requests[name] as Quantity;
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-'))
      usage[name] = requests[name] as Quantity;
  }
  const limits = podLimits(pod);
  for (const name of ['cpu', 'memory', 'ephemeral-storage']) if (limits[name]) usage[`limits.${name}`] = limits[name];
}

function useService({ spec }: Service, usage: ResourceAmounts): void {
  const portCount = spec?.ports?.length ?? 0;
  if (spec?.type === 'NodePort') usage['services.nodeports'] = times(portCount);
  if (spec?.type !== 'LoadBalancer') return;
  usage['services.loadbalancers'] = one;
  const withPort = spec.ports?.filter(({ nodePort }) => nodePort).length ?? 0;
  usage['services.nodeports'] = times(spec.allocateLoadBalancerNodePorts === false ? withPort : portCount);
}

function useClaim({ spec, metadata }: PersistentVolumeClaim, usage: ResourceAmounts): void {
  const size = spec?.resources?.requests?.['storage'];
  const className = metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName;
  if (size !== undefined) usage['requests.storage'] = parseQuantity(size);
  if (!className) return;
  const head = `${className}.storageclass.storage.k8s.io`;
  usage[`${head}/persistentvolumeclaims`] = one;
  if (size !== undefined) usage[`${head}/requests.storage`] = parseQuantity(size);
}

/** Whether the kind has anything to do with a quota of these resources. */
export function isQuotaFor(kind: Kind, hard: Readonly<Record<string, string>>): boolean {
  for (const name in hard) if (isMeasureOf(kind, name)) return true;
  return false;
}

function isMeasureOf(kind: Kind, name: string): boolean {
  if (name.startsWith('count/')) return name === `count/${groupResourceOf(kind)}`;
  if (kind.group !== '') return false;
  if (name === 'requests.storage' || name.includes('.storageclass.storage.k8s.io/')) return kind.plural === 'persistentvolumeclaims';
  if (name.startsWith('services.')) return kind.plural === 'services';
  if (countedByName.has(name)) return kind.plural === name;
  return kind.plural === 'pods';
}

/** Whether the object counts in a quota with these scopes; only pods are in any scope. */
export function quotaScopesMatch(spec: QuotaSpec, kind: Kind, object: KubeObject): boolean {
  const selectors = [
    ...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists', values: [] as string[] })),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ];
  if (selectors.length === 0) return true;
  if (kind.group !== '' || kind.plural !== 'pods') return false;
  const pod: Pod = object;
  return selectors.every(({ scopeName, operator, values }) => podMatches(pod, scopeName, operator, values ?? []));
}

function podMatches(pod: Pod, scope: string, operator: string, values: readonly string[]): boolean {
  const { spec } = pod;
  switch (scope) {
    case 'Terminating':
      return spec?.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return spec?.activeDeadlineSeconds === undefined;
    case 'BestEffort':
      return qosClassOf(pod) === 'BestEffort';
    case 'NotBestEffort':
      return qosClassOf(pod) !== 'BestEffort';
    case 'PriorityClass': {
      const name = spec?.priorityClassName ?? '';
      if (operator === 'In') return values.includes(name);
      if (operator === 'NotIn') return !values.includes(name);
      return (operator === 'Exists') === (name !== '');
    }
    case 'CrossNamespacePodAffinity':
      return reachesOtherNamespaces(pod);
    default:
      return false;
  }
}

function reachesOtherNamespaces({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  for (const affinity of [podAffinity, podAntiAffinity]) {
    const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const term of [...required, ...preferred.map(({ podAffinityTerm }) => podAffinityTerm)])
      if (term?.namespaces?.length || term?.namespaceSelector) return true;
  }
  return false;
}

/** Adds `more` to `into`. */
export function addUsage(into: ResourceAmounts, more: ResourceAmounts): void {
  for (const name in more) {
    const present = into[name];
    into[name] = present ? addQuantities(present, more[name] as Quantity) : (more[name] as Quantity);
  }
}
