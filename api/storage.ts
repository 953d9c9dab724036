// The kinds of storage.k8s.io/v1, with their wire types.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type StorageClass = Wire<k.V1StorageClass>;
export type VolumeAttachment = Wire<k.V1VolumeAttachment>;
export type CsiDriver = Wire<k.V1CSIDriver>;
export type CsiNode = Wire<k.V1CSINode>;
export type CsiStorageCapacity = Wire<k.V1CSIStorageCapacity>;
export type VolumeAttributesClass = Wire<k.V1VolumeAttributesClass>;

const group = 'storage.k8s.io';

export const storageClasses = defineKind<StorageClass>({
  group,
  kind: 'StorageClass',
  plural: 'storageclasses',
  shortNames: ['sc'],
  namespaced: false,
});
export const volumeAttachments = defineKind<VolumeAttachment>({
  group,
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  namespaced: false,
});
export const csiDrivers = defineKind<CsiDriver>({ group, kind: 'CSIDriver', plural: 'csidrivers', namespaced: false });
export const csiNodes = defineKind<CsiNode>({ group, kind: 'CSINode', plural: 'csinodes', namespaced: false });
export const csiStorageCapacities = defineKind<CsiStorageCapacity>({ group, kind: 'CSIStorageCapacity', plural: 'csistoragecapacities' });
export const volumeAttributesClasses = defineKind<VolumeAttributesClass>({
  group,
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  shortNames: ['vac'],
  namespaced: false,
});
