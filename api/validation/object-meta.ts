// The rules of metadata common to all kinds, as k8s.io/apimachinery/pkg/api/validation has them.

import { type FieldError, forbidden, invalid, notSupported, required, tooLong } from '../field-error.ts';
import type { ObjectMeta, OwnerReference } from '../wire.ts';
import { dns1123LabelProblems, labelValueProblems, type NameChecker, nameIsDnsSubdomain, qualifiedNameProblems } from './formats.ts';
import { semanticEqual } from './semantic-equal.ts';

export const immutableMessage = 'field is immutable';
export const negativeMessage = 'must be greater than or equal to 0';
/** Keys and values of all annotations together, in bytes. */
export const annotationsBytesMax = 256 * 1024;

export interface MetaOptions {
  namespaced: boolean;
  /** Default: a DNS-1123 subdomain. */
  validateName?: NameChecker | undefined;
  /** Where metadata stands. Default `metadata`. */
  at?: string;
}

/** Problems of a new object's metadata, once a name has been generated. */
export function validateObjectMeta(meta: ObjectMeta, options: MetaOptions): FieldError[] {
  const at = options.at ?? 'metadata';
  const checkName = options.validateName ?? nameIsDnsSubdomain;
  const errors: FieldError[] = [];
  const { name, generateName, namespace } = meta;
  if (generateName) for (const problem of checkName(generateName, true)) errors.push(invalid(`${at}.generateName`, generateName, problem));
  if (!name) errors.push(required(`${at}.name`, 'name or generateName is required'));
  else for (const problem of checkName(name, false)) errors.push(invalid(`${at}.name`, name, problem));
  if (!options.namespaced) {
    if (namespace) errors.push(forbidden(`${at}.namespace`, 'not allowed on this type'));
  } else if (!namespace) errors.push(required(`${at}.namespace`));
  else for (const problem of dns1123LabelProblems(namespace)) errors.push(invalid(`${at}.namespace`, namespace, problem));
  commonErrors(meta, at, errors);
  finalizerErrors(meta.finalizers, `${at}.finalizers`, errors);
  return errors;
}

/** Problems of a change of metadata. */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, at = 'metadata'): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp) {
    const added = (meta.finalizers ?? []).filter((finalizer) => !old.finalizers?.includes(finalizer)).sort();
    if (added.length) {
      const list = `[]string{${added.map((f) => JSON.stringify(f)).join(', ')}}`;
      const why = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      errors.push(forbidden(`${at}.finalizers`, why));
    }
  }
  if (!meta.resourceVersion) errors.push(invalid(`${at}.resourceVersion`, '', 'must be specified for an update'));
  if ((meta.generation ?? 0) < (old.generation ?? 0))
    errors.push(invalid(`${at}.generation`, meta.generation ?? 0, 'must not be decremented'));
  for (const field of immutableFields) {
    if (semanticEqual(meta[field], old[field])) continue;
    const isText = field === 'name' || field === 'namespace' || field === 'uid';
    errors.push(invalid(`${at}.${field}`, meta[field] ?? (isText ? '' : null), immutableMessage));
  }
  commonErrors(meta, at, errors);
  return errors;
}

const immutableFields = ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const;

function commonErrors(meta: ObjectMeta, at: string, errors: FieldError[]): void {
  if ((meta.generation ?? 0) < 0) errors.push(invalid(`${at}.generation`, meta.generation, negativeMessage));
  labelsErrors(meta.labels, `${at}.labels`, errors);
  annotationsErrors(meta.annotations, `${at}.annotations`, errors);
  if (meta.ownerReferences) ownerReferencesErrors(meta.ownerReferences, `${at}.ownerReferences`, errors);
  if (meta.managedFields) managedFieldsErrors(meta, `${at}.managedFields`, errors);
}

/** Adds the problems of labels' keys and values. */
export function labelsErrors(labels: Readonly<Record<string, string>> | undefined, at: string, errors: FieldError[]): void {
  for (const key in labels) {
    const value = labels[key] as string;
    for (const problem of qualifiedNameProblems(key)) errors.push(invalid(at, key, problem));
    for (const problem of labelValueProblems(value)) errors.push(invalid(at, value, problem));
  }
}

