// When a volume or a claim may go: each carries a finalizer that is taken away once nothing uses it.

import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/core.ts';
import { controllerOf } from '../../api/owners.ts';
import type { ObjectMeta } from '../../api/wire.ts';

export const claimFinalizer = 'kubernetes.io/pvc-protection';
export const volumeFinalizer = 'kubernetes.io/pv-protection';

/** The finalizers that the object should have; undefined when those that it has are right. */
export function planFinalizers(
  { finalizers = [], deletionTimestamp }: ObjectMeta,
  finalizer: string,
  isUsed: boolean,
): string[] | undefined {
  const isHeld = finalizers.includes(finalizer);
  if (deletionTimestamp) return isHeld && !isUsed ? finalizers.filter((each) => each !== finalizer) : undefined;
  return isHeld ? undefined : [...finalizers, finalizer];
}

/** A volume is in use as long as it is bound to a claim. */
export const isVolumeUsed = ({ status }: PersistentVolume): boolean => status?.phase === 'Bound';

/** Names of the claims in the pod's namespace that its volumes are, or are made of. */
export function claimNamesOf({ metadata, spec }: Pod): string[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [persistentVolumeClaim.claimName];
    return ephemeral ? [`${metadata?.name}-${name}`] : [];
  });
}

/**
 * A claim is used by pods of its namespace that have a node: the kubelet starts no other with a claim that is being deleted.
 * One that was made for a pod's own volume no longer counts once the kubelet is done with the pod, as each might wait for the other.
 */
export function isClaimUsedBy(claim: PersistentVolumeClaim, pod: Pod): boolean {
  const { metadata, spec } = pod;
  if (!spec?.nodeName || metadata?.namespace !== claim.metadata?.namespace) return false;
  const isShutDown = metadata?.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0;
  return (spec.volumes ?? []).some(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim?.claimName === claim.metadata?.name) return true;
    const isOwn = `${metadata?.name}-${name}` === claim.metadata?.name && controllerOf(claim)?.uid === metadata?.uid;
    return ephemeral !== undefined && isOwn && !isShutDown;
  });
}
