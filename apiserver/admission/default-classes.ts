// Claims and ingresses that name no class get the cluster's default one, and claims grow only where their class lets them
// (admission plug-ins DefaultStorageClass, DefaultIngressClass and PersistentVolumeClaimResize).

import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../api/core.ts';
import type { Kind } from '../../api/kind.ts';
import { type Ingress, ingressClasses, ingresses } from '../../api/networking.ts';
import { compareQuantities } from '../../api/quantity.ts';
import { forbiddenError } from '../../api/status.ts';
import { storageClasses } from '../../api/storage.ts';
import type { KubeObject } from '../../api/wire.ts';
import { type AdmissionPlugin, isWriteOf } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';

/** The newest of the classes that call themselves the default; of those made in the same second the first by name. */
function defaultOf(view: ClusterView, kind: Kind, annotations: readonly string[]): string | undefined {
  let found: KubeObject | undefined;
  for (const each of view.list(kind)) {
    if (!annotations.some((annotation) => each.metadata?.annotations?.[annotation] === 'true')) continue;
    const [made, other] = [each.metadata?.creationTimestamp ?? '', found?.metadata?.creationTimestamp ?? ''];
    // Lists are in order of names.
    if (!found || made > other) found = each;
  }
  return found?.metadata?.name;
}

const storageAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];
const betaClassAnnotation = 'volume.beta.kubernetes.io/storage-class';

export function defaultStorageClass(view: ClusterView): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    operations: ['CREATE'],
    handles: isWriteOf(persistentVolumeClaims),
    admit({ object }) {
      const { spec, metadata } = object as PersistentVolumeClaim;
      if (!spec || spec.storageClassName !== undefined || metadata?.annotations?.[betaClassAnnotation] !== undefined) return;
      const name = defaultOf(view, storageClasses, storageAnnotations);
      if (name !== undefined) spec.storageClassName = name;
    },
  };
}

export function defaultIngressClass(view: ClusterView): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    operations: ['CREATE'],
    handles: isWriteOf(ingresses),
    admit({ object }) {
      const ingress = object as Ingress;
      if (ingress.spec?.ingressClassName !== undefined || ingress.metadata?.annotations?.['kubernetes.io/ingress.class'] !== undefined)
        return;
      const name = defaultOf(view, ingressClasses, ['ingressclass.kubernetes.io/is-default-class']);
      if (name !== undefined) ingress.spec = { ...ingress.spec, ingressClassName: name };
    },
  };
}

export function persistentVolumeClaimResize(view: ClusterView): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    operations: ['UPDATE'],
    handles: isWriteOf(persistentVolumeClaims),
    validate({ kind, name, object, old }) {
      const claim = object as PersistentVolumeClaim;
      const before = old as PersistentVolumeClaim;
      const size = claim.spec?.resources?.requests?.['storage'];
      const oldSize = before.spec?.resources?.requests?.['storage'];
      if (size === undefined || oldSize === undefined || compareQuantities(oldSize, size) >= 0) return;
      if (before.status?.phase !== 'Bound') throw forbiddenError(kind, name, 'Only bound persistent volume claims can be expanded');
      const className = claim.metadata?.annotations?.[betaClassAnnotation] ?? claim.spec?.storageClassName ?? '';
      const found = view.list(storageClasses).find(({ metadata }) => metadata?.name === className);
      if (found?.allowVolumeExpansion) return;
      const why = 'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
      throw forbiddenError(kind, name, why);
    },
  };
}
