// The kinds of discovery.k8s.io/v1, with their wire types.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type EndpointSlice = Wire<k.V1EndpointSlice>;

export const endpointSlices = defineKind<EndpointSlice>({ group: 'discovery.k8s.io', kind: 'EndpointSlice', plural: 'endpointslices' });

/** On an EndpointSlice: the name of the Service that it belongs to. */
export const serviceNameLabel = 'kubernetes.io/service-name';
