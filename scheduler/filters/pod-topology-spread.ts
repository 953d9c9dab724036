// DoNotSchedule spread constraints: no domain may get more than maxSkew ahead of the emptiest.

import { domainCounts, prepareConstraints } from '../spread.ts';
import { type Filter, resolvable, unresolvable } from './filter.ts';

const missingLabel = unresolvable("node(s) didn't match pod topology spread constraints (missing required label)");
const tooSkewed = resolvable("node(s) didn't match pod topology spread constraints");

export const podTopologySpread: Filter = {
  name: 'PodTopologySpread',
  prepare(pod, snapshot) {
    const constraints = prepareConstraints(pod, 'DoNotSchedule').map((constraint) => {
      const counts = domainCounts(constraint, snapshot);
      const isShortOfDomains = counts.size < constraint.minDomains;
      return { constraint, counts, least: isShortOfDomains ? 0 : Math.min(...counts.values()) };
    });
    if (constraints.length === 0) return undefined;
    return (info) => {
      for (const { constraint, counts, least } of constraints) {
        const domain = info.labels[constraint.topologyKey];
        if (domain === undefined) return missingLabel;
        const after = (counts.get(domain) ?? 0) + (constraint.matchesSelf ? 1 : 0);
        if (after - least > constraint.maxSkew) return tooSkewed;
      }
      return undefined;
    };
  },
};
