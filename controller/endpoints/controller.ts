// Keeps an Endpoints object of the same name for each Service that selects pods.

import { type Endpoints, endpoints, pods, services } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { keyOf } from '../../client/cache.ts';
import { controller, type ReconcileContext, settled, watching } from '../../client/controller.ts';
import { endpointController, managedByLabel, planEndpoints } from './plan.ts';
import { hasEndpoints, podsOf, servicesOf } from './service-pods.ts';

const isOurs = (object: Endpoints) => object.metadata?.labels?.[managedByLabel] === endpointController;

export const endpointsController = controller({
  name: 'endpoints',
  queueName: 'endpoint',
  eventSource: 'endpoint-controller',
  of: services,
  watches: [
    watching(pods, servicesOf),
    // Endpoints of no service are their author's business, except those that we left behind before a restart.
    watching(endpoints, (object, cache) => (cache.of(services).get(keyOf(object)) ? [keyOf(object)] : []), {
      atStart: (object) => (isOurs(object) ? [keyOf(object)] : []),
    }),
  ],
  async reconcile(service, { cache, api, events }) {
    if (!hasEndpoints(service)) return settled;
    const { name = '', namespace = '' } = service.metadata ?? {};
    const current = cache.get(endpoints, { namespace, name });
    const next = planEndpoints(service, podsOf(service, cache), current);
    if (!next) return settled;
    try {
      if (current) await api.update(endpoints, next);
      else await api.create(endpoints, next);
    } catch (error) {
      if (isStatus(error) && error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating')) return settled;
      if (!isStatus(error, 'Conflict', 'AlreadyExists')) {
        const why = error instanceof Error ? error.message : String(error);
        if (current) events.record(next, 'Warning', 'FailedToUpdateEndpoint', `Failed to update endpoint ${namespace}/${name}: ${why}`);
        else events.record(next, 'Warning', 'FailedToCreateEndpoint', `Failed to create endpoint for service ${namespace}/${name}: ${why}`);
      }
      throw error;
    }
    return settled;
  },
  absent: async (key, context) => deleteLeftover(key, context),
});

async function deleteLeftover(key: string, { cache, api }: ReconcileContext) {
  const leftover = cache.of(endpoints).get(key);
  if (!leftover) return settled;
  const { namespace, name = '', uid = '' } = leftover.metadata ?? {};
  try {
    await api.delete(endpoints, { namespace, name }, { preconditions: { uid } });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
  return settled;
}
