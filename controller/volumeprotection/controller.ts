// Holds persistent volumes and claims that are being deleted until nothing uses them.

import { type PersistentVolumeClaim, persistentVolumeClaims, persistentVolumes, pods } from '../../api/core.ts';
import { type Controller, controller, type ReconcileContext, settled, watching } from '../../client/controller.ts';
import { claimFinalizer, claimNamesOf, isClaimUsedBy, isVolumeUsed, planFinalizers, volumeFinalizer } from './plan.ts';

const byClaim = 'claims';

export const claimProtection: Controller = controller({
  name: 'persistentvolumeclaim-protection-controller',
  queueName: 'pvcprotection',
  of: persistentVolumeClaims,
  watches: [watching(pods, (pod) => claimNamesOf(pod).map((name) => `${pod.metadata?.namespace}/${name}`))],
  async reconcile(claim, context) {
    const { metadata = {} } = claim;
    const finalizers = planFinalizers(metadata, claimFinalizer, Boolean(metadata.deletionTimestamp) && (await isUsed(claim, context)));
    if (finalizers) await context.api.update(persistentVolumeClaims, { ...claim, metadata: { ...metadata, finalizers } });
    return settled;
  },
});

export const volumeProtection: Controller = controller({
  name: 'persistentvolume-protection-controller',
  queueName: 'pvprotection',
  of: persistentVolumes,
  async reconcile(volume, { api }) {
    const { metadata = {} } = volume;
    const finalizers = planFinalizers(metadata, volumeFinalizer, isVolumeUsed(volume));
    if (finalizers) await api.update(persistentVolumes, { ...volume, metadata: { ...metadata, finalizers } });
    return settled;
  },
});

/** The cache is asked first; a pod that it has not seen yet would lose its data, so the server has the last word. */
async function isUsed(claim: PersistentVolumeClaim, { cache, api }: ReconcileContext): Promise<boolean> {
  const { namespace, name } = claim.metadata ?? {};
  const seen = cache.of(pods);
  seen.addIndex(byClaim, (pod) => claimNamesOf(pod).map((claimName) => `${pod.metadata?.namespace}/${claimName}`));
  if (seen.byIndex(byClaim, `${namespace}/${name}`).some((pod) => isClaimUsedBy(claim, pod))) return true;
  const { items } = await api.list(pods, namespace === undefined ? {} : { namespace });
  return items.some((pod) => isClaimUsedBy(claim, pod));
}
