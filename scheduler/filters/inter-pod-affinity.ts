// Required inter-pod affinity and anti-affinity, of the pod towards others and of others towards it.

import type { Pod } from '../../api/core.ts';
import { type PreparedTerm, prepareTerm } from '../pod-affinity.ts';
import type { NodeInfo, Snapshot } from '../snapshot.ts';
import { type Filter, resolvable, unresolvable } from './filter.ts';

const affinityMissed = unresolvable("node(s) didn't match pod affinity rules");
const antiAffinityHit = resolvable("node(s) didn't match pod anti-affinity rules");
const existingAntiAffinityHit = resolvable("node(s) didn't satisfy existing pods anti-affinity rules");

export const interPodAffinity: Filter = {
  name: 'InterPodAffinity',
  prepare(pod, snapshot) {
    const required = (kind: 'podAffinity' | 'podAntiAffinity') =>
      (pod.spec?.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => prepareTerm(pod, term, snapshot));
    const affinity = required('podAffinity');
    const antiAffinity = required('podAntiAffinity');
    const barred = domainsBarredByOthers(pod, snapshot);
    if (affinity.length === 0 && antiAffinity.length === 0 && barred.size === 0) return undefined;
    const wanted = affinity.map((term) => domainsWith(affinity, term, snapshot));
    const avoided = antiAffinity.map((term) => domainsWith([term], term, snapshot));
    // The first pod of a group that wants itself near may go anywhere.
    const isFirstOfItsKind = wanted.every((domains) => domains.size === 0) && affinity.every((term) => term.matches(pod));
    return (info) => {
      for (const [index, term] of affinity.entries()) {
        const domain = info.labels[term.topologyKey];
        if (domain === undefined || !((wanted[index] as Set<string>).has(domain) || isFirstOfItsKind)) return affinityMissed;
      }
      for (const [index, term] of antiAffinity.entries()) {
        const domain = info.labels[term.topologyKey];
        if (domain !== undefined && (avoided[index] as Set<string>).has(domain)) return antiAffinityHit;
      }
      return isBarred(info, barred) ? existingAntiAffinityHit : undefined;
    };
  },
};

/** Domains of `term` in which some pod matches every one of `all`. */
function domainsWith(all: readonly PreparedTerm[], term: PreparedTerm, snapshot: Snapshot): Set<string> {
  const domains = new Set<string>();
  for (const info of snapshot.nodes) {
    const domain = info.labels[term.topologyKey];
    if (domain === undefined || domains.has(domain)) continue;
    for (const other of info.pods.values()) {
      if (all.every((each) => each.matches(other))) {
        domains.add(domain);
        break;
      }
    }
  }
  return domains;
}

/** Topology key to the domains where a running pod will not have `pod`. */
function domainsBarredByOthers(pod: Pod, snapshot: Snapshot): Map<string, Set<string>> {
  const barred = new Map<string, Set<string>>();
  if (!snapshot.podsWithAffinityExist) return barred;
  for (const info of snapshot.nodes) {
    for (const other of info.podsWithAntiAffinity) {
      for (const raw of other.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
        const term = prepareTerm(other, raw, snapshot);
        const domain = info.labels[term.topologyKey];
        if (domain === undefined || !term.matches(pod)) continue;
        const domains = barred.get(term.topologyKey) ?? new Set();
        domains.add(domain);
        barred.set(term.topologyKey, domains);
      }
    }
  }
  return barred;
}

function isBarred(info: NodeInfo, barred: Map<string, Set<string>>): boolean {
  for (const [key, domains] of barred) if (domains.has(info.labels[key] ?? '')) return true;
  return false;
}
