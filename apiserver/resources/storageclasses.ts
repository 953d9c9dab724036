// Storage classes: ways of making volumes for claims.

import { type FieldError, invalid, required, tooLong } from '../../api/field-error.ts';
import { type StorageClass, storageClasses } from '../../api/storage.ts';
import { qualifiedNameProblems } from '../../api/validation/formats.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { nodeLabelWarning } from './node-label-warnings.ts';
import { choiceErrors } from './pod-containers.ts';
import { enumErrors } from './pod-security.ts';
import { serve } from './resource.ts';

/** All parameters together, in bytes. */
const parametersBytesMax = 256 * 1024;

export function validateStorageClass({ provisioner, parameters, reclaimPolicy, volumeBindingMode }: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  if (!provisioner) errors.push(required('provisioner'));
  else for (const problem of qualifiedNameProblems(provisioner.toLowerCase())) errors.push(invalid('provisioner', provisioner, problem));
  let bytes = 0;
  for (const key in parameters) {
    if (!key) errors.push(invalid('parameters', key, 'field can not be empty.'));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(parameters[key] as string);
  }
  if (Object.keys(parameters ?? {}).length > 512)
    errors.push({ type: 'FieldValueTooLong', field: 'Provisioner Parameters Length', message: 'Too long: may not be more than 512 bytes' });
  if (bytes > parametersBytesMax) errors.push(tooLong('parameters', parametersBytesMax));
  enumErrors(reclaimPolicy, ['Delete', 'Retain'], 'reclaimPolicy', errors);
  choiceErrors(volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'], 'volumeBindingMode', errors);
  return errors;
}

export const storageClassResource = serve(storageClasses, {
  defaults(storageClass) {
    storageClass.reclaimPolicy ??= 'Delete';
    storageClass.volumeBindingMode ??= 'Immediate';
  },
  validate: validateStorageClass,
  warningsOf: ({ allowedTopologies }) =>
    (allowedTopologies ?? []).flatMap(({ matchLabelExpressions }, i) =>
      (matchLabelExpressions ?? []).flatMap(({ key }, j) => {
        const text = nodeLabelWarning(key);
        return text ? [`allowedTopologies[${i}].matchLabelExpressions[${j}].key: ${text}`] : [];
      }),
    ),
  validateUpdate: (storageClass, old) =>
    (['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const).flatMap((field) =>
      immutableErrors(field, storageClass[field], old[field]),
    ),
  returnsDeletedObject: true,
  columns: [
    {
      ...nameColumn<StorageClass>(),
      cell: ({ metadata }) =>
        metadata?.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true'
          ? `${metadata.name} (default)`
          : (metadata?.name ?? ''),
    },
    text('Provisioner', 'Who makes its volumes.', ({ provisioner }) => provisioner ?? ''),
    text('ReclaimPolicy', 'What becomes of a volume when its claim goes.', ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete'),
    text('VolumeBindingMode', 'When a volume is made for a claim.', ({ volumeBindingMode }) => volumeBindingMode ?? '<unset>'),
    {
      ...text<StorageClass>('AllowVolumeExpansion', 'Whether claims may grow.', () => ''),
      cell: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    },
    ageColumn(),
  ],
});
