// What several rooms ask of a pod: is it ready, has it ended, what does it request, which class of service is it.

import { isConditionTrue } from './conditions.ts';
import type { Container, Pod } from './core.ts';
import { addQuantities, compareQuantities, parseQuantity, type Quantity } from './quantity.ts';

export function isPodReady(pod: Pod): boolean {
  return isConditionTrue(pod.status?.conditions, 'Ready');
}

/** Succeeded or Failed: its containers will not run again. */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Counts for its controller: neither ended nor being deleted. */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && !pod.metadata?.deletionTimestamp;
}

/** An init container that goes on running beside the app containers (KEP-753). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** Resource name to amount. */
export type ResourceAmounts = Record<string, Quantity>;

/**
 * What the scheduler and the kubelet must set aside for `pod`: the app containers and sidecars together, or the
 * largest moment of its init phase if that is more; what the pod asks for as a whole stands above either; and the
 * overhead of its runtime class.
 */
export function podRequests(pod: Pod): ResourceAmounts {
  return podAmounts(pod, 'requests');
}

/** Resources that a pod may ask for as a whole (KEP-2837). */
export const isPodLevelResource = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');

/** The same rule over limits; a resource that some container does not limit is still summed over those that do. */
export function podLimits(pod: Pod): ResourceAmounts {
  return podAmounts(pod, 'limits');
}

function podAmounts(pod: Pod, which: 'requests' | 'limits'): ResourceAmounts {
  const amounts = containerAmounts(pod.spec, which);
  const ofPod = pod.spec?.resources?.[which];
  for (const name in ofPod) if (isPodLevelResource(name)) amounts[name] = parseQuantity(ofPod[name] as string);
  if (which === 'requests' || Object.keys(amounts).length > 0) add(amounts, pod.spec?.overhead);
  return amounts;
}

/** What the containers ask for together: those that run, or the largest moment of the init phase if that is more. */
export function containerAmounts(spec: Pod['spec'], which: 'requests' | 'limits'): ResourceAmounts {
  const running: ResourceAmounts = {};
  for (const container of spec?.containers ?? []) add(running, container.resources?.[which]);
  const sidecars: ResourceAmounts = {};
  const initPeak: ResourceAmounts = {};
  for (const container of spec?.initContainers ?? []) {
    const moment: ResourceAmounts = { ...sidecars };
    add(moment, container.resources?.[which]);
    if (isSidecar(container)) {
      add(running, container.resources?.[which]);
      add(sidecars, container.resources?.[which]);
    }
    raise(initPeak, moment);
  }
  raise(running, initPeak);
  return running;
}

function add(into: ResourceAmounts, amounts: Readonly<Record<string, string>> | undefined): void {
  for (const name in amounts) {
    const amount = parseQuantity(amounts[name] as string);
    const present = into[name];
    into[name] = present ? addQuantities(present, amount) : amount;
  }
}

function raise(into: ResourceAmounts, to: ResourceAmounts): void {
  for (const name in to) {
    const amount = to[name] as Quantity;
    const present = into[name];
    if (!present || compareQuantities(present, amount) < 0) into[name] = amount;
  }
}

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/**
 * Guaranteed: every container limits cpu and memory and requests just that; BestEffort: none says anything. A pod that
 * asks for resources as a whole is judged by those alone.
 */
export function qosClassOf(pod: Pod): QosClass {
  let isGuaranteed = true;
  let isAnySet = false;
  const { containers = [], initContainers = [], resources } = pod.spec ?? {};
  const isSetForPod = Object.keys({ ...resources?.limits, ...resources?.requests }).some(isPodLevelResource);
  for (const each of isSetForPod ? [resources] : [...containers, ...initContainers].map((container) => container.resources)) {
    for (const name of ['cpu', 'memory'] as const) {
      const limit = nonZero(each?.limits?.[name]);
      const request = nonZero(each?.requests?.[name]) ?? limit;
      if (limit || request) isAnySet = true;
      if (!limit || !request || compareQuantities(limit, request) !== 0) isGuaranteed = false;
    }
  }
  return !isAnySet ? 'BestEffort' : isGuaranteed ? 'Guaranteed' : 'Burstable';
}

function nonZero(text: string | undefined): Quantity | undefined {
  if (text === undefined) return undefined;
  const quantity = parseQuantity(text);
  return quantity.nano > 0n ? quantity : undefined;
}
