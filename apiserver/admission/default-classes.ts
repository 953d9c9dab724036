// Claims and ingresses that name no class get the cluster's default one, and claims grow only where their class lets them
// (admission plug-ins DefaultStorageClass, DefaultIngressClass and PersistentVolumeClaimResize).

import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../api/core.ts';
import type { Kind } from '../../api/kind.ts';
import { type Ingress, ingressClasses, ingresses } from '../../api/networking.ts';
import { compareQuantities } from '../../api/quantity.ts';
import { storageClasses } from '../../api/storage.ts';
import type { KubeObject } from '../../api/wire.ts';
import { type AdmissionPlugin, isWriteOf, refusal } from './admission.ts';
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
    async validate(attributes) {
      const claim = attributes.object as PersistentVolumeClaim;
      const before = attributes.old as PersistentVolumeClaim;
      const sizeOf = ({ spec }: PersistentVolumeClaim) => spec?.resources?.requests?.['storage'] ?? '0';
      if (compareQuantities(sizeOf(before), sizeOf(claim)) >= 0) return;
      if (before.status?.phase !== 'Bound') throw refusal(attributes, 'Only bound persistent volume claims can be expanded');
      const className = classOf(claim);
      const found = className && className === classOf(before) ? await view.get(storageClasses, '', className) : undefined;
      if (found?.allowVolumeExpansion) return;
      const why = 'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
      throw refusal(attributes, why);
    },
  };
}

const classOf = ({ metadata, spec }: PersistentVolumeClaim) => metadata?.annotations?.[betaClassAnnotation] ?? spec?.storageClassName ?? '';