/** Adds the problems of annotations' keys and total size. */
export function annotationsErrors(annotations: Readonly<Record<string, string>> | undefined, at: string, errors: FieldError[]): void {
  let length = 0;
  for (const key in annotations) {
    for (const problem of qualifiedNameProblems(key.toLowerCase())) errors.push(invalid(at, key, problem));
    length += key.length + (annotations[key] as string).length;
  }
  if (length * 3 <= annotationsBytesMax) return;
  let bytes = 0;
  for (const key in annotations) bytes += Buffer.byteLength(key) + Buffer.byteLength(annotations[key] as string);
  if (bytes > annotationsBytesMax) errors.push(tooLong(at, annotationsBytesMax));
}

function ownerReferencesErrors(references: readonly OwnerReference[], at: string, errors: FieldError[]): void {
  let firstController = '';
  references.forEach((reference, i) => {
    const each = `${at}[${i}]`;
    const { apiVersion = '', kind = '', name = '', uid = '' } = reference as Partial<OwnerReference>;
    if (!apiVersion) errors.push(required(`${each}.apiVersion`, 'must not be empty'));
    else if (!/^[^/]+(\/[^/]+)?$/.test(apiVersion))
      errors.push(invalid(`${each}.apiVersion`, apiVersion, 'must be <group>/<version> or <version>'));
    if (!kind) errors.push(required(`${each}.kind`, 'must not be empty'));
    if (!name) errors.push(required(`${each}.name`, 'must not be empty'));
    if (!uid) errors.push(required(`${each}.uid`, 'must not be empty'));
    if (apiVersion === 'v1' && kind === 'Event') errors.push(invalid(each, reference, '/v1, Kind=Event is disallowed from being an owner'));
    if (!reference.controller) return;
    const owner = `${kind}/${name}`;
    if (firstController) {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${firstController} and ${owner}`;
      errors.push(invalid(at, references, why));
    } else firstController = owner;
  });
}

function finalizerErrors(finalizers: readonly string[] | undefined, at: string, errors: FieldError[]): void {
  if (!finalizers) return;
  for (const finalizer of finalizers) for (const problem of qualifiedNameProblems(finalizer)) errors.push(invalid(at, finalizer, problem));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    errors.push(invalid(at, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
}

function managedFieldsErrors(meta: ObjectMeta, at: string, errors: FieldError[]): void {
  meta.managedFields?.forEach((entry, i) => {
    const each = `${at}[${i}]`;
    if (!entry.operation) errors.push(required(`${each}.operation`, 'must not be empty'));
    else if (entry.operation !== 'Apply' && entry.operation !== 'Update')
      errors.push(notSupported(`${each}.operation`, entry.operation, ['Apply', 'Update']));
    if (entry.fieldsType && entry.fieldsType !== 'FieldsV1')
      errors.push(invalid(`${each}.fieldsType`, entry.fieldsType, 'must be `FieldsV1`'));
    fieldManagerErrors(entry.manager ?? '', `${each}.manager`, errors);
    if ((entry.subresource ?? '').length > 256) errors.push(tooLong(`${each}.subresource`, 256));
  });
}

/** Adds the problems of a field manager's name, as of the `fieldManager` parameter. */
export function fieldManagerErrors(manager: string, at: string, errors: FieldError[]): void {
  if (Buffer.byteLength(manager) > 128) errors.push(tooLong(at, 128));
  let position = 0;
  for (const character of manager) {
    if (/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)) {
      const code = `U+${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`;
      errors.push(invalid(at, manager, `invalid character ${code} (at position ${position})`));
    }
    position += Buffer.byteLength(character);
  }
}

/** One problem when a field that may not change did. */
export function immutableErrors(at: string, value: unknown, old: unknown): FieldError[] {
  return semanticEqual(value, old) ? [] : [invalid(at, value, immutableMessage)];
}
