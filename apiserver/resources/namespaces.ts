// Namespaces: each carries its name as a label and is held by the `kubernetes` finalizer in its spec until it is empty.

import { type Namespace, namespaces } from '../../api/core.ts';
import { type FieldError, invalid } from '../../api/field-error.ts';
import { nameIsDnsLabel, qualifiedNameProblems } from '../../api/validation/formats.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { keep } from './generation.ts';
import { serve } from './resource.ts';

export function defaultNamespace(namespace: Namespace): void {
  const name = namespace.metadata?.name;
  if (name && namespace.metadata) {
    namespace.metadata.labels ??= {};
    namespace.metadata.labels['kubernetes.io/metadata.name'] = name;
  }
  namespace.status ??= {};
  namespace.status.phase ||= 'Active';
}

function beforeCreate(namespace: Namespace): void {
  namespace.status = { phase: 'Active' };
  namespace.spec ??= {};
  const finalizers = namespace.spec.finalizers ?? [];
  if (!finalizers.includes('kubernetes')) namespace.spec.finalizers = [...finalizers, 'kubernetes'];
}

/** Only the finalize subresource changes the spec's finalizers, only the status subresource the status. */
function beforeUpdate(namespace: Namespace, old: Namespace): void {
  keep(namespace, old, 'status');
  keep(namespace, old, 'spec');
}

const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion'];

export function validateNamespace(namespace: Namespace): FieldError[] {
  const errors: FieldError[] = [];
  namespace.spec?.finalizers?.forEach((finalizer) => {
    for (const problem of qualifiedNameProblems(finalizer)) errors.push(invalid('spec.finalizers', finalizer, problem));
    if (!finalizer.includes('/') && !standardFinalizers.includes(finalizer))
      errors.push(invalid('spec.finalizers', finalizer, 'name is neither a standard finalizer name nor is it fully qualified'));
  });
  return errors;
}

function validateStatusUpdate(namespace: Namespace): FieldError[] {
  const phase = namespace.status?.phase ?? '';
  if (!namespace.metadata?.deletionTimestamp)
    return phase === 'Active' ? [] : [invalid('status.Phase', phase, "may only be 'Active' if `deletionTimestamp` is empty")];
  return phase === 'Terminating' ? [] : [invalid('status.Phase', phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
}

export const namespaceResource = serve(namespaces, {
  fields: { 'status.phase': (namespace) => namespace.status?.phase ?? '', name: (namespace) => namespace.metadata?.name ?? '' },
  defaults: defaultNamespace,
  beforeCreate,
  beforeUpdate,
  validate: validateNamespace,
  validateUpdate: () => [],
  validateName: (name, isGenerateName) => [...nameIsDnsLabel(name, isGenerateName)],
  status: {
    beforeUpdate: (namespace, old) => keep(namespace, old, 'spec'),
    validateUpdate: validateStatusUpdate,
  },
  subresources: {
    finalize: {
      kind: 'Namespace',
      verbs: ['update'],
      handler: 'namespace-finalize',
      beforeUpdate: (namespace, old) => keep(namespace, old, 'status'),
      validateUpdate: validateNamespace,
    },
  },
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  returnsDeletedObject: 'unpublished',
  beforeDelete(namespace) {
    namespace.status = { ...namespace.status, phase: 'Terminating' };
  },
  holdsDeletion: (namespace) => (namespace.spec?.finalizers?.length ?? 0) > 0,
  columns: [
    nameColumn(),
    text('Status', 'Whether the namespace is in use or being emptied.', (namespace) => namespace.status?.phase ?? ''),
    ageColumn(),
  ],
});
