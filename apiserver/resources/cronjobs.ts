// Cron jobs: jobs made from a template on a schedule.

import { type CronJob, cronJobs } from '../../api/batch.ts';
import { parseSchedule, ScheduleError } from '../../api/cron-schedule.ts';
import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import { ageColumn, ageOf, integer, nameColumn, selectorText, templateColumns, text, wide } from './columns.ts';
import { bumpGeneration, keep, startGeneration } from './generation.ts';
import { defaultJobTemplate, jobSpecErrors } from './jobs.ts';
import { choiceErrors } from './pod-containers.ts';
import { jobWarnings, workloadWarnings } from './pod-warnings.ts';
import { serve } from './resource.ts';
import { nonNegativeErrors } from './workloads.ts';

export function defaultCronJob({ spec }: CronJob): void {
  if (!spec) return;
  spec.concurrencyPolicy ||= 'Allow';
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
  if (spec.jobTemplate?.spec) defaultJobTemplate(spec.jobTemplate.spec);
}

/** The longest name, so that the jobs' names, eleven characters longer, still fit a label. */
const nameLengthMax = 52;

export function validateCronJob(cronJob: CronJob): FieldError[] {
  const errors = validateCronJobUpdate(cronJob, cronJob);
  const name = cronJob.metadata?.name ?? '';
  if (name.length > nameLengthMax) errors.push(invalid('metadata.name', name, `must be no more than ${nameLengthMax} characters`));
  return errors;
}

/** A time zone in the schedule itself was once let pass, and still is when it does not change. */
export function validateCronJobUpdate({ spec }: CronJob, old: CronJob): FieldError[] {
  const errors: FieldError[] = [];
  const schedule = spec?.schedule ?? '';
  if (!schedule) errors.push(required('spec.schedule'));
  else scheduleErrors(schedule, errors, old.spec?.schedule === schedule && old.spec !== spec);
  if (spec?.timeZone !== undefined) timeZoneErrors(spec.timeZone, errors);
  nonNegativeErrors(spec?.startingDeadlineSeconds, 'spec.startingDeadlineSeconds', errors);
  choiceErrors(spec?.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy', errors);
  nonNegativeErrors(spec?.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit', errors);
  nonNegativeErrors(spec?.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit', errors);
  const at = 'spec.jobTemplate.spec';
  const job = spec?.jobTemplate?.spec;
  if (!job) {
    errors.push(required(`${at}.template.spec.containers`));
    return errors;
  }
  jobSpecErrors(job, at, errors);
  if (job.selector) errors.push(invalid(`${at}.selector`, job.selector, '`selector` will be auto-generated'));
  if (job.manualSelector) errors.push(notSupported(`${at}.manualSelector`, job.manualSelector, ['nil', 'false']));
  return errors;
}

function scheduleErrors(schedule: string, errors: FieldError[], isUnchanged: boolean): void {
  const zone = /^(?:CRON_)?TZ=\S*\s*/.exec(schedule)?.[0] ?? '';
  if (schedule.includes('TZ') && zone && !isUnchanged)
    errors.push(invalid('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'));
  try {
    parseSchedule(schedule.slice(zone.length));
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error;
    errors.push(invalid('spec.schedule', schedule, error.message));
  }
}

function timeZoneErrors(timeZone: string, errors: FieldError[]): void {
  const at = 'spec.timeZone';
  if (timeZone === '') errors.push(invalid(at, timeZone, 'timeZone must be nil or non-empty string'));
  else if (timeZone.toLowerCase() === 'local')
    errors.push(invalid(at, timeZone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'));
  else if (!isTimeZone(timeZone)) errors.push(invalid(at, timeZone, `unknown time zone ${timeZone}`));
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return !/^[+-]/.test(name);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

const ofJobs = workloadWarnings<CronJob>(({ spec }) => jobWarnings(spec?.jobTemplate.spec, 'spec.jobTemplate.spec'));
/** The path is Kubernetes' own. */
const timeZoneWarning =
  'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details';

export const cronJobResource = serve(cronJobs, {
  defaults: defaultCronJob,
  beforeCreate(cronJob) {
    startGeneration(cronJob);
    cronJob.status = {};
  },
  beforeUpdate(cronJob, old) {
    keep(cronJob, old, 'status');
    bumpGeneration(cronJob, old);
  },
  validate: validateCronJob,
  warningsOf: (cronJob, old) => [
    ...ofJobs(cronJob, old),
    // A new one cannot have it.
    ...(old && cronJob.spec?.schedule?.includes('TZ') ? [timeZoneWarning] : []),
  ],
  validateUpdate: validateCronJobUpdate,
  status: { beforeUpdate: (cronJob, old) => keep(cronJob, old, 'spec'), validateUpdate: () => [] },
  columns: [
    nameColumn(),
    text('Schedule', 'When its jobs start.', ({ spec }) => spec?.schedule ?? ''),
    text('Timezone', 'The time zone of the schedule.', ({ spec }) => spec?.timeZone ?? '<none>'),
    { ...text<CronJob>('Suspend', 'Whether no more jobs are started.', ({ spec }) => (spec?.suspend ? 'True' : 'False')), type: 'boolean' },
    integer('Active', 'How many of its jobs run now.', ({ status }) => status?.active?.length),
    text('Last Schedule', 'Time since a job was last started.', ({ status }, nowMs) =>
      status?.lastScheduleTime ? ageOf(status.lastScheduleTime, nowMs) : '<none>',
    ),
    ageColumn(),
    ...templateColumns<CronJob>(({ spec }) => spec?.jobTemplate?.spec?.template),
    wide('Selector', 'The labels of its pods.', ({ spec }) => selectorText(spec?.jobTemplate?.spec?.selector)),
  ],
});
