// The kinds of scheduling.k8s.io/v1 and node.k8s.io/v1, with their wire types.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type PriorityClass = Wire<k.V1PriorityClass>;
export type RuntimeClass = Wire<k.V1RuntimeClass>;

export const priorityClasses = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  namespaced: false,
});
export const runtimeClasses = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  namespaced: false,
});
