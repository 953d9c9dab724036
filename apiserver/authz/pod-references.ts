// Everything that a kubelet has to read to run a pod or to mount a volume, as keys `resource/namespace/name`. After
// pkg/api/v1/pod and pkg/api/v1/persistentvolume of Kubernetes.

import type { PersistentVolume, Pod } from '../../api/core.ts';

type Volume = NonNullable<NonNullable<Pod['spec']>['volumes']>[number];
type Container = NonNullable<Pod['spec']>['containers'][number];

export function* referencesOfPod(pod: Pod): Generator<string> {
  const { metadata, spec } = pod;
  const namespace = metadata?.namespace ?? '';
  if (spec?.serviceAccountName) yield `serviceaccounts/${namespace}/${spec.serviceAccountName}`;
  for (const { name } of spec?.imagePullSecrets ?? []) yield `secrets/${namespace}/${name}`;
  for (const container of [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])])
    yield* referencesOfContainer(container as Container, namespace);
  for (const volume of spec?.volumes ?? []) {
    for (const name of secretsOfPodVolume(volume)) yield `secrets/${namespace}/${name}`;
    if (volume.configMap) yield `configmaps/${namespace}/${volume.configMap.name}`;
    for (const { configMap } of volume.projected?.sources ?? []) if (configMap) yield `configmaps/${namespace}/${configMap.name}`;
    if (volume.persistentVolumeClaim) yield `persistentvolumeclaims/${namespace}/${volume.persistentVolumeClaim.claimName}`;
    if (volume.ephemeral) yield `persistentvolumeclaims/${namespace}/${metadata?.name}-${volume.name}`;
  }
  for (const name of claimsOfPod(pod)) yield `resourceclaims/${namespace}/${name}`;
}

function* referencesOfContainer({ env, envFrom }: Container, namespace: string): Generator<string> {
  for (const { valueFrom } of env ?? []) {
    if (valueFrom?.secretKeyRef) yield `secrets/${namespace}/${valueFrom.secretKeyRef.name}`;
    if (valueFrom?.configMapKeyRef) yield `configmaps/${namespace}/${valueFrom.configMapKeyRef.name}`;
  }
  for (const { secretRef, configMapRef } of envFrom ?? []) {
    if (secretRef) yield `secrets/${namespace}/${secretRef.name}`;
    if (configMapRef) yield `configmaps/${namespace}/${configMapRef.name}`;
  }
}

function* secretsOfPodVolume(volume: Volume): Generator<string> {
  const { secret, azureFile, projected, csi, cephfs, cinder, flexVolume, rbd, scaleIO, iscsi, storageos } = volume;
  if (secret?.secretName) yield secret.secretName;
  if (azureFile?.secretName) yield azureFile.secretName;
  for (const source of projected?.sources ?? []) if (source.secret?.name) yield source.secret.name;
  if (csi?.nodePublishSecretRef?.name) yield csi.nodePublishSecretRef.name;
  for (const source of [cephfs, cinder, flexVolume, rbd, scaleIO, iscsi, storageos])
    if (source?.secretRef?.name) yield source.secretRef.name;
}

/** Of the claims that a pod names or has had made for it, those that are there. */
function* claimsOfPod({ spec, status }: Pod): Generator<string> {
  for (const { name, resourceClaimName } of spec?.resourceClaims ?? []) {
    const claim = resourceClaimName ?? status?.resourceClaimStatuses?.find((each) => each.name === name)?.resourceClaimName;
    if (claim) yield claim;
  }
  if (status?.extendedResourceClaimStatus?.resourceClaimName) yield status.extendedResourceClaimStatus.resourceClaimName;
}

/** The secrets that a kubelet needs to mount a volume that is bound; those of controllers are not among them. */
export function* secretsOfVolume({ spec }: PersistentVolume): Generator<string> {
  if (!spec) return;
  const { azureFile, cephfs, cinder, flexVolume, rbd, scaleIO, iscsi, storageos, csi } = spec;
  const bound = spec.claimRef?.namespace ?? '';
  if (azureFile?.secretName) yield `secrets/${azureFile.secretNamespace || bound}/${azureFile.secretName}`;
  // Older objects name no namespace: the claim's is meant.
  for (const source of [cephfs, cinder, flexVolume, rbd, scaleIO, iscsi, storageos])
    if (source?.secretRef?.name) yield `secrets/${source.secretRef.namespace || bound}/${source.secretRef.name}`;
  for (const secret of [csi?.nodePublishSecretRef, csi?.nodeStageSecretRef, csi?.nodeExpandSecretRef])
    if (secret?.name) yield `secrets/${secret.namespace ?? ''}/${secret.name}`;
}
