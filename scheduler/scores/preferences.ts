// What the pod and the nodes would rather have: untainted nodes, preferred node affinity, preferred neighbours.

import type { Pod } from '../../api/core.ts';
import { matchesTerm } from '../node-affinity.ts';
import { type AffinityTerm, prepareTerm } from '../pod-affinity.ts';
import type { NodeInfo, Snapshot } from '../snapshot.ts';
import { tolerates } from '../taints.ts';
import { normalized, type Score } from './score.ts';

export const taintPreference: Score = {
  name: 'TaintToleration',
  weight: 3,
  score(pod, nodes) {
    const counts = nodes.map(
      (info) =>
        (info.node.spec?.taints ?? []).filter(
          (taint) => taint.effect === 'PreferNoSchedule' && !pod.spec?.tolerations?.some((toleration) => tolerates(toleration, taint)),
        ).length,
    );
    return counts.some((count) => count > 0) ? normalized(counts, true) : undefined;
  },
};

export const nodeAffinityPreference: Score = {
  name: 'NodeAffinity',
  weight: 2,
  score(pod, nodes) {
    const preferred = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (preferred.length === 0) return undefined;
    return normalized(
      nodes.map((info) => preferred.reduce((sum, { weight, preference }) => sum + (matchesTerm(preference, info.node) ? weight : 0), 0)),
    );
  },
};

/** A required affinity of a running pod draws others of its kind with this weight. */
const hardAffinityWeight = 1;

export const interPodPreference: Score = {
  name: 'InterPodAffinity',
  weight: 2,
  score(pod, nodes, snapshot) {
    const own = preferredTerms(pod);
    if (own.length === 0 && !snapshot.podsWithAffinityExist) return undefined;
    const sums = new Map<string, Map<string, number>>();
    const add = (info: NodeInfo, topologyKey: string, weight: number) => {
      const domain = info.labels[topologyKey];
      if (domain === undefined) return;
      const domains = sums.get(topologyKey) ?? new Map<string, number>();
      domains.set(domain, (domains.get(domain) ?? 0) + weight);
      sums.set(topologyKey, domains);
    };
    const prepared = own.map(({ term, weight }) => ({ term: prepareTerm(pod, term, snapshot), weight }));
    for (const info of snapshot.nodes) {
      if (prepared.length > 0) {
        for (const other of info.pods.values()) {
          for (const { term, weight } of prepared) if (term.matches(other)) add(info, term.topologyKey, weight);
        }
      }
      for (const other of info.podsWithAffinity) addTermsOf(other, pod, snapshot, (key, weight) => add(info, key, weight));
    }
    const raw = nodes.map((info) => {
      let sum = 0;
      for (const [key, domains] of sums) sum += domains.get(info.labels[key] ?? '') ?? 0;
      return sum;
    });
    const min = Math.min(...raw);
    const max = Math.max(...raw);
    return max === min ? undefined : raw.map((value) => Math.floor((100 * (value - min)) / (max - min)));
  },
};

function addTermsOf(other: Pod, pod: Pod, snapshot: Snapshot, add: (topologyKey: string, weight: number) => void): void {
  const required = other.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const terms = [...required.map((term) => ({ term, weight: hardAffinityWeight })), ...preferredTerms(other)];
  for (const { term, weight } of terms) {
    const prepared = prepareTerm(other, term, snapshot);
    if (prepared.matches(pod)) add(prepared.topologyKey, weight);
  }
}

/** Anti-affinity counts below zero. */
function preferredTerms(pod: Pod): { term: AffinityTerm; weight: number }[] {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  return [
    ...(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p) => ({ term: p.podAffinityTerm, weight: p.weight })),
    ...(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p) => ({
      term: p.podAffinityTerm,
      weight: -p.weight,
    })),
  ];
}
