// Stateful sets: pods with names that stay, each with claims of its own.

import { type StatefulSet, statefulSets } from '../../api/apps.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import { eachAt } from '../../api/validation/each.ts';
import { dns1123LabelProblems } from '../../api/validation/formats.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { claimSpecErrors } from './claim-spec.ts';
import { ageColumn, nameColumn, templateColumns, text } from './columns.ts';
import { bumpGeneration, keep, startGeneration } from './generation.ts';
import { defaultPodSpec } from './pod-defaults.ts';
import { claimSpecWarnings, templateWarnings } from './pod-warnings.ts';
import { serve } from './resource.ts';
import { defaultResources } from './resource-lists.ts';
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

type Spec = NonNullable<StatefulSet['spec']>;

export function defaultStatefulSet({ spec }: StatefulSet): void {
  if (!spec) return;
  if (spec.template?.spec) defaultPodSpec(spec.template.spec);
  spec.podManagementPolicy ||= 'OrderedReady';
  spec.updateStrategy ??= {};
  if (!spec.updateStrategy.type) {
    spec.updateStrategy.type = 'RollingUpdate';
    spec.updateStrategy.rollingUpdate ??= {};
  }
  if (spec.updateStrategy.type === 'RollingUpdate' && spec.updateStrategy.rollingUpdate) spec.updateStrategy.rollingUpdate.partition ??= 0;
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain';
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain';
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.apiVersion ??= 'v1';
    claim.kind ??= 'PersistentVolumeClaim';
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
    claim.spec ??= {};
    claim.spec.volumeMode ??= 'Filesystem';
    defaultResources(claim.spec.resources);
  }
}

