// Daemon sets: a pod on every node that fits.

import { type DaemonSet, daemonSets } from '../../api/apps.ts';
import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { ageColumn, integer, labelsText, nameColumn, selectorText, templateColumns, text, wide } from './columns.ts';
import { bumpGeneration, keep, startGeneration } from './generation.ts';
import { defaultPodSpec } from './pod-defaults.ts';
import { templateWarnings, workloadWarnings } from './pod-warnings.ts';
import { serve } from './resource.ts';
import {
  amountOf,
  intOrPercentErrors,
  moreThanAllErrors,
  nonNegativeErrors,
  validateStatusCounts,
  workloadSelectorErrors,
  workloadTemplateErrors,
} from './workloads.ts';

export function defaultDaemonSet({ spec }: DaemonSet): void {
  if (!spec) return;
  if (spec.template?.spec) defaultPodSpec(spec.template.spec);
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
}

export function validateDaemonSet({ spec }: DaemonSet): FieldError[] {
  const errors: FieldError[] = [];
  workloadSelectorErrors(spec?.selector, 'daemonset', errors);
  workloadTemplateErrors(spec?.template, spec?.selector, 'DaemonSet', errors);
  nonNegativeErrors(spec?.minReadySeconds, 'spec.minReadySeconds', errors);
  strategyErrors(spec?.updateStrategy, errors);
  nonNegativeErrors(spec?.revisionHistoryLimit, 'spec.revisionHistoryLimit', errors);
  return errors;
}

function strategyErrors(strategy: NonNullable<DaemonSet['spec']>['updateStrategy'], errors: FieldError[]): void {
  const at = 'spec.updateStrategy';
  if (strategy?.type === 'OnDelete') return;
  if (strategy?.type !== 'RollingUpdate') {
    errors.push(notSupported(at, strategy, ['RollingUpdate', 'OnDelete']));
    return;
  }
  if (!strategy.rollingUpdate) {
    errors.push(required(`${at}.rollingUpdate`));
    return;
  }
  const { maxUnavailable, maxSurge } = strategy.rollingUpdate;
  const each = `${at}.rollingUpdate`;
  for (const [name, value] of [
    ['maxUnavailable', maxUnavailable],
    ['maxSurge', maxSurge],
  ] as const) {
    intOrPercentErrors(value, `${each}.${name}`, errors);
    moreThanAllErrors(value, `${each}.${name}`, errors);
  }
  const isUnavailable = amountOf(maxUnavailable) !== 0;
  const isSurging = amountOf(maxSurge) !== 0;
  if (isUnavailable && isSurging) errors.push(invalid(`${each}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  if (!isUnavailable && !isSurging) errors.push(required(`${each}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
}

const counts = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
];
const templateGeneration = 'deprecated.daemonset.template.generation';

/** What older versions kept in spec.templateGeneration. */
function setTemplateGeneration(daemonSet: DaemonSet, generation: number): void {
  daemonSet.metadata ??= {};
  daemonSet.metadata.annotations = { ...daemonSet.metadata.annotations, [templateGeneration]: String(generation) };
}

export const daemonSetResource = serve(daemonSets, {
  defaults: defaultDaemonSet,
  beforeCreate(daemonSet) {
    startGeneration(daemonSet);
    setTemplateGeneration(daemonSet, 1);
    daemonSet.status = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };
  },
  beforeUpdate(daemonSet, old) {
    keep(daemonSet, old, 'status');
    bumpGeneration(daemonSet, old);
    const generation = Number(old.metadata?.annotations?.[templateGeneration] ?? 1);
    setTemplateGeneration(daemonSet, semanticEqual(daemonSet.spec?.template, old.spec?.template) ? generation : generation + 1);
  },
  validate: validateDaemonSet,
  warningsOf: workloadWarnings(({ spec }) => templateWarnings(spec?.template, 'spec.template'), { ofName: false }),
  validateUpdate: (daemonSet, old) => [
    ...validateDaemonSet(daemonSet),
    ...immutableErrors('spec.selector', daemonSet.spec?.selector, old.spec?.selector),
  ],
  status: {
    beforeUpdate: (daemonSet, old) => keep(daemonSet, old, 'spec'),
    validateUpdate: validateStatusCounts<DaemonSet>(counts),
  },
  columns: [
    nameColumn(),
    integer('Desired', 'How many nodes should run its pod.', ({ status }) => status?.desiredNumberScheduled),
    integer('Current', 'How many nodes that should run its pod do.', ({ status }) => status?.currentNumberScheduled),
    integer('Ready', 'On how many of them the pod is ready.', ({ status }) => status?.numberReady),
    integer('Up-to-date', 'On how many of them the pod is of the latest template.', ({ status }) => status?.updatedNumberScheduled),
    integer('Available', 'On how many of them the pod has been ready long enough.', ({ status }) => status?.numberAvailable),
    text('Node Selector', 'The labels of the nodes it runs on.', ({ spec }) => labelsText(spec?.template?.spec?.nodeSelector)),
    ageColumn(),
    ...templateColumns<DaemonSet>(({ spec }) => spec?.template),
    wide('Selector', 'The labels of its pods.', ({ spec }) => selectorText(spec?.selector)),
  ],
});
