// Keeps each ReplicationController's pods at its count.

import { isDeepStrictEqual } from 'node:util';
import { pods, type ReplicationController, replicationControllers } from '../../api/core.ts';
import { selectorOfMap } from '../../api/labels.ts';
import { controller, watching } from '../../client/controller.ts';
import { adoptersOf, reconcileReplicas } from '../replicas/reconcile.ts';
import { failureConditions } from '../replicas/status.ts';

// A selector that is empty is the template's labels by default; here it would select everything.
const selectorOf = (rc: ReplicationController) => selectorOfMap(rc.spec?.selector ?? rc.spec?.template?.metadata?.labels);

export const replicationController = controller({
  name: 'replicationcontroller',
  queueName: 'replicationmanager',
  eventSource: 'replication-controller',
  of: replicationControllers,
  owns: [pods],
  watches: [watching(pods, (pod, cache) => adoptersOf(pod, cache, { kind: replicationControllers, selectorOf }))],
  async reconcile(rc, context) {
    const { spec = {}, metadata } = rc;
    return reconcileReplicas(
      {
        kind: replicationControllers,
        owner: rc,
        selector: selectorOf(rc),
        template: spec.template,
        replicas: spec.replicas ?? 1,
        minReadySeconds: spec.minReadySeconds ?? 0,
        async putStatus({ terminatingReplicas: _, ...counts }, failure) {
          const conditions = failureConditions(rc.status?.conditions, failure);
          const status = { ...counts, observedGeneration: metadata?.generation ?? 0, ...(conditions.length ? { conditions } : {}) };
          if (isDeepStrictEqual(withoutZeros(rc.status), withoutZeros(status))) return;
          await context.api.updateStatus(replicationControllers, { ...rc, status });
        },
      },
      context,
    );
  },
});

/** Zero counts may be left out on the wire. */
function withoutZeros(status: object | undefined): object {
  return Object.fromEntries(Object.entries(status ?? {}).filter(([, value]) => value !== 0));
}
