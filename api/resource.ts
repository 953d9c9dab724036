// The kinds of resource.k8s.io/v1, dynamic resource allocation, with their wire types.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type DeviceClass = Wire<k.V1DeviceClass>;
export type ResourceClaim = Wire<k.ResourceV1ResourceClaim>;
export type ResourceClaimTemplate = Wire<k.V1ResourceClaimTemplate>;
export type ResourceSlice = Wire<k.V1ResourceSlice>;
export type DeviceClaim = Wire<k.V1DeviceClaim>;

const group = 'resource.k8s.io';

export const deviceClasses = defineKind<DeviceClass>({ group, kind: 'DeviceClass', plural: 'deviceclasses', namespaced: false });
export const resourceClaims = defineKind<ResourceClaim>({ group, kind: 'ResourceClaim', plural: 'resourceclaims' });
export const resourceClaimTemplates = defineKind<ResourceClaimTemplate>({
  group,
  kind: 'ResourceClaimTemplate',
  plural: 'resourceclaimtemplates',
});
export const resourceSlices = defineKind<ResourceSlice>({ group, kind: 'ResourceSlice', plural: 'resourceslices', namespaced: false });
