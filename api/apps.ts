// The kinds of apps/v1, with their wire types.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type Deployment = Wire<k.V1Deployment>;
export type ReplicaSet = Wire<k.V1ReplicaSet>;
export type StatefulSet = Wire<k.V1StatefulSet>;
export type DaemonSet = Wire<k.V1DaemonSet>;
export type ControllerRevision = Wire<k.V1ControllerRevision>;

const group = 'apps';

export const deployments = defineKind<Deployment>({
  group,
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
});
export const replicaSets = defineKind<ReplicaSet>({
  group,
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
});
export const statefulSets = defineKind<StatefulSet>({
  group,
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
});
export const daemonSets = defineKind<DaemonSet>({
  group,
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
});
export const controllerRevisions = defineKind<ControllerRevision>({ group, kind: 'ControllerRevision', plural: 'controllerrevisions' });
