// What new objects carry until a controller takes it away: volumes and claims a finalizer that keeps them while they are
// in use, nodes a taint until they are ready (admission plug-ins StorageObjectInUseProtection, TaintNodesByCondition).

import { type Node, nodes, persistentVolumeClaims, persistentVolumes } from '../../api/core.ts';
import { type AdmissionPlugin, isWriteOf } from './admission.ts';

const isClaim = isWriteOf(persistentVolumeClaims);
const isVolume = isWriteOf(persistentVolumes);

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  operations: ['CREATE'],
  handles: (attributes) => isClaim(attributes) || isVolume(attributes),
  admit(attributes) {
    const finalizer = isClaim(attributes) ? 'kubernetes.io/pvc-protection' : 'kubernetes.io/pv-protection';
    const meta = attributes.object?.metadata;
    if (!meta || meta.finalizers?.includes(finalizer)) return;
    meta.finalizers = [...(meta.finalizers ?? []), finalizer];
  },
};

const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  operations: ['CREATE'],
  handles: isWriteOf(nodes),
  admit({ object }) {
    const node = object as Node;
    if (node.spec?.taints?.some(({ key, effect }) => key === notReady.key && effect === notReady.effect)) return;
    node.spec = { ...node.spec, taints: [...(node.spec?.taints ?? []), { ...notReady }] };
  },
};
