// What a score is: a number for every node that passed the filters, brought to 0..100, and its weight among the others.

import type { Pod } from '../../api/core.ts';
import type { NodeInfo, Snapshot } from '../snapshot.ts';

export interface Score {
  /** As Kubernetes' plugin is called. */
  name: string;
  /** As in Kubernetes' default profile. */
  weight: number;
  /** A number from 0 to 100 per node, in the order of `nodes`; undefined: nothing to tell them apart by. */
  score(pod: Pod, nodes: readonly NodeInfo[], snapshot: Snapshot): number[] | undefined;
}

/** Scales to 0..100 by the largest; `isReversed`: the smallest is best. Without any difference from zero, all get the same. */
export function normalized(values: readonly number[], isReversed = false): number[] {
  const max = Math.max(...values);
  if (max === 0) return values.map(() => (isReversed ? 100 : 0));
  return values.map((value) => (isReversed ? 100 - Math.floor((value * 100) / max) : Math.floor((value * 100) / max)));
}
