// Keeps the rules of cluster roles with an aggregationRule those of the roles that they select.

import { isDeepStrictEqual } from 'node:util';
import { clusterRoles } from '../../api/rbac.ts';
import { controller, settled, watching } from '../../client/controller.ts';
import { aggregateRules } from './plan.ts';

export const clusterRoleAggregationController = controller({
  name: 'clusterrole-aggregation',
  queueName: 'ClusterRoleAggregator',
  of: clusterRoles,
  watches: [
    watching(clusterRoles, (_role, cache) =>
      cache
        .list(clusterRoles)
        .filter((role) => role.aggregationRule)
        .map((role) => role.metadata?.name ?? ''),
    ),
  ],
  async reconcile(role, { cache, api }) {
    if (!role.aggregationRule) return settled;
    const rules = aggregateRules(role, cache.list(clusterRoles));
    if (!isDeepStrictEqual(rules, role.rules ?? [])) await api.update(clusterRoles, { ...role, rules });
    return settled;
  },
});
