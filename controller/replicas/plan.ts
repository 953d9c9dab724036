// Which pods a replicating owner takes, lets go, makes and deletes. Shared by ReplicationController and ReplicaSet.
// The rules are those of k8s.io/kubernetes/pkg/controller (controller refs, ActivePodsWithRanks).

import { conditionOf } from '../../api/conditions.ts';
import type { Pod } from '../../api/core.ts';
import { type Selector, selectorMatches } from '../../api/labels.ts';
import { controllerOf } from '../../api/owners.ts';
import { isPodActive, isPodReady, isSidecar } from '../../api/pods.ts';

/** The most pods made or deleted at one go. */
export const burstReplicas = 500;

export interface ReplicasState {
  ownerUid: string;
  /** The owner has a deletionTimestamp. */
  isDeleting: boolean;
  selector: Selector;
  wanted: number;
  /** The owner's pods and those without a controller, of its namespace. */
  pods: readonly Pod[];
  /** Pods of the owner's siblings, itself included: of those on crowded nodes some go first. Default `pods`. */
  related?: readonly Pod[];
  nowMs: number;
}

export interface ReplicasPlan {
  adopt: Pod[];
  release: Pod[];
  /** Active pods that are the owner's once `adopt` and `release` are done. */
  claimed: Pod[];
  /** Pods of the owner's that are being deleted. */
  terminating: Pod[];
  create: number;
  delete: Pod[];
}

export function planReplicas(state: ReplicasState): ReplicasPlan {
  const { wanted, isDeleting, nowMs } = state;
  const { adopt, release, kept, terminating } = planClaims(state);
  const claimed = [...kept, ...adopt];
  const surplus = isDeleting ? 0 : claimed.length - wanted;
  return {
    adopt,
    release,
    claimed,
    terminating,
    create: Math.min(Math.max(-surplus, 0), burstReplicas),
    delete: surplus > 0 ? byDeletionOrder(claimed, state.related ?? claimed, nowMs).slice(0, Math.min(surplus, burstReplicas)) : [],
  };
}

function planClaims({ ownerUid, isDeleting, selector, pods }: ReplicasState) {
  const claims = { adopt: [] as Pod[], release: [] as Pod[], kept: [] as Pod[], terminating: [] as Pod[] };
  for (const pod of pods) {
    const reference = controllerOf(pod);
    const isMatch = selectorMatches(selector, pod.metadata?.labels);
    if (!isPodActive(pod)) {
      if (reference?.uid === ownerUid && isMatch && pod.metadata?.deletionTimestamp) claims.terminating.push(pod);
    } else if (reference) {
      if (reference.uid !== ownerUid) continue;
      if (isMatch) claims.kept.push(pod);
      else if (!isDeleting) claims.release.push(pod);
    } else if (isMatch && !isDeleting) claims.adopt.push(pod);
  }
  return claims;
}

/** Those to be deleted first come first. Nothing that is random decides: the last tie is broken by uid. */
export function byDeletionOrder(pods: readonly Pod[], related: readonly Pod[], nowMs: number): Pod[] {
  const podsOnNode = new Map<string, number>();
  for (const pod of related) if (isPodActive(pod)) podsOnNode.set(nodeOf(pod), (podsOnNode.get(nodeOf(pod)) ?? 0) + 1);
  const phaseRank: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 };
  const rankOf = (pod: Pod) => ({
    pod,
    isAssigned: Number(nodeOf(pod) !== ''),
    phase: phaseRank[pod.status?.phase ?? ''] ?? 0,
    isReady: Number(isPodReady(pod)),
    deletionCost: deletionCostOf(pod),
    neighbours: podsOnNode.get(nodeOf(pod)) ?? 0,
    readyAge: ageRank(isPodReady(pod) ? conditionOf(pod.status?.conditions, 'Ready')?.lastTransitionTime : undefined, nowMs),
    restarts: restartsOf(pod),
    age: ageRank(pod.metadata?.creationTimestamp, nowMs),
  });
  return pods
    .map(rankOf)
    .sort(
      (a, b) =>
        a.isAssigned - b.isAssigned ||
        a.phase - b.phase ||
        a.isReady - b.isReady ||
        a.deletionCost - b.deletionCost ||
        b.neighbours - a.neighbours ||
        a.readyAge - b.readyAge ||
        b.restarts.app - a.restarts.app ||
        b.restarts.sidecar - a.restarts.sidecar ||
        a.age - b.age ||
        compareText(a.pod.metadata?.uid ?? '', b.pod.metadata?.uid ?? ''),
    )
    .map(({ pod }) => pod);
}

const nodeOf = (pod: Pod) => pod.spec?.nodeName ?? '';
const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Ages count on a logarithmic scale, so that of pods made together not always the newest goes (KEP-2185). */
function ageRank(since: string | undefined, nowMs: number): number {
  if (!since) return -2;
  const ageMs = nowMs - Date.parse(since);
  return ageMs <= 0 ? -1 : Math.floor(Math.log2(ageMs * 1e6));
}

function deletionCostOf(pod: Pod): number {
  const text = pod.metadata?.annotations?.['controller.kubernetes.io/pod-deletion-cost'];
  return text !== undefined && /^-?(0|[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

function restartsOf(pod: Pod): { app: number; sidecar: number } {
  const sidecars = new Set((pod.spec?.initContainers ?? []).filter(isSidecar).map((container) => container.name));
  const restarts = { app: 0, sidecar: 0 };
  for (const { restartCount } of pod.status?.containerStatuses ?? []) restarts.app = Math.max(restarts.app, restartCount);
  for (const { name, restartCount } of pod.status?.initContainerStatuses ?? []) {
    if (sidecars.has(name)) restarts.sidecar = Math.max(restarts.sidecar, restartCount);
  }
  return restarts;
}
