// Requests and limits as the kernel takes them: cpu shares and quota, memory limit, and how readily the kernel ends a
// process when memory runs out.

import type { Container, Pod } from '../../api/core.ts';
import { qosClassOf, type ResourceAmounts } from '../../api/pods.ts';
import { quantityMilliValue, quantityValue } from '../../api/quantity.ts';
import type * as cri from '../../runtime/cri-types.ts';

export const cpuPeriodMicros = 100_000;
const cpuSharesMin = 2;
const cpuSharesMax = 262_144;
const cpuQuotaMicrosMin = 1_000;

/** 1024 shares a core; what asks for nothing gets the least. */
export function cpuShares(milliCores: number): number {
  if (milliCores === 0) return cpuSharesMin;
  return Math.min(cpuSharesMax, Math.max(cpuSharesMin, Math.floor((milliCores * 1024) / 1000)));
}

/** Microseconds in each period; 0: no limit. */
export function cpuQuotaMicros(milliCores: number): number {
  if (milliCores === 0) return 0;
  return Math.max(cpuQuotaMicrosMin, Math.floor((milliCores * cpuPeriodMicros) / 1000));
}

const milliOf = (text: string | undefined) => (text === undefined ? 0 : quantityMilliValue(text));
const bytesOf = (text: string | undefined) => (text === undefined ? 0 : quantityValue(text));

/** A Linux container's resources; a cpu limit without a request is a request too. */
export function containerResources(pod: Pod, container: Container, nodeMemoryBytes: number): cri.LinuxContainerResources {
  const { requests = {}, limits = {} } = container.resources ?? {};
  const cpuLimit = milliOf(limits['cpu']);
  const cpuRequest = requests['cpu'] === undefined ? cpuLimit : milliOf(requests['cpu']);
  const quota = cpuQuotaMicros(cpuLimit);
  const memoryLimit = bytesOf(limits['memory']);
  return {
    cpuShares: cpuShares(cpuRequest),
    ...(quota ? { cpuQuota: quota, cpuPeriod: cpuPeriodMicros } : {}),
    ...(memoryLimit ? { memoryLimitInBytes: memoryLimit } : {}),
    oomScoreAdj: oomScoreAdjust(pod, container, nodeMemoryBytes),
  };
}

/** -997 for Guaranteed pods, 1000 for BestEffort; between them the less memory is asked for, the sooner it goes. */
export function oomScoreAdjust(pod: Pod, container: Container, nodeMemoryBytes: number): number {
  const priorityClass = pod.spec?.priorityClassName;
  if (priorityClass === 'system-node-critical') return -997;
  const qos = qosClassOf(pod);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const request = bytesOf(container.resources?.requests?.['memory']);
  const score = Math.floor(1000 - (1000 * request) / Math.max(1, nodeMemoryBytes));
  return Math.min(999, Math.max(3, score));
}

/** The limits of a pod's own cgroup. */
export interface PodCgroupLimits {
  cpuShares: number;
  /** undefined: neither the pod as a whole nor each of its containers is limited. */
  cpuQuotaMicros?: number;
  memoryLimitBytes?: number;
}

export function podCgroupLimits(pod: Pod, requests: ResourceAmounts, limits: ResourceAmounts): PodCgroupLimits {
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const ofPod = pod.spec?.resources?.limits ?? {};
  const isLimited = (name: string) =>
    ofPod[name] !== undefined || (all.length > 0 && all.every((c) => bytesOf(c.resources?.limits?.[name]) > 0));
  const request = requests['cpu'];
  const shares = cpuShares(qosClassOf(pod) === 'BestEffort' || !request ? 0 : quantityMilliValue(request));
  const result: PodCgroupLimits = { cpuShares: shares };
  if (isLimited('cpu') && limits['cpu']) result.cpuQuotaMicros = cpuQuotaMicros(quantityMilliValue(limits['cpu']));
  if (isLimited('memory') && limits['memory']) result.memoryLimitBytes = quantityValue(limits['memory']);
  return result;
}
