// The parameters of creates, updates and patches (metav1.CreateOptions and its kin), checked as Kubernetes checks them.

import { type FieldError, forbidden, invalid, notSupported, required, tooLong } from '../../api/field-error.ts';
import { invalidError } from '../../api/status.ts';
import type { FieldValidation } from '../schema/decode.ts';

const optionsKinds = { create: 'CreateOptions', update: 'UpdateOptions', patch: 'PatchOptions' } as const;

export interface WriteOptions {
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions';
  apiVersion: 'meta.k8s.io/v1';
  dryRun?: string[];
  fieldManager?: string;
  fieldValidation?: FieldValidation;
}

/** What the parameters of a write say, all problems told at once. `isApply`: the patch is an apply. @throws StatusError Invalid */
export function readWriteOptions(query: URLSearchParams, verb: 'create' | 'update' | 'patch', isApply: boolean): WriteOptions {
  const kind = optionsKinds[verb];
  const dryRun = query.getAll('dryRun');
  const fieldManager = query.get('fieldManager') ?? '';
  const fieldValidation = query.get('fieldValidation') ?? '';
  const errors: FieldError[] = [];
  if (isApply && fieldManager === '') errors.push(required('fieldManager', 'is required for apply patch'));
  if (verb === 'patch' && !isApply && query.has('force')) errors.push(forbidden('force', 'may not be specified for non-apply patch'));
  errors.push(...fieldManagerErrors(fieldManager), ...dryRunErrors(dryRun));
  if (!isFieldValidation(fieldValidation)) errors.push(notSupported('fieldValidation', fieldValidation, ['', 'Ignore', 'Strict', 'Warn']));
  if (errors.length) throw invalidError({ group: 'meta.k8s.io', kind, plural: kind }, '', errors);
  return {
    kind,
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun.length ? { dryRun } : {}),
    ...(fieldManager ? { fieldManager } : {}),
    ...(fieldValidation ? { fieldValidation: fieldValidation as FieldValidation } : {}),
  };
}

const isFieldValidation = (value: string) => ['', 'Ignore', 'Strict', 'Warn'].includes(value);

/** What is wrong with a dryRun parameter or field. */
export function dryRunErrors(dryRun: readonly string[]): FieldError[] {
  return dryRun.some((value) => value !== 'All') ? [notSupported('dryRun', dryRun, ['All'])] : [];
}

const fieldManagerBytesMax = 128;

/** At most 128 bytes, each character printable: Go's unicode.IsPrint, to which of all spaces only U+0020 is. */
function fieldManagerErrors(name: string): FieldError[] {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(name) > fieldManagerBytesMax) errors.push(tooLong('fieldManager', fieldManagerBytesMax));
  let at = 0;
  for (const character of name) {
    if (character !== ' ' && !/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character)) {
      const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
      errors.push(invalid('fieldManager', name, `invalid character ${code} (at position ${at})`));
    }
    at += Buffer.byteLength(character);
  }
  return errors;
}
