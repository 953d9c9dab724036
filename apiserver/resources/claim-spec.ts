// The rules of what a persistent volume claim asks for, in claims, in claim templates and in ephemeral volumes.

import { type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import { isQuantity, parseQuantity } from '../../api/quantity.ts';
import type { PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate } from '../../api/storage-parts.ts';
import { dns1123SubdomainProblems } from '../../api/validation/formats.ts';
import { labelSelectorErrors } from '../../api/validation/label-selector.ts';
import { annotationsErrors, labelsErrors } from '../../api/validation/object-meta.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { canonical } from './resource-lists.ts';

export const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const volumeModes = ['Block', 'Filesystem'];

/** Adds the problems of access modes: unknown ones, and ReadWriteOncePod beside others. */
export function accessModesErrors(modes: readonly string[] | undefined, at: string, errors: FieldError[], oncePodMessage: string): void {
  if (!modes?.length) errors.push(required(at, 'at least 1 access mode is required'));
  for (const mode of modes ?? []) if (!accessModes.includes(mode)) errors.push(notSupported(at, mode, accessModes));
  const known = modes?.filter((mode) => accessModes.includes(mode)) ?? [];
  if (known.includes('ReadWriteOncePod') && known.some((mode) => mode !== 'ReadWriteOncePod')) errors.push(forbidden(at, oncePodMessage));
}

export function claimSpecErrors(spec: PersistentVolumeClaimSpec, at: string, errors: FieldError[]): void {
  accessModesErrors(spec.accessModes, `${at}.accessModes`, errors, 'may not use ReadWriteOncePod with other access modes');
  labelSelectorErrors(spec.selector, `${at}.selector`, errors);
  const size = spec.resources?.requests?.['storage'];
  const sizeAt = `${at}.resources[storage]`;
  if (size === undefined) errors.push(required(sizeAt));
  else if (!isQuantity(size) || parseQuantity(size).nano <= 0n) errors.push(invalid(sizeAt, canonical(size), 'must be greater than zero'));
  if (spec.storageClassName)
    for (const problem of dns1123SubdomainProblems(spec.storageClassName))
      errors.push(invalid(`${at}.storageClassName`, spec.storageClassName, problem));
  if (spec.volumeMode !== undefined && !volumeModes.includes(spec.volumeMode))
    errors.push(notSupported(`${at}.volumeMode`, spec.volumeMode, volumeModes));
  dataSourceErrors(spec, at, errors);
  if (spec.volumeAttributesClassName)
    for (const problem of dns1123SubdomainProblems(spec.volumeAttributesClassName))
      errors.push(invalid(`${at}.volumeAttributesClassName`, spec.volumeAttributesClassName, problem));
}

function dataSourceErrors({ dataSource, dataSourceRef }: PersistentVolumeClaimSpec, at: string, errors: FieldError[]): void {
  for (const [field, source] of [
    ['dataSource', dataSource],
    ['dataSourceRef', dataSourceRef],
  ] as const) {
    if (!source) continue;
    if (!source.name) errors.push(required(`${at}.${field}.name`));
    if (!source.kind) errors.push(required(`${at}.${field}.kind`));
    const group = source.apiGroup ?? '';
    if (!group && source.kind !== 'PersistentVolumeClaim')
      errors.push(invalid(`${at}.${field}`, source.kind ?? '', "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
    if (group) for (const problem of dns1123SubdomainProblems(group)) errors.push(invalid(`${at}.${field}.apiGroup`, group, problem));
  }
  if (!dataSource || !dataSourceRef) return;
  if (dataSourceRef.namespace)
    errors.push(invalid(at, `${at}.dataSource`, 'may not be specified when dataSourceRef.namespace is specified'));
  else if (!semanticEqual(dataSource, { apiGroup: dataSourceRef.apiGroup, kind: dataSourceRef.kind, name: dataSourceRef.name }))
    errors.push(invalid(at, `${at}.dataSource`, 'must match dataSourceRef'));
}

/** Adds the problems of a claim template; only labels and annotations of its metadata may be set. */
export function claimTemplateErrors(template: PersistentVolumeClaimTemplate, at: string, errors: FieldError[]): void {
  const meta = template.metadata;
  labelsErrors(meta?.labels, `${at}.metadata.labels`, errors);
  annotationsErrors(meta?.annotations, `${at}.metadata.annotations`, errors);
  for (const field in meta)
    if (field !== 'labels' && field !== 'annotations' && meta[field as keyof typeof meta])
      errors.push(forbidden(`${at}.metadata.${field}`, 'cannot be set for an ephemeral volume'));
  claimSpecErrors(template.spec ?? {}, `${at}.spec`, errors);
}
