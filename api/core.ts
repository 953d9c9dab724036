// The kinds of core/v1, coordination.k8s.io/v1 and events.k8s.io/v1, with their wire types.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type Namespace = Wire<k.V1Namespace>;
export type Node = Wire<k.V1Node>;
export type Pod = Wire<k.V1Pod>;
export type PodSpec = Wire<k.V1PodSpec>;
export type PodStatus = Wire<k.V1PodStatus>;
export type PodTemplateSpec = Wire<k.V1PodTemplateSpec>;
export type Container = Wire<k.V1Container>;
export type ContainerStatus = Wire<k.V1ContainerStatus>;
export type ReplicationController = Wire<k.V1ReplicationController>;
export type Service = Wire<k.V1Service>;
export type Endpoints = Wire<k.V1Endpoints>;
export type CoreEvent = Wire<k.CoreV1Event>;
export type EventsEvent = Wire<k.EventsV1Event>;
export type Binding = Wire<k.V1Binding>;
export type ComponentStatus = Wire<k.V1ComponentStatus>;
export type ConfigMap = Wire<k.V1ConfigMap>;
export type Secret = Wire<k.V1Secret>;
export type ServiceAccount = Wire<k.V1ServiceAccount>;
export type Lease = Wire<k.V1Lease>;
export type PodTemplate = Wire<k.V1PodTemplate>;
export type LimitRange = Wire<k.V1LimitRange>;
export type ResourceQuota = Wire<k.V1ResourceQuota>;
export type PersistentVolume = Wire<k.V1PersistentVolume>;
export type PersistentVolumeClaim = Wire<k.V1PersistentVolumeClaim>;

export const namespaces = defineKind<Namespace>({ kind: 'Namespace', plural: 'namespaces', shortNames: ['ns'], namespaced: false });
export const nodes = defineKind<Node>({ kind: 'Node', plural: 'nodes', shortNames: ['no'], namespaced: false });
export const pods = defineKind<Pod>({ kind: 'Pod', plural: 'pods', shortNames: ['po'], categories: ['all'] });
export const replicationControllers = defineKind<ReplicationController>({
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
});
export const services = defineKind<Service>({ kind: 'Service', plural: 'services', shortNames: ['svc'], categories: ['all'] });
export const endpoints = defineKind<Endpoints>({ kind: 'Endpoints', plural: 'endpoints', shortNames: ['ep'] });
export const events = defineKind<CoreEvent>({ kind: 'Event', plural: 'events', shortNames: ['ev'] });
/** The same objects as `events`, under newer names. */
export const eventsV1 = defineKind<EventsEvent>({ group: 'events.k8s.io', kind: 'Event', plural: 'events', shortNames: ['ev'] });
export const bindings = defineKind<Binding>({ kind: 'Binding', plural: 'bindings' });
export const componentStatuses = defineKind<ComponentStatus>({
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  shortNames: ['cs'],
  namespaced: false,
});
export const configMaps = defineKind<ConfigMap>({ kind: 'ConfigMap', plural: 'configmaps', shortNames: ['cm'] });
export const secrets = defineKind<Secret>({ kind: 'Secret', plural: 'secrets' });
export const serviceAccounts = defineKind<ServiceAccount>({ kind: 'ServiceAccount', plural: 'serviceaccounts', shortNames: ['sa'] });
export const leases = defineKind<Lease>({ group: 'coordination.k8s.io', kind: 'Lease', plural: 'leases' });
export const podTemplates = defineKind<PodTemplate>({ kind: 'PodTemplate', plural: 'podtemplates' });
export const limitRanges = defineKind<LimitRange>({ kind: 'LimitRange', plural: 'limitranges', shortNames: ['limits'] });
export const resourceQuotas = defineKind<ResourceQuota>({ kind: 'ResourceQuota', plural: 'resourcequotas', shortNames: ['quota'] });
export const persistentVolumes = defineKind<PersistentVolume>({
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  namespaced: false,
});
export const persistentVolumeClaims = defineKind<PersistentVolumeClaim>({
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
});
