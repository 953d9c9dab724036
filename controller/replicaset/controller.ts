// Keeps each ReplicaSet's pods at its count.

import { isDeepStrictEqual } from 'node:util';
import { type ReplicaSet, replicaSets } from '../../api/apps.ts';
import { type Pod, pods } from '../../api/core.ts';
import { type Selector, selectorOf as selectorOfLabels } from '../../api/labels.ts';
import { controllerOf } from '../../api/owners.ts';
import { type CacheReader, controller, watching } from '../../client/controller.ts';
import { adoptersOf, reconcileReplicas } from '../replicas/reconcile.ts';
import { failureConditions } from '../replicas/status.ts';

const selectorOf = (replicaSet: ReplicaSet): Selector | undefined => selectorOfLabels(replicaSet.spec?.selector);

export const replicaSetController = controller({
  name: 'replicaset',
  eventSource: 'replicaset-controller',
  of: replicaSets,
  owns: [pods],
  watches: [watching(pods, (pod, cache) => adoptersOf(pod, cache, { kind: replicaSets, selectorOf }))],
  async reconcile(replicaSet, context) {
    const { spec, metadata } = replicaSet;
    return reconcileReplicas(
      {
        kind: replicaSets,
        owner: replicaSet,
        selector: selectorOf(replicaSet) ?? [],
        template: spec?.template,
        replicas: spec?.replicas ?? 1,
        minReadySeconds: spec?.minReadySeconds ?? 0,
        related: siblingsPods(replicaSet, context.cache),
        async putStatus(counts, failure) {
          const conditions = failureConditions(replicaSet.status?.conditions, failure);
          const status = { ...counts, observedGeneration: metadata?.generation ?? 0, ...(conditions.length ? { conditions } : {}) };
          if (isDeepStrictEqual(withoutZeros(replicaSet.status), withoutZeros(status))) return;
          await context.api.updateStatus(replicaSets, { ...replicaSet, status });
        },
      },
      context,
    );
  },
});

/** The pods of all replica sets that have the same controller. */
function siblingsPods(replicaSet: ReplicaSet, cache: CacheReader): Pod[] {
  const controllerUid = controllerOf(replicaSet)?.uid;
  const siblings = controllerUid ? cache.of(replicaSets).ownedBy(controllerUid) : [replicaSet];
  return siblings.flatMap((sibling) => cache.ownedBy(sibling, pods));
}

/** Zero counts may be left out on the wire. */
function withoutZeros(status: object | undefined): object {
  return Object.fromEntries(Object.entries(status ?? {}).filter(([, value]) => value !== 0));
}
