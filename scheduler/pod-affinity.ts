// Inter-pod affinity terms: which pods a term means, and in which topology domains it holds.
// https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity

import type { Pod, PodSpec } from '../api/core.ts';
import { type Selector, selectorMatches, selectorOf } from '../api/labels.ts';
import type { Snapshot } from './snapshot.ts';

type PodAffinity = NonNullable<NonNullable<PodSpec['affinity']>['podAffinity']>;
export type AffinityTerm = NonNullable<PodAffinity['requiredDuringSchedulingIgnoredDuringExecution']>[number];

export interface PreparedTerm {
  topologyKey: string;
  matches(other: Pod): boolean;
}

/** `owner` is the pod that carries the term. */
export function prepareTerm(owner: Pod, term: AffinityTerm, snapshot: Snapshot): PreparedTerm {
  const selector = withLabelKeys(owner, term, selectorOf(term.labelSelector));
  const namespaceSelector = selectorOf(term.namespaceSelector);
  const named = term.namespaces ?? [];
  const ownOnly = named.length === 0 && !namespaceSelector;
  const isNamespaceMeant = (namespace: string) =>
    ownOnly
      ? namespace === owner.metadata?.namespace
      : named.includes(namespace) ||
        (namespaceSelector !== undefined && selectorMatches(namespaceSelector, snapshot.namespaceLabels(namespace)));
  return {
    topologyKey: term.topologyKey,
    matches: (other) =>
      selector !== undefined && isNamespaceMeant(other.metadata?.namespace ?? '') && selectorMatches(selector, other.metadata?.labels),
  };
}

function withLabelKeys(owner: Pod, term: AffinityTerm, selector: Selector | undefined): Selector | undefined {
  if (!selector) return undefined;
  const labels = owner.metadata?.labels ?? {};
  const of = (keys: readonly string[] | undefined, operator: 'in' | 'notin') =>
    (keys ?? []).filter((key) => key in labels).map((key) => ({ key, operator, values: [labels[key] as string] }));
  return [...selector, ...of(term.matchLabelKeys, 'in'), ...of(term.mismatchLabelKeys, 'notin')];
}
