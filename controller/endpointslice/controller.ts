// Keeps the EndpointSlices of each Service that selects pods.

import { type Node, nodes, pods, services } from '../../api/core.ts';
import { type EndpointSlice, endpointSlices, serviceNameLabel } from '../../api/discovery.ts';
import { isStatus } from '../../api/status.ts';
import { controller, settled, watching } from '../../client/controller.ts';
import { hasEndpoints, podsOf, servicesOf } from '../endpoints/service-pods.ts';
import { managedByLabel, planSlices, sliceController } from './plan.ts';

const byServiceIndex = 'service';
const serviceKeyOf = (slice: EndpointSlice) => `${slice.metadata?.namespace}/${slice.metadata?.labels?.[serviceNameLabel]}`;
const zoneOf = (node: Node | undefined) => node?.metadata?.labels?.['topology.kubernetes.io/zone'];

export const endpointSliceController = controller({
  name: 'endpointslice',
  queueName: 'endpoint_slice',
  eventSource: 'endpoint-slice-controller',
  of: services,
  watches: [
    watching(pods, servicesOf),
    watching(endpointSlices, (slice) => [serviceKeyOf(slice)]),
    watching(nodes, (_node, cache, { before, after }) =>
      zoneOf(before) === zoneOf(after) ? [] : cache.list(services).map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`),
    ),
  ],
  async reconcile(service, { cache, api }) {
    if (!hasEndpoints(service) || service.metadata?.deletionTimestamp) return settled;
    const slices = cache.of(endpointSlices);
    slices.addIndex(byServiceIndex, (slice) => (slice.metadata?.labels?.[managedByLabel] === sliceController ? [serviceKeyOf(slice)] : []));
    const { namespace = '', name = '' } = service.metadata ?? {};
    const plan = planSlices({
      service,
      selected: podsOf(service, cache),
      nodes: new Map(cache.list(nodes).map((node) => [node.metadata?.name ?? '', node])),
      current: slices.byIndex(byServiceIndex, `${namespace}/${name}`),
    });
    try {
      // What is new comes before what goes, so that no endpoint is missing in between.
      for (const slice of plan.create) await api.create(endpointSlices, slice);
      for (const slice of plan.update) await api.update(endpointSlices, slice);
      for (const slice of plan.delete) {
        await api.delete(
          endpointSlices,
          { namespace, name: slice.metadata?.name ?? '' },
          { preconditions: { uid: slice.metadata?.uid ?? '' } },
        );
      }
    } catch (error) {
      if (isStatus(error) && error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating')) return settled;
      throw error;
    }
    return settled;
  },
});
