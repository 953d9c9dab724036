// What an object counts for in resource quotas, and which quotas it counts in: pure, and the same for the admission that
// charges a write and the controller that counts what is there (k8s.io/kubernetes/pkg/quota/v1).

import type { PersistentVolumeClaim, Pod, ResourceQuota, Service } from './core.ts';
import { groupResourceOf, type Kind } from './kind.ts';
import { isPodTerminal, podLimits, podRequests, qosClassOf, type ResourceAmounts } from './pods.ts';
import { addQuantities, compareQuantities, parseQuantity, type Quantity } from './quantity.ts';
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
export function quotaUsageOf(kind: Kind, object: KubeObject, nowMs: number): ResourceAmounts {
  const usage: ResourceAmounts = { [`count/${groupResourceOf(kind)}`]: one };
  if (isDeviceClaim(kind)) useDevices(object, usage);
  if (kind.group !== '') return usage;
  if (kind.plural === 'pods') {
    // Its object is there, but a pod that has ended takes nothing any more.
    if (isPodTerminal(object) || isStuckInDeletion(object, nowMs)) return usage;
    usePod(object, usage);
  } else if (kind.plural === 'services') useService(object, usage);
  else if (kind.plural === 'persistentvolumeclaims') useClaim(object, usage);
  if (countedByName.has(kind.plural)) usage[kind.plural] = one;
  return usage;
}

/** Nobody should pay for a pod whose node cannot say that it is gone. */
function isStuckInDeletion({ metadata }: Pod, nowMs: number): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata ?? {};
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return false;
  return nowMs > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function usePod(pod: Pod, usage: ResourceAmounts): void {
  const requests = podRequests(pod);
  for (const name in requests) {
    const amount = requests[name] as Quantity;
    if (isComputeRequest(name)) usage[name] = amount;
    if (isComputeRequest(name) || isExtended(`requests.${name}`)) usage[`requests.${name}`] = amount;
  }
  const limits = podLimits(pod);
  for (const name of ['cpu', 'memory', 'ephemeral-storage']) if (limits[name]) usage[`limits.${name}`] = limits[name];
}

const isComputeRequest = (name: string) =>
  name === 'cpu' || name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-');
/** As quotas name what nodes have beyond Kubernetes' own resources. */
const isExtended = (name: string) => name.startsWith('requests.') && name.includes('/') && !name.includes('kubernetes.io/');

function useService({ spec }: Service, usage: ResourceAmounts): void {
  const portCount = spec?.ports?.length ?? 0;
  if (spec?.type === 'NodePort') usage['services.nodeports'] = times(portCount);
  if (spec?.type !== 'LoadBalancer') return;
  usage['services.loadbalancers'] = one;
  const withPort = spec.ports?.filter(({ nodePort }) => nodePort).length ?? 0;
  usage['services.nodeports'] = times(spec.allocateLoadBalancerNodePorts === false ? withPort : portCount);
}

function useClaim({ spec, status, metadata }: PersistentVolumeClaim, usage: ResourceAmounts): void {
  const size = claimSize(spec?.resources?.requests?.['storage'], status?.allocatedResources?.['storage']);
  const className = metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName;
  if (size) usage['requests.storage'] = size;
  if (!className) return;
  const head = `${className}${storageClassSuffix}`;
  usage[`${head}persistentvolumeclaims`] = one;
  if (size) usage[`${head}requests.storage`] = size;
}

/** What is asked for, or what has been set aside already if that is more; in whole bytes. */
function claimSize(requested: string | undefined, allocated: string | undefined): Quantity | undefined {
  if (requested === undefined) return undefined;
  const larger = allocated !== undefined && compareQuantities(allocated, requested) > 0 ? allocated : requested;
  const { nano, format } = parseQuantity(larger);
  return { nano: ((nano + one.nano - 1n) / one.nano) * one.nano, format };
}

const isDeviceClaim = (kind: Kind) => groupResourceOf(kind) === 'resourceclaims.resource.k8s.io';
const deviceClassSuffix = '.deviceclass.resource.k8s.io/devices';
/** As many as one claim may be allocated. */
const allDevices = 32;

