// What a filter is: a question that every node must answer with yes before a pod may run there.

import type { Pod } from '../../api/core.ts';
import type { NodeInfo, Snapshot } from '../snapshot.ts';

export interface Refusal {
  /** In Kubernetes' words; `FailedScheduling` counts nodes by them. */
  reasons: readonly string[];
  /** Evicting pods from the node cannot help. */
  isUnresolvable: boolean;
}

export interface Filter {
  /** As Kubernetes' plugin is called. */
  name: string;
  /** Returns the check for one pod; what can be computed once for all nodes is computed here. undefined: nothing to check. */
  prepare(pod: Pod, snapshot: Snapshot): ((info: NodeInfo) => Refusal | undefined) | undefined;
}

export const unresolvable = (...reasons: string[]): Refusal => ({ reasons, isUnresolvable: true });
export const resolvable = (...reasons: string[]): Refusal => ({ reasons, isUnresolvable: false });
