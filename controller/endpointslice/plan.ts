// The EndpointSlices that a service and its pods call for, changed as little as possible: an endpoint stays in the
// slice where it is, and slices that must be written anyway are filled before others are touched.

import { isDeepStrictEqual } from 'node:util';
import type { Node, Pod, Service } from '../../api/core.ts';
import { services } from '../../api/core.ts';
import { type EndpointSlice, serviceNameLabel } from '../../api/discovery.ts';
import { controllerReference } from '../../api/owners.ts';
import { isPodReady } from '../../api/pods.ts';
import {
  type AddressFamily,
  addressesOfFamily,
  familiesOf,
  headlessLabel,
  hostnameOf,
  isClusterIpSet,
  isEndpoint,
  lastChangeTriggerTimeAnnotation,
  targetPortOf,
  triggerTime,
} from '../endpoints/service-pods.ts';

export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const sliceController = 'endpointslice-controller.k8s.io';
export const endpointsPerSliceMax = 100;

type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];
type Port = NonNullable<EndpointSlice['ports']>[number];

export interface SlicesState {
  service: Service;
  /** The pods that the service selects. */
  selected: readonly Pod[];
  nodes: ReadonlyMap<string, Node>;
  /** The slices of the service that are this controller's. */
  current: readonly EndpointSlice[];
}

export interface SlicesPlan {
  create: EndpointSlice[];
  update: EndpointSlice[];
  delete: EndpointSlice[];
}

/** Endpoints that are reached at the same ports. */
interface Group {
  ports: Port[];
  endpoints: Map<string, Endpoint>;
}

export function planSlices(state: SlicesState): SlicesPlan {
  const plan: SlicesPlan = { create: [], update: [], delete: [] };
  const families = familiesOf(state.service);
  for (const slice of state.current) if (!families.some((family) => family === slice.addressType)) plan.delete.push(slice);
  for (const family of families) planFamily(state, family, plan);
  return plan;
}

function planFamily(state: SlicesState, family: AddressFamily, plan: SlicesPlan): void {
  const { service, selected } = state;
  const labels = labelsOf(service);
  const groups = groupsOf(state, family);
  const unplaced = new Map([...groups].map(([id, group]) => [id, new Map(group.endpoints)]));
  const drafts: { slice: EndpointSlice; group: string; endpoints: Endpoint[]; isChanged: boolean }[] = [];
  const emptied: EndpointSlice[] = [];
  const created: EndpointSlice[] = [];

  for (const slice of state.current.filter((each) => each.addressType === family)) {
    const id = portsId(slice.ports ?? []);
    const wanted = unplaced.get(id);
    const endpoints: Endpoint[] = [];
    for (const endpoint of slice.endpoints ?? []) {
      const uid = endpoint.targetRef?.uid ?? '';
      const next = wanted?.get(uid);
      if (!next) continue;
      endpoints.push(isDeepStrictEqual(endpoint, next) ? endpoint : next);
      wanted?.delete(uid);
    }
    const isSame =
      endpoints.length === (slice.endpoints ?? []).length && endpoints.every((endpoint, i) => endpoint === slice.endpoints?.[i]);
    if (endpoints.length === 0) emptied.push(slice);
    else drafts.push({ slice, group: id, endpoints, isChanged: !isSame || !isDeepStrictEqual(slice.metadata?.labels ?? {}, labels) });
  }

  for (const [id, wanted] of unplaced) {
    const left = [...wanted.values()];
    // Written anyway first; then the fullest of the others, if all that is left fits into one.
    for (const draft of drafts) {
      if (draft.group !== id || !draft.isChanged) continue;
      draft.endpoints.push(...left.splice(0, endpointsPerSliceMax - draft.endpoints.length));
    }
    while (left.length >= endpointsPerSliceMax)
      created.push(sliceOf(service, family, groups.get(id)?.ports ?? [], left.splice(0, endpointsPerSliceMax)));
    if (left.length === 0) continue;
    const roomy = drafts
      .filter((draft) => draft.group === id && draft.endpoints.length + left.length <= endpointsPerSliceMax)
      .sort((a, b) => b.endpoints.length - a.endpoints.length)[0];
    if (roomy) {
      roomy.endpoints.push(...left);
      roomy.isChanged = true;
    } else created.push(sliceOf(service, family, groups.get(id)?.ports ?? [], left));
  }

  // An emptied slice is written over rather than deleted and another made.
  const made = created.map((slice) => {
    const reused = emptied.shift();
    return reused ? { ...reused, ports: slice.ports ?? [], endpoints: slice.endpoints ?? [] } : slice;
  });
  // Where there are no endpoints at all, one empty slice says so.
  if (drafts.length === 0 && made.length === 0) {
    const [kept] = emptied.splice(0, 1);
    if (!kept) plan.create.push(sliceOf(service, family, [], []));
    else if ((kept.endpoints ?? []).length || (kept.ports ?? []).length || !isDeepStrictEqual(kept.metadata?.labels ?? {}, labels)) {
      made.push({ ...kept, ports: [], endpoints: [] });
    }
  }
  plan.delete.push(...emptied);

  for (const slice of made) {
    const metadata = { ...slice.metadata, labels, ...annotationsOf(service, selected, slice.metadata?.annotations) };
    (slice.metadata?.uid ? plan.update : plan.create).push({ ...slice, metadata });
  }
  for (const { slice, endpoints, isChanged } of drafts) {
    if (!isChanged) continue;
    const annotations = annotationsOf(service, selected, slice.metadata?.annotations);
    plan.update.push({ ...slice, metadata: { ...slice.metadata, labels, ...annotations }, endpoints });
  }
}

