// Deployments: replica sets replaced step by step as the pod template changes.

import { type Deployment, deployments } from '../../api/apps.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { ageColumn, integer, nameColumn, selectorText, templateColumns, text, wide } from './columns.ts';
import { bumpGeneration, keep, startGeneration } from './generation.ts';
import { defaultPodSpec } from './pod-defaults.ts';
import { templateWarnings, workloadWarnings } from './pod-warnings.ts';
import { serve } from './resource.ts';
import {
  amountOf,
  intOrPercentErrors,
  moreThanAllErrors,
  nonNegativeErrors,
  scaleOf,
  validateStatusCounts,
  workloadSelectorErrors,
  workloadTemplateErrors,
} from './workloads.ts';

export function defaultDeployment({ spec }: Deployment): void {
  if (!spec) return;
  if (spec.template?.spec) defaultPodSpec(spec.template.spec);
  spec.replicas ??= 1;
  spec.strategy ??= {};
  spec.strategy.type ||= 'RollingUpdate';
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= '25%';
    spec.strategy.rollingUpdate.maxSurge ??= '25%';
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
}

export function validateDeployment({ spec }: Deployment): FieldError[] {
  const errors: FieldError[] = [];
  nonNegativeErrors(spec?.replicas, 'spec.replicas', errors);
  workloadSelectorErrors(spec?.selector, 'deployment', errors);
  workloadTemplateErrors(spec?.template, spec?.selector, 'ReplicaSet', errors);
  strategyErrors(spec?.strategy, errors);
  const { minReadySeconds = 0, revisionHistoryLimit, progressDeadlineSeconds: deadline } = spec ?? {};
  nonNegativeErrors(minReadySeconds, 'spec.minReadySeconds', errors);
  nonNegativeErrors(revisionHistoryLimit, 'spec.revisionHistoryLimit', errors);
  nonNegativeErrors(deadline, 'spec.progressDeadlineSeconds', errors);
  if (deadline !== undefined && deadline <= minReadySeconds)
    errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  return errors;
}

function strategyErrors(strategy: NonNullable<Deployment['spec']>['strategy'], errors: FieldError[]): void {
  const at = 'spec.strategy';
  const { type, rollingUpdate } = strategy ?? {};
  if (type === 'Recreate') {
    if (rollingUpdate) errors.push(forbidden(`${at}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'"));
  } else if (type !== 'RollingUpdate') errors.push(notSupported(at, strategy, ['Recreate', 'RollingUpdate']));
  else if (!rollingUpdate) errors.push(required(`${at}.rollingUpdate`, 'this should be defaulted and never be nil'));
  else {
    const { maxUnavailable, maxSurge } = rollingUpdate;
    const each = `${at}.rollingUpdate`;
    intOrPercentErrors(maxUnavailable, `${each}.maxUnavailable`, errors);
    intOrPercentErrors(maxSurge, `${each}.maxSurge`, errors);
    if (amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0)
      errors.push(invalid(`${each}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
    moreThanAllErrors(maxUnavailable, `${each}.maxUnavailable`, errors);
  }
}

const counts = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'collisionCount',
];
const parts = ['updatedReplicas', 'readyReplicas', 'availableReplicas'];

export const deploymentResource = serve(deployments, {
  defaults: defaultDeployment,
  beforeCreate(deployment) {
    startGeneration(deployment);
    deployment.status = {};
  },
  beforeUpdate(deployment, old) {
    keep(deployment, old, 'status');
    bumpGeneration(deployment, old);
    // The controller reads annotations too, so a change of theirs alone counts as a new generation.
    const { metadata } = deployment;
    if (
      metadata?.generation &&
      metadata.generation === old.metadata?.generation &&
      !semanticEqual(metadata.annotations, old.metadata?.annotations)
    )
      metadata.generation++;
  },
  validate: validateDeployment,
  warningsOf: workloadWarnings(({ spec }) => templateWarnings(spec?.template, 'spec.template')),
  validateUpdate: (deployment, old) => [
    ...validateDeployment(deployment),
    ...immutableErrors('spec.selector', deployment.spec?.selector, old.spec?.selector),
  ],
  status: {
    resets: ['spec', 'metadata.labels'],
    beforeUpdate(deployment, old) {
      keep(deployment, old, 'spec');
      if (deployment.metadata && old.metadata) keep(deployment.metadata, old.metadata, 'labels');
    },
    validateUpdate: validateStatusCounts<Deployment>(counts, parts),
  },
  scale: scaleOf(),
  columns: [
    nameColumn(),
    text('Ready', 'How many pods are ready, of how many.', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    integer('Up-to-date', 'How many pods are of the latest template.', ({ status }) => status?.updatedReplicas),
    integer('Available', 'How many pods have been ready long enough.', ({ status }) => status?.availableReplicas),
    ageColumn(),
    ...templateColumns<Deployment>(({ spec }) => spec?.template),
    wide('Selector', 'The labels of its pods.', ({ spec }) => selectorText(spec?.selector)),
  ],
});
