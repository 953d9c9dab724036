// Persistent volumes: pieces of storage in the cluster, which claims are bound to.

import { type PersistentVolume, persistentVolumes } from '../../api/core.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import { dns1123SubdomainProblems } from '../../api/validation/formats.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { accessModesErrors, volumeModes } from './claim-spec.ts';
import { ageColumn, nameColumn, text, wide } from './columns.ts';
import { keep } from './generation.ts';
import { backstepErrors } from './paths.ts';
import { accessModesText } from './persistentvolumeclaims.ts';
import { nodeSelectorErrors } from './pod-scheduling.ts';
import { enumErrors } from './pod-security.ts';
import { csiDriverNameErrors } from './pod-volumes.ts';
import { serve } from './resource.ts';
import { canonical, defaultResourceList, quantityErrors } from './resource-lists.ts';
import { volumeWarnings } from './volume-warnings.ts';

type Spec = NonNullable<PersistentVolume['spec']>;

const sources = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const;
const needed: Partial<Record<(typeof sources)[number], readonly string[]>> = {
  hostPath: ['path'],
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  glusterfs: ['endpoints', 'path'],
  nfs: ['server', 'path'],
  rbd: ['monitors', 'image'],
  cephfs: ['monitors'],
  iscsi: ['targetPortal', 'iqn'],
  cinder: ['volumeID'],
  flexVolume: ['driver'],
  azureFile: ['secretName', 'shareName'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  local: ['path'],
  storageos: ['volumeName'],
  csi: ['volumeHandle'],
};

export function defaultVolume(volume: PersistentVolume): void {
  volume.status ??= {};
  volume.status.phase ||= 'Pending';
  const { spec } = volume;
  if (!spec) return;
  spec.persistentVolumeReclaimPolicy ||= 'Retain';
  spec.volumeMode ??= 'Filesystem';
  if (spec.hostPath) spec.hostPath.type ??= '';
  defaultResourceList(spec.capacity);
}

export function validateVolume({ spec = {} }: PersistentVolume): FieldError[] {
  const errors: FieldError[] = [];
  accessModesErrors(spec.accessModes, 'spec.accessModes', errors, 'may not use ReadWriteOncePod with other access modes');
  const capacity = spec.capacity ?? {};
  if (Object.keys(capacity).length === 0) errors.push(required('spec.capacity'));
  else if (!('storage' in capacity) || Object.keys(capacity).length > 1) errors.push(notSupported('spec.capacity', capacity, ['storage']));
  for (const name in capacity) {
    const before = errors.length;
    quantityErrors(name, capacity[name] as string, `spec.capacity[${name}]`, errors);
    if (errors.length === before && canonical(capacity[name] as string) === '0')
      errors.push(invalid(`spec.capacity[${name}]`, '0', 'must be greater than zero'));
  }
  enumErrors(spec.persistentVolumeReclaimPolicy, ['Delete', 'Recycle', 'Retain'], 'spec.persistentVolumeReclaimPolicy', errors);
  if (spec.nodeAffinity?.required) nodeSelectorErrors(spec.nodeAffinity.required, 'spec.nodeAffinity.required', errors);
  else if (spec.nodeAffinity) errors.push(required('spec.nodeAffinity.required', 'must specify required node constraints'));
  sourceErrors(spec, errors);
  for (const field of ['storageClassName', 'volumeAttributesClassName'] as const) {
    const name = spec[field];
    if (name) for (const problem of dns1123SubdomainProblems(name)) errors.push(invalid(`spec.${field}`, name, problem));
  }
  enumErrors(spec.volumeMode, volumeModes, 'spec.volumeMode', errors);
  return errors;
}

function sourceErrors(spec: Spec, errors: FieldError[]): void {
  const present = sources.filter((source) => spec[source] !== undefined);
  if (present.length === 0) errors.push(required('spec', 'must specify a volume type'));
  present.forEach((source, i) => {
    const at = `spec.${source}`;
    if (i > 0) {
      errors.push(forbidden(at, 'may not specify more than 1 volume type'));
      return;
    }
    const content = spec[source] as Readonly<Record<string, unknown>>;
    for (const field of needed[source] ?? []) if (!content[field]) errors.push(required(`${at}.${field}`));
  });
  if (spec.csi) csiDriverNameErrors(spec.csi.driver ?? '', 'spec.csi.driver', errors);
  for (const source of ['hostPath', 'local'] as const) backstepErrors(spec[source]?.path ?? '', `spec.${source}.path`, errors);
  if (spec.local && !spec.nodeAffinity) errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
  if (spec.hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle')
    errors.push(forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"));
}

function validateVolumeUpdate(volume: PersistentVolume, old: PersistentVolume): FieldError[] {
  const errors = validateVolume(volume);
  const pick = (spec: Spec | undefined) => Object.fromEntries(sources.map((source) => [source, spec?.[source]]));
  if (!semanticEqual(pick(volume.spec), pick(old.spec)))
    errors.push(forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'));
  errors.push(...immutableErrors('volumeMode', volume.spec?.volumeMode, old.spec?.volumeMode));
  if (old.spec?.nodeAffinity && !semanticEqual(volume.spec?.nodeAffinity, old.spec.nodeAffinity))
    errors.push(invalid('nodeAffinity', volume.spec?.nodeAffinity, 'field is immutable, except for updating from beta label to GA'));
  return errors;
}

const claimText = ({ spec }: PersistentVolume) => (spec?.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : '');

export const persistentVolumeResource = serve(persistentVolumes, {
  fields: { name: ({ metadata }) => metadata?.name ?? '' },
  defaults: defaultVolume,
  beforeCreate(volume) {
    volume.status = { phase: 'Pending' };
  },
  beforeUpdate: (volume, old) => keep(volume, old, 'status'),
  validate: validateVolume,
  warningsOf: volumeWarnings,
  validateUpdate: validateVolumeUpdate,
  status: { beforeUpdate: (volume, old) => keep(volume, old, 'spec'), validateUpdate: () => [] },
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    text('Capacity', 'How much it holds.', ({ spec }) => canonical(spec?.capacity?.['storage'] ?? '0')),
    text('Access Modes', 'How it may be mounted.', ({ spec }) => accessModesText(spec?.accessModes)),
    text('Reclaim Policy', 'What becomes of it when its claim goes.', ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? ''),
    text('Status', 'Whether it is bound to a claim.', ({ metadata, status }) =>
      metadata?.deletionTimestamp ? 'Terminating' : (status?.phase ?? ''),
    ),
    text('Claim', 'The claim it is bound to.', claimText),
    text('StorageClass', 'The class it belongs to.', ({ spec }) => spec?.storageClassName ?? ''),
    text('VolumeAttributesClass', 'The attributes class it has.', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
    text('Reason', 'Why it is in its state.', ({ status }) => status?.reason ?? ''),
    ageColumn(),
    wide('VolumeMode', 'A file system or a block device.', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ],
});
