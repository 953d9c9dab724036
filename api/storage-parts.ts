// The wire types that volumes of pods, claims and persistent volumes share.

import type * as k from '@kubernetes/client-node';
import type { Wire } from './wire.ts';

export type PersistentVolumeClaimSpec = Wire<k.V1PersistentVolumeClaimSpec>;
export type PersistentVolumeClaimTemplate = Wire<k.V1PersistentVolumeClaimTemplate>;
export type VolumeNodeAffinity = Wire<k.V1VolumeNodeAffinity>;
