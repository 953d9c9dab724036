// Jobs: pods that run until enough of them have succeeded. Unless asked not to, the server makes a selector of
// the job's own uid, so that no two jobs share pods.

import { type Job, type JobSpec, jobs } from '../../api/batch.ts';
import { isConditionTrue } from '../../api/conditions.ts';
import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import { SelectorError, selectorMatches, selectorOf } from '../../api/labels.ts';
import { labelSelectorErrors } from '../../api/validation/label-selector.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { ageColumn, humanDuration, nameColumn, selectorText, templateColumns, text, wide } from './columns.ts';
import { bumpGeneration, keep, startGeneration } from './generation.ts';
import { jobPolicyErrors } from './job-policies.ts';
import { defaultPodSpec } from './pod-defaults.ts';
import { podTemplateErrors } from './pod-spec.ts';
import { jobWarnings, workloadWarnings } from './pod-warnings.ts';
import { serve } from './resource.ts';
import { nonNegativeErrors } from './workloads.ts';

const uidLabel = 'batch.kubernetes.io/controller-uid';
const nameLabel = 'batch.kubernetes.io/job-name';
const legacyUidLabel = 'controller-uid';
const legacyNameLabel = 'job-name';

export function defaultJob(job: Job): void {
  const { spec } = job;
  if (!spec) return;
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex !== undefined ? 2147483647 : 6;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
  defaultJobTemplate(spec);
  const labels = spec.template?.metadata?.labels;
  if (!labels) return;
  job.metadata ??= {};
  if (Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = { ...labels };
}

/** What is set in the jobs of cron jobs too. */
export function defaultJobTemplate(spec: JobSpec): void {
  if (spec.template?.spec) defaultPodSpec(spec.template.spec);
  for (const rule of spec.podFailurePolicy?.rules ?? []) for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True';
}

/** Gives the job a selector and its pods the labels that go with it. */
function generateSelector({ metadata, spec }: Job): void {
  if (!spec?.template || spec.manualSelector) return;
  const uid = metadata?.uid ?? '';
  const name = metadata?.name ?? '';
  spec.template.metadata ??= {};
  const labels = { ...spec.template.metadata.labels };
  for (const key of [uidLabel, legacyUidLabel]) labels[key] ??= uid;
  for (const key of [nameLabel, legacyNameLabel]) labels[key] ??= name;
  spec.template.metadata.labels = labels;
  spec.selector ??= {};
  spec.selector.matchLabels = { ...spec.selector.matchLabels };
  spec.selector.matchLabels[uidLabel] ??= uid;
}

export function validateJob(job: Job): FieldError[] {
  const errors: FieldError[] = [];
  const { spec } = job;
  generatedSelectorErrors(job, errors);
  if (!spec) return [required('spec.template.spec.containers')];
  jobSpecErrors(spec, 'spec', errors);
  if (!spec.selector) errors.push(required('spec.selector'));
  else labelSelectorErrors(spec.selector, 'spec.selector', errors);
  const labels = spec.template?.metadata?.labels;
  if (matches(job, labels) === false)
    errors.push(invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'));
  return errors;
}

/** Undefined when the selector cannot be read, which is told elsewhere. */
function matches({ spec }: Job, labels: Readonly<Record<string, string>> | undefined): boolean | undefined {
  try {
    const selector = selectorOf(spec?.selector);
    return selector ? selectorMatches(selector, labels) : false;
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}

function generatedSelectorErrors(job: Job, errors: FieldError[]): void {
  const { metadata, spec } = job;
  if (spec?.manualSelector || !spec?.selector) return;
  const uid = metadata?.uid ?? '';
  if (!uid) errors.push(required('metadata.uid'));
  const expected: Record<string, string> = {
    [uidLabel]: uid,
    [legacyUidLabel]: uid,
    [nameLabel]: metadata?.name ?? '',
    [legacyNameLabel]: metadata?.name ?? '',
  };
  const labels = spec.template?.metadata?.labels ?? {};
  for (const key of [legacyUidLabel, legacyNameLabel, uidLabel, nameLabel]) {
    const at = `spec.template.metadata.labels[${key}]`;
    if (!(key in labels)) errors.push(required(at, `must be '${expected[key]}'`));
    else if (labels[key] !== expected[key]) errors.push(invalid(at, labels, `must be '${expected[key]}'`));
  }
  if (matches(job, expected) === false) errors.push(invalid('spec.selector', spec.selector, '`selector` not auto-generated'));
}

const nonNegative = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;

/** Adds the problems of what a job does, except of its selector. */
export function jobSpecErrors(spec: JobSpec, at: string, errors: FieldError[]): void {
  for (const field of nonNegative) nonNegativeErrors(spec[field], `${at}.${field}`, errors);
  const { completionMode, completions, parallelism } = spec;
  if (completionMode !== undefined && completionMode !== 'NonIndexed' && completionMode !== 'Indexed')
    errors.push(notSupported(`${at}.completionMode`, completionMode, ['Indexed', 'NonIndexed']));
  if (completionMode === 'Indexed') {
    if (completions === undefined) errors.push(required(`${at}.completions`, 'when completion mode is Indexed'));
    if ((parallelism ?? 0) > 100_000)
      errors.push(invalid(`${at}.parallelism`, parallelism, 'must be less than or equal to 100000 when completion mode is Indexed'));
  }
  jobPolicyErrors(spec, at, errors);
  podTemplateErrors(spec.template ?? {}, `${at}.template`, errors);
  const policy = spec.template?.spec?.restartPolicy;
  if (policy === 'Always') errors.push(required(`${at}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'));
  else if (policy !== 'OnFailure' && policy !== 'Never')
    errors.push(notSupported(`${at}.template.spec.restartPolicy`, policy ?? '', ['OnFailure', 'Never']));
}

const fixedFields = ['selector', 'completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const;

export function validateJobUpdate(job: Job, old: Job): FieldError[] {
  const errors: FieldError[] = validateJob(job);
  const { spec } = job;
  const oldSpec = old.spec;
  if (!spec || !oldSpec) return errors;
  completionsErrors(spec, oldSpec, errors);
  for (const field of fixedFields) errors.push(...immutableErrors(`spec.${field}`, spec[field], oldSpec[field]));
  // A job that has not begun may still be told where its pods run.
  const isUnbegun = oldSpec.suspend && !old.status?.startTime;
  const template = isUnbegun ? withoutScheduling(spec.template) : spec.template;
  const oldTemplate = isUnbegun ? withoutScheduling(oldSpec.template) : oldSpec.template;
  if (!semanticEqual(template, oldTemplate)) errors.push(...immutableErrors('spec.template', spec.template, oldSpec.template));
  return errors;
}

function completionsErrors(spec: JobSpec, oldSpec: JobSpec, errors: FieldError[]): void {
  if (spec.completions === oldSpec.completions) return;
  if (spec.completionMode !== 'Indexed') errors.push(...immutableErrors('spec.completions', spec.completions, oldSpec.completions));
  else if (spec.completions !== spec.parallelism)
    errors.push(invalid('spec.completions', spec.completions, 'can only be modified in tandem with spec.parallelism'));
}

function withoutScheduling(template: JobSpec['template']): unknown {
  const { nodeSelector: _, affinity: __, tolerations: ___, schedulingGates: ____, ...spec } = template?.spec ?? { containers: [] };
  const { labels: _____, annotations: ______, ...metadata } = template?.metadata ?? {};
  return { metadata, spec };
}

function statusText({ metadata, status }: Job): string {
  for (const type of ['Complete', 'Failed'] as const) if (isConditionTrue(status?.conditions, type)) return type;
  if (metadata?.deletionTimestamp) return 'Terminating';
  for (const type of ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'] as const)
    if (isConditionTrue(status?.conditions, type)) return type;
  return 'Running';
}

function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  return (spec?.parallelism ?? 0) > 1 ? `${succeeded}/1 of ${spec?.parallelism}` : `${succeeded}/1`;
}

function durationText({ status }: Job, nowMs: number): string {
  if (!status?.startTime) return '';
  return humanDuration((status.completionTime ? Date.parse(status.completionTime) : nowMs) - Date.parse(status.startTime));
}

export const jobResource = serve(jobs, {
  fields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
  unknownField: (field) => `field label ${JSON.stringify(field)} not supported for batchv1.Job`,
  defaults: defaultJob,
  beforeCreate(job) {
    startGeneration(job);
    generateSelector(job);
    job.status = {};
  },
  beforeUpdate(job, old) {
    keep(job, old, 'status');
    bumpGeneration(job, old);
  },
  validate: validateJob,
  warningsOf: workloadWarnings(({ spec }) => jobWarnings(spec, 'spec')),
  validateUpdate: validateJobUpdate,
  status: {
    beforeUpdate: (job, old) => keep(job, old, 'spec'),
    validateUpdate({ status }) {
      const errors: FieldError[] = [];
      for (const field of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const)
        nonNegativeErrors(status?.[field], `status.${field}`, errors);
      return errors;
    },
  },
  columns: [
    nameColumn(),
    text('Status', 'How far the job is.', statusText),
    text('Completions', 'How many pods have succeeded, of how many.', completionsText),
    text('Duration', 'How long the job has run or took.', durationText),
    ageColumn(),
    ...templateColumns<Job>(({ spec }) => spec?.template),
    wide('Selector', 'The labels of its pods.', ({ spec }) => selectorText(spec?.selector)),
  ],
});
