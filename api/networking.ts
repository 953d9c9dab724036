// The kinds of networking.k8s.io/v1, with their wire types.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type Ingress = Wire<k.V1Ingress>;
export type IngressClass = Wire<k.V1IngressClass>;
export type NetworkPolicy = Wire<k.V1NetworkPolicy>;
export type IpAddress = Wire<k.V1IPAddress>;
export type ServiceCidr = Wire<k.V1ServiceCIDR>;

const group = 'networking.k8s.io';

export const ingresses = defineKind<Ingress>({ group, kind: 'Ingress', plural: 'ingresses', shortNames: ['ing'] });
export const ingressClasses = defineKind<IngressClass>({ group, kind: 'IngressClass', plural: 'ingressclasses', namespaced: false });
export const networkPolicies = defineKind<NetworkPolicy>({
  group,
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  shortNames: ['netpol'],
});
export const ipAddresses = defineKind<IpAddress>({
  group,
  kind: 'IPAddress',
  plural: 'ipaddresses',
  shortNames: ['ip'],
  namespaced: false,
});
export const serviceCidrs = defineKind<ServiceCidr>({ group, kind: 'ServiceCIDR', plural: 'servicecidrs', namespaced: false });