function annotationsOf(service: Service, selected: readonly Pod[], current: Record<string, string> | undefined) {
  const trigger = triggerTime(service, selected, current?.[lastChangeTriggerTimeAnnotation]);
  const annotations = { ...current, ...(trigger ? { [lastChangeTriggerTimeAnnotation]: trigger } : {}) };
  return Object.keys(annotations).length ? { annotations } : {};
}

function labelsOf(service: Service): Record<string, string> {
  const labels: Record<string, string> = { ...service.metadata?.labels };
  if (isClusterIpSet(service)) delete labels[headlessLabel];
  else labels[headlessLabel] = '';
  labels[serviceNameLabel] = service.metadata?.name ?? '';
  labels[managedByLabel] = sliceController;
  return labels;
}

function sliceOf(service: Service, family: AddressFamily, ports: Port[], endpoints: Endpoint[]): EndpointSlice {
  const { name = '', namespace = '' } = service.metadata ?? {};
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { generateName: `${name}-`, namespace, labels: labelsOf(service), ownerReferences: [controllerReference(services, service)] },
    addressType: family,
    endpoints,
    ports,
  };
}

function portsId(ports: readonly Port[]): string {
  return JSON.stringify(ports.map((p) => [p.name ?? '', p.port ?? null, p.protocol ?? 'TCP', p.appProtocol ?? null]).sort());
}

function groupsOf({ service, selected, nodes }: SlicesState, family: AddressFamily): Map<string, Group> {
  const groups = new Map<string, Group>();
  const sorted = [...selected].sort((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1));
  for (const pod of sorted) {
    if (!isEndpoint(pod, { includeTerminating: true })) continue;
    const addresses = addressesOfFamily(pod, family);
    if (addresses.length === 0) continue;
    const ports = portsOf(service, pod);
    const id = portsId(ports);
    const group = groups.get(id) ?? { ports, endpoints: new Map<string, Endpoint>() };
    groups.set(id, group);
    group.endpoints.set(pod.metadata?.uid ?? '', endpointOf(service, pod, { addresses, node: nodes.get(pod.spec?.nodeName ?? '') }));
  }
  return groups;
}

function portsOf(service: Service, pod: Pod): Port[] {
  const ports: Port[] = [];
  for (const port of service.spec?.ports ?? []) {
    const number = targetPortOf(pod, port);
    if (number === undefined) continue;
    const { name = '', protocol = 'TCP', appProtocol } = port;
    ports.push({ name, protocol, port: number, ...(appProtocol ? { appProtocol } : {}) });
  }
  return ports;
}

function endpointOf(service: Service, pod: Pod, { addresses, node }: { addresses: string[]; node: Node | undefined }): Endpoint {
  const serving = isPodReady(pod);
  const terminating = pod.metadata?.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const { name = '', namespace = '', uid = '' } = pod.metadata ?? {};
  const hostname = hostnameOf(pod, service);
  const nodeName = pod.spec?.nodeName;
  const zone = node?.metadata?.labels?.['topology.kubernetes.io/zone'];
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(zone ? { zone } : {}),
  };
}
