// Replica sets: how many copies of a pod template are wanted, found by a label selector.

import { type ReplicaSet, replicaSets } from '../../api/apps.ts';
import type { FieldError } from '../../api/field-error.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { ageColumn, integer, nameColumn, selectorText, templateColumns, wide } from './columns.ts';
import { bumpGeneration, keep, startGeneration } from './generation.ts';
import { defaultPodSpec } from './pod-defaults.ts';
import { templateWarnings, workloadWarnings } from './pod-warnings.ts';
import { serve } from './resource.ts';
import { nonNegativeErrors, scaleOf, validateStatusCounts, workloadSelectorErrors, workloadTemplateErrors } from './workloads.ts';

export function validateReplicaSet({ spec }: ReplicaSet): FieldError[] {
  const errors: FieldError[] = [];
  nonNegativeErrors(spec?.replicas, 'spec.replicas', errors);
  nonNegativeErrors(spec?.minReadySeconds, 'spec.minReadySeconds', errors);
  workloadSelectorErrors(spec?.selector, 'deployment', errors);
  workloadTemplateErrors(spec?.template, spec?.selector, 'ReplicaSet', errors);
  return errors;
}

const parts = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'];

export const replicaSetResource = serve(replicaSets, {
  fields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  defaults({ spec }) {
    if (!spec) return;
    spec.replicas ??= 1;
    if (spec.template?.spec) defaultPodSpec(spec.template.spec);
  },
  beforeCreate(replicaSet) {
    startGeneration(replicaSet);
    replicaSet.status = { replicas: 0 };
  },
  beforeUpdate(replicaSet, old) {
    keep(replicaSet, old, 'status');
    bumpGeneration(replicaSet, old);
  },
  validate: validateReplicaSet,
  warningsOf: workloadWarnings(({ spec }) => templateWarnings(spec?.template, 'spec.template')),
  validateUpdate: (replicaSet, old) => [
    ...validateReplicaSet(replicaSet),
    ...immutableErrors('spec.selector', replicaSet.spec?.selector, old.spec?.selector),
  ],
  status: {
    beforeUpdate: (replicaSet, old) => keep(replicaSet, old, 'spec'),
    validateUpdate: validateStatusCounts<ReplicaSet>(['replicas', ...parts, 'observedGeneration'], parts),
  },
  scale: scaleOf(),
  columns: [
    nameColumn(),
    integer('Desired', 'How many pods are wanted.', ({ spec }) => spec?.replicas),
    integer('Current', 'How many pods there are.', ({ status }) => status?.replicas),
    integer('Ready', 'How many pods are ready.', ({ status }) => status?.readyReplicas),
    ageColumn(),
    ...templateColumns<ReplicaSet>(({ spec }) => spec?.template),
    wide('Selector', 'The labels of its pods.', ({ spec }) => selectorText(spec?.selector)),
  ],
});
