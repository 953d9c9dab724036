// Which pods nobody else will ever delete, and why.

import { isConditionTrue } from '../../api/conditions.ts';
import type { Node, Pod } from '../../api/core.ts';
import { isPodTerminal } from '../../api/pods.ts';

/** How many ended pods are kept for being looked at. */
export const terminatedPodsMax = 12_500;
/** How long a node may be missing before its pods count as orphans. */
export const quarantineMs = 40_000;

export type Verdict =
  | 'keep'
  /** Being deleted, and no kubelet was ever told of it; or its node is out of service. */
  | 'terminating'
  /** Its node seems to be missing. */
  | 'orphaned'
  /** Ended: one of many. */
  | 'terminated';

export function judge(pod: Pod, node: Node | undefined): Verdict {
  const { nodeName } = pod.spec ?? {};
  if (nodeName && !node) return 'orphaned';
  if (pod.metadata?.deletionTimestamp) {
    if (!nodeName) return 'terminating';
    const isOutOfService = node?.spec?.taints?.some(({ key }) => key === 'node.kubernetes.io/out-of-service') ?? false;
    if (isOutOfService && !isConditionTrue(node?.status?.conditions, 'Ready')) return 'terminating';
  }
  return isPodTerminal(pod) && !pod.metadata?.deletionTimestamp ? 'terminated' : 'keep';
}

/** Of the ended pods those to be deleted, so that `max` are left: evicted ones first, then the oldest. */
export function surplusTerminated(pods: readonly Pod[], max = terminatedPodsMax): Pod[] {
  if (pods.length <= max) return [];
  const order = (pod: Pod) =>
    `${pod.status?.reason === 'Evicted' ? 0 : 1} ${pod.metadata?.creationTimestamp ?? ''} ${pod.metadata?.name ?? ''}`;
  return [...pods].sort((a, b) => (order(a) < order(b) ? -1 : 1)).slice(0, pods.length - max);
}
