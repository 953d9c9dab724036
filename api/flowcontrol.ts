// The kinds of flowcontrol.apiserver.k8s.io/v1, with their wire types.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type FlowSchema = Wire<k.V1FlowSchema>;
export type PriorityLevelConfiguration = Wire<k.V1PriorityLevelConfiguration>;

const group = 'flowcontrol.apiserver.k8s.io';

export const flowSchemas = defineKind<FlowSchema>({ group, kind: 'FlowSchema', plural: 'flowschemas', namespaced: false });
export const priorityLevelConfigurations = defineKind<PriorityLevelConfiguration>({
  group,
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  namespaced: false,
});
