// The kinds of policy/v1, with their wire types.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type PodDisruptionBudget = Wire<k.V1PodDisruptionBudget>;
export type Eviction = Wire<k.V1Eviction>;

export const podDisruptionBudgets = defineKind<PodDisruptionBudget>({
  group: 'policy',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
});
