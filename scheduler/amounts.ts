// Resources as plain numbers, which is what comparing thousands of nodes takes: cpu in millicores, everything else in
// whole units (bytes, devices, pods).

import type { Pod } from '../api/core.ts';
import { podRequests } from '../api/pods.ts';
import { quantityMilliValue, quantityValue } from '../api/quantity.ts';

export type Amounts = Readonly<Record<string, number>>;

/** A container that asks for nothing still counts as this much when nodes are compared (not when they are filled). */
const defaultCpuMilli = 100;
const defaultMemoryBytes = 200 * 1024 * 1024;

export interface PodAmounts {
  requests: Amounts;
  /** cpu and memory with a least amount for containers that ask for nothing. */
  scoringCpuMilli: number;
  scoringMemoryBytes: number;
}

const known = new WeakMap<Pod, PodAmounts>();

/** What `pod` requests; computed once per object, so objects must not be changed afterwards. */
export function amountsOf(pod: Pod): PodAmounts {
  const present = known.get(pod);
  if (present) return present;
  const requests: Record<string, number> = {};
  for (const [name, quantity] of Object.entries(podRequests(pod))) {
    requests[name] = name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity);
  }
  let withoutCpu = 0;
  let withoutMemory = 0;
  for (const container of pod.spec?.containers ?? []) {
    if (container.resources?.requests?.['cpu'] === undefined) withoutCpu++;
    if (container.resources?.requests?.['memory'] === undefined) withoutMemory++;
  }
  const amounts = {
    requests,
    scoringCpuMilli: (requests['cpu'] ?? 0) + withoutCpu * defaultCpuMilli,
    scoringMemoryBytes: (requests['memory'] ?? 0) + withoutMemory * defaultMemoryBytes,
  };
  known.set(pod, amounts);
  return amounts;
}

/** A node's allocatable, or its capacity where it does not say. */
export function allocatableOf(quantities: Readonly<Record<string, string>> | undefined): Amounts {
  const amounts: Record<string, number> = {};
  for (const [name, text] of Object.entries(quantities ?? {}))
    amounts[name] = name === 'cpu' ? quantityMilliValue(text) : quantityValue(text);
  return amounts;
}
