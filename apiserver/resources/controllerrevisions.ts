// Controller revisions: snapshots of what daemon sets and stateful sets looked like.

import { type ControllerRevision, controllerRevisions } from '../../api/apps.ts';
import { type FieldError, required } from '../../api/field-error.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { ageColumn, integer, nameColumn, text } from './columns.ts';
import { serve } from './resource.ts';
import { nonNegativeErrors } from './workloads.ts';

export function validateControllerRevision({ data, revision }: ControllerRevision): FieldError[] {
  const errors: FieldError[] = [];
  if (data === undefined || data === null) errors.push(required('data', 'data is mandatory'));
  nonNegativeErrors(revision, 'revision', errors);
  return errors;
}

/** `statefulset.apps/web` */
function controllerText({ metadata }: ControllerRevision): string {
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller);
  if (!owner) return '<none>';
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.slice(0, owner.apiVersion.indexOf('/'))}` : '';
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
}

export const controllerRevisionResource = serve(controllerRevisions, {
  validate: validateControllerRevision,
  validateUpdate: (revision, old) => [...validateControllerRevision(revision), ...immutableErrors('data', revision.data, old.data)],
  columns: [
    nameColumn(),
    text('Controller', 'What it is a revision of.', controllerText),
    integer('Revision', 'Which revision of it this is.', ({ revision }) => revision),
    ageColumn(),
  ],
});