export function validateStatefulSet({ spec }: StatefulSet): FieldError[] {
  const errors: FieldError[] = [];
  const policy = spec?.podManagementPolicy;
  if (!policy) errors.push(required('spec.podManagementPolicy'));
  else if (policy !== 'OrderedReady' && policy !== 'Parallel')
    errors.push(invalid('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"));
  strategyErrors(spec?.updateStrategy, errors);
  retentionErrors(spec, errors);
  nonNegativeErrors(spec?.replicas, 'spec.replicas', errors);
  nonNegativeErrors(spec?.minReadySeconds, 'spec.minReadySeconds', errors);

  nonNegativeErrors(spec?.ordinals?.start, 'spec.ordinals.start', errors);
  if (spec?.serviceName)
    for (const problem of dns1123LabelProblems(spec.serviceName)) errors.push(invalid('spec.serviceName', spec.serviceName, problem));
  workloadSelectorErrors(spec?.selector, 'statefulset', errors);
  workloadTemplateErrors(withClaims(spec), spec?.selector, 'StatefulSet', errors);
  eachAt(spec?.volumeClaimTemplates, 'spec.volumeClaimTemplates', (claim, at) => {
    if (!claim.metadata?.name) errors.push(required(`${at}.metadata.name`));
    else
      for (const problem of dns1123LabelProblems(claim.metadata.name))
        errors.push(invalid(`${at}.metadata.name`, claim.metadata.name, problem));
    claimSpecErrors(claim.spec ?? {}, `${at}.spec`, errors);
  });
  return errors;
}

/** The template with a volume for each claim, as its pods will have it. */
function withClaims(spec: Spec | undefined): Spec['template'] | undefined {
  if (!spec?.template?.spec || !spec.volumeClaimTemplates?.length) return spec?.template;
  const names = spec.volumeClaimTemplates.flatMap(({ metadata }) => (metadata?.name ? [metadata.name] : []));
  const volumes = (spec.template.spec.volumes ?? []).filter(({ name }) => !names.includes(name));
  const claims = names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  return { ...spec.template, spec: { ...spec.template.spec, volumes: [...volumes, ...claims] } };
}

function strategyErrors(strategy: Spec['updateStrategy'], errors: FieldError[]): void {
  const at = 'spec.updateStrategy';
  const { type, rollingUpdate } = strategy ?? {};
  if (!type) errors.push(required(at));
  else if (type === 'OnDelete') {
    if (rollingUpdate) errors.push(invalid(`${at}.rollingUpdate`, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"));
  } else if (type !== 'RollingUpdate') errors.push(invalid(at, strategy, "must be 'RollingUpdate' or 'OnDelete'"));
  else if (rollingUpdate) {
    nonNegativeErrors(rollingUpdate.partition, `${at}.rollingUpdate.partition`, errors);
    const { maxUnavailable } = rollingUpdate;
    if (maxUnavailable === undefined) return;
    const each = `${at}.rollingUpdate.maxUnavailable`;
    intOrPercentErrors(maxUnavailable, each, errors);
    if (amountOf(maxUnavailable) === 0) errors.push(invalid(each, maxUnavailable, 'cannot be 0'));
    moreThanAllErrors(maxUnavailable, each, errors);
  }
}

function retentionErrors(spec: Spec | undefined, errors: FieldError[]): void {
  const policy = spec?.persistentVolumeClaimRetentionPolicy;
  const at = 'spec.persistentVolumeClaimRetentionPolicy';
  if (!policy) return;
  for (const field of ['whenDeleted', 'whenScaled'] as const) {
    const value = policy[field] ?? '';
    if (value !== 'Retain' && value !== 'Delete') errors.push(notSupported(`${at}.${field}`, value, ['Retain', 'Delete']));
  }
}

const mutableFields = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;

export function validateStatefulSetUpdate(statefulSet: StatefulSet, old: StatefulSet): FieldError[] {
  const errors = validateStatefulSet(statefulSet);
  const fixed = (spec: Spec | undefined) => {
    const rest: Partial<Spec> = { ...spec };
    for (const field of mutableFields) delete rest[field];
    return rest;
  };
  if (!semanticEqual(fixed(statefulSet.spec), fixed(old.spec)))
    errors.push(
      forbidden(
        'spec',
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ),
    );
  return errors;
}

const counts = [
  'replicas',
  'readyReplicas',
  'availableReplicas',
  'currentReplicas',
  'updatedReplicas',
  'observedGeneration',
  'collisionCount',
];
const parts = ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'];

/** Of its template only when what is wanted changes, of the rest at every write. */
function statefulSetWarnings({ metadata, spec }: StatefulSet, old: StatefulSet | undefined): string[] {
  const isSame = old && old.metadata?.generation === metadata?.generation;
  // Kubernetes' own paths: without the spec when it is made, with another when it changes.
  const claimAt = (index: number) => `spec.volumeClaimTemplates[${index}]${old ? '.Spec' : ''}`;
  return [
    ...(isSame ? [] : templateWarnings(spec?.template, 'spec.template')),
    ...(spec?.volumeClaimTemplates ?? []).flatMap((claim, index) => claimSpecWarnings(claim.spec, claimAt(index))),
    ...((spec?.revisionHistoryLimit ?? 0) < 0
      ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended']
      : []),
  ];
}

export const statefulSetResource = serve(statefulSets, {
  defaults: defaultStatefulSet,
  beforeCreate(statefulSet) {
    startGeneration(statefulSet);
    statefulSet.status = { replicas: 0, availableReplicas: 0 };
  },
  beforeUpdate(statefulSet, old) {
    keep(statefulSet, old, 'status');
    bumpGeneration(statefulSet, old);
  },
  validate: validateStatefulSet,
  warningsOf: statefulSetWarnings,
  validateUpdate: validateStatefulSetUpdate,
  status: {
    beforeUpdate: (statefulSet, old) => keep(statefulSet, old, 'spec'),
    validateUpdate: validateStatusCounts<StatefulSet>(counts, parts),
  },
  scale: scaleOf(),
  columns: [
    nameColumn(),
    text('Ready', 'How many pods are ready, of how many.', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    ageColumn(),
    ...templateColumns<StatefulSet>(({ spec }) => spec?.template),
  ],
});
