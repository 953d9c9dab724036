// What the pod requests must be left over on the node, and a place for one more pod.

import { amountsOf } from '../amounts.ts';
import { type Filter, type Refusal, unresolvable } from './filter.ts';

export const nodeResourcesFit: Filter = {
  name: 'NodeResourcesFit',
  prepare(pod) {
    const requests = Object.entries(amountsOf(pod).requests).filter(([, amount]) => amount > 0);
    return (info) => {
      let reasons: string[] | undefined;
      let isUnresolvable = false;
      if (info.pods.size + 1 > (info.allocatable['pods'] ?? 0)) reasons = ['Too many pods'];
      for (const [name, amount] of requests) {
        const allocatable = info.allocatable[name] ?? 0;
        if (amount <= allocatable - (info.requested[name] ?? 0)) continue;
        reasons ??= [];
        reasons.push(`Insufficient ${name}`);
        if (amount > allocatable) isUnresolvable = true;
      }
      return reasons && refusalOf(reasons, isUnresolvable);
    };
  },
};

/** More than the node has even when it is empty: no eviction makes room. */
function refusalOf(reasons: string[], isUnresolvable: boolean): Refusal {
  return isUnresolvable ? unresolvable(...reasons) : { reasons, isUnresolvable: false };
}
