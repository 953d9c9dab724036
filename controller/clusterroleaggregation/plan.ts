// The rules of an aggregated cluster role: those of every cluster role that its selectors match, each once.

import { selectorMatches, selectorOf } from '../../api/labels.ts';
import type { ClusterRole, PolicyRule } from '../../api/rbac.ts';

/** In order of the roles' names, so that the same roles always give the same rules. */
export function aggregateRules(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const rules = new Map<string, PolicyRule>();
  const sources = [...all].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const parsed = selectorOf(selector);
    for (const source of sources) {
      const isSelected = parsed !== undefined && selectorMatches(parsed, source.metadata?.labels);
      if (nameOf(source) === nameOf(role) || !isSelected) continue;
      for (const rule of source.rules ?? []) rules.set(JSON.stringify(rule), rule);
    }
  }
  return [...rules.values()];
}

const nameOf = (role: ClusterRole) => role.metadata?.name ?? '';
