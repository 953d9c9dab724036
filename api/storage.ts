// The kinds of storage.k8s.io/v1, with their wire types.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type StorageClass = Wire<k.V1StorageClass>;

const group = 'storage.k8s.io';

export const storageClasses = defineKind<StorageClass>({
  group,
  kind: 'StorageClass',
  plural: 'storageclasses',
  shortNames: ['sc'],
  namespaced: false,
});
