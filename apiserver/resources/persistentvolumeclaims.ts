// Persistent volume claims: storage that pods ask for by size, class and mode.

import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../api/core.ts';
import { type FieldError, forbidden } from '../../api/field-error.ts';
import { compareQuantities, isQuantity, parseQuantity } from '../../api/quantity.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { claimSpecErrors } from './claim-spec.ts';
import { ageColumn, nameColumn, text, wide } from './columns.ts';
import { differenceText } from './difference.ts';
import { keep } from './generation.ts';
import { serve } from './resource.ts';
import { canonical, defaultResourceList, defaultResources } from './resource-lists.ts';
import { claimWarnings } from './volume-warnings.ts';

type Spec = NonNullable<PersistentVolumeClaim['spec']>;

export function defaultClaim(claim: PersistentVolumeClaim): void {
  claim.status ??= {};
  claim.status.phase ||= 'Pending';
  defaultResourceList(claim.status.capacity);
  if (!claim.spec) return;
  claim.spec.volumeMode ??= 'Filesystem';
  defaultResources(claim.spec.resources);
}

function validateClaim({ spec }: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  claimSpecErrors(spec ?? {}, 'spec', errors);
  return errors;
}

const sizeOf = (amounts: Readonly<Record<string, string>> | undefined) => {
  const size = amounts?.['storage'] ?? '0';
  return parseQuantity(isQuantity(size) ? size : '0');
};

/** A bound claim may grow and change its attributes class; an unbound one may be bound. */
export function validateClaimUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const errors = validateClaim(claim);
  const spec: Spec = claim.spec ?? {};
  const oldSpec: Spec = old.spec ?? {};
  const munged: Spec = { ...spec };
  if (!oldSpec.volumeName) keep(munged, oldSpec, 'volumeName');
  if (oldSpec.storageClassName === undefined && spec.storageClassName !== undefined) delete munged.storageClassName;
  if (claim.status?.phase === 'Bound') {
    const size = oldSpec.resources?.requests?.['storage'];
    if (spec.resources?.requests && size !== undefined)
      munged.resources = { ...spec.resources, requests: { ...spec.resources.requests, storage: size } };
    if (spec.volumeAttributesClassName !== undefined) keep(munged, oldSpec, 'volumeAttributesClassName');
  }
  if (!semanticEqual(munged, oldSpec)) {
    const why = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    errors.push(forbidden('spec', `${why}\n${differenceText('core.PersistentVolumeClaimSpec', oldSpec, munged)}`));
  }
  const size = sizeOf(spec.resources?.requests);
  if (compareQuantities(size, sizeOf(oldSpec.resources?.requests)) < 0 && compareQuantities(size, sizeOf(old.status?.capacity)) <= 0)
    errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  errors.push(...immutableErrors('volumeMode', spec.volumeMode, oldSpec.volumeMode));
  if (oldSpec.volumeAttributesClassName && !spec.volumeAttributesClassName) {
    const what = spec.volumeAttributesClassName === undefined ? 'nil' : 'an empty string';
    errors.push(forbidden('spec.volumeAttributesClassName', `update from non-nil value to ${what} is forbidden`));
  }
  return errors;
}

const modeAbbreviations: Record<string, string> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

/** `RWO,RWX`, in Kubernetes' order. */
export function accessModesText(modes: readonly string[] | undefined): string {
  return Object.keys(modeAbbreviations)
    .filter((mode) => modes?.includes(mode))
    .map((mode) => modeAbbreviations[mode])
    .join(',');
}

function phaseText({ metadata, status }: PersistentVolumeClaim): string {
  return metadata?.deletionTimestamp ? 'Terminating' : (status?.phase ?? '');
}

export const persistentVolumeClaimResource = serve(persistentVolumeClaims, {
  defaults: defaultClaim,
  beforeCreate(claim) {
    claim.status = { phase: 'Pending' };
  },
  beforeUpdate: (claim, old) => keep(claim, old, 'status'),
  validate: validateClaim,
  warningsOf: claimWarnings,
  validateUpdate: validateClaimUpdate,
  status: { beforeUpdate: (claim, old) => keep(claim, old, 'spec'), validateUpdate: () => [] },
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    text('Status', 'Whether the claim has a volume.', phaseText),
    text('Volume', 'The volume it is bound to.', ({ spec }) => spec?.volumeName ?? ''),
    text('Capacity', 'How much the volume holds.', ({ spec, status }) =>
      spec?.volumeName ? canonical(status?.capacity?.['storage'] ?? '0') : '',
    ),
    text('Access Modes', 'How the volume may be mounted.', ({ spec, status }) =>
      spec?.volumeName ? accessModesText(status?.accessModes) : '',
    ),
    text('StorageClass', 'The class it asks for.', ({ spec }) => spec?.storageClassName ?? ''),
    text('VolumeAttributesClass', 'The attributes class it asks for.', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
    ageColumn(),
    wide('VolumeMode', 'A file system or a block device.', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ],
});
