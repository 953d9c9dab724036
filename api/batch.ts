// The kinds of batch/v1, with their wire types.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type Job = Wire<k.V1Job>;
export type JobSpec = Wire<k.V1JobSpec>;
export type CronJob = Wire<k.V1CronJob>;

const group = 'batch';

export const jobs = defineKind<Job>({ group, kind: 'Job', plural: 'jobs', categories: ['all'] });
export const cronJobs = defineKind<CronJob>({ group, kind: 'CronJob', plural: 'cronjobs', shortNames: ['cj'], categories: ['all'] });