interface DeviceRequest {
  deviceClassName?: string;
  allocationMode?: string;
  count?: number;
}

interface DeviceClaim extends KubeObject {
  spec?: { devices?: { requests?: readonly { exactly?: DeviceRequest; firstAvailable?: readonly DeviceRequest[] }[] } };
}

/** Of what a request would be content with the most of each class counts. */
function useDevices({ spec }: DeviceClaim, usage: ResourceAmounts): void {
  for (const { exactly, firstAvailable } of spec?.devices?.requests ?? []) {
    const most = new Map<string, number>();
    for (const { deviceClassName = '', allocationMode, count = 0 } of firstAvailable ?? [exactly ?? {}]) {
      const wanted = allocationMode === 'ExactCount' ? count : allocationMode === 'All' ? allDevices : 0;
      most.set(deviceClassName, Math.max(most.get(deviceClassName) ?? 0, wanted));
    }
    for (const [name, count] of most) addUsage(usage, { [name + deviceClassSuffix]: times(count) });
  }
}

const storageClassSuffix = '.storageclass.storage.k8s.io/';
const claimMeasures = ['persistentvolumeclaims', 'requests.storage'];
const podMeasures = new Set([
  'pods',
  ...['cpu', 'memory', 'ephemeral-storage'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
]);
const serviceMeasures = new Set(['services', 'services.nodeports', 'services.loadbalancers']);

/** Whether the kind has anything to do with a quota of these resources. */
export function isQuotaFor(kind: Kind, hard: Readonly<Record<string, string>>): boolean {
  for (const name in hard) if (isMeasureOf(kind, name)) return true;
  return false;
}

/** Whether objects of the kind count in a quota of the resource. */
export function isMeasureOf(kind: Kind, name: string): boolean {
  if (name.startsWith('count/')) return name === `count/${groupResourceOf(kind)}`;
  if (isDeviceClaim(kind)) return name.endsWith(deviceClassSuffix);
  if (kind.group !== '') return false;
  switch (kind.plural) {
    case 'pods':
      return podMeasures.has(name) || name.startsWith('hugepages-') || name.startsWith('requests.hugepages-') || isExtended(name);
    case 'services':
      return serviceMeasures.has(name);
    case 'persistentvolumeclaims':
      return claimMeasures.includes(name) || claimMeasures.some((measure) => name.endsWith(storageClassSuffix + measure));
    default:
      return countedByName.has(name) && kind.plural === name;
  }
}

export interface QuotaScope {
  scopeName: string;
  operator: string;
  values?: string[];
}

/** A quota's scopes and its scope selector, which are one thing. */
export const quotaScopesOf = ({ scopes, scopeSelector }: QuotaSpec): QuotaScope[] => [
  ...(scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
  ...(scopeSelector?.matchExpressions ?? []),
];

/** Whether the object counts in a quota with these scopes; only pods and claims are in any scope. */
export const quotaScopesMatch = (spec: QuotaSpec, kind: Kind, object: KubeObject): boolean =>
  quotaScopesOf(spec).every((scope) => isInScope(scope, kind, object));

export function isInScope({ scopeName, operator, values = [] }: QuotaScope, kind: Kind, object: KubeObject): boolean {
  if (kind.group !== '') return false;
  if (kind.plural === 'pods') return podMatches(object, scopeName, operator, values);
  if (kind.plural !== 'persistentvolumeclaims' || scopeName !== 'VolumeAttributesClass') return false;
  const { spec, status }: PersistentVolumeClaim = object;
  const target = status?.modifyVolumeStatus?.targetVolumeAttributesClassName;
  const names = [spec?.volumeAttributesClassName, status?.currentVolumeAttributesClassName, target].filter((name) => name);
  return names.length === 0 ? selects(operator, values, '') : names.some((name) => selects(operator, values, name ?? ''));
}

function selects(operator: string, values: readonly string[], name: string): boolean {
  if (operator === 'In') return values.includes(name);
  if (operator === 'NotIn') return !values.includes(name);
  return (operator === 'Exists') === (name !== '');
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
    case 'PriorityClass':
      return selects(operator, values, spec?.priorityClassName ?? '');
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
