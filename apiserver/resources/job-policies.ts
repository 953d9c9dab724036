// The rules of when a job counts as failed or done before all its pods have run: pod failure, success and
// replacement policies, and who manages it.

import type { JobSpec } from '../../api/batch.ts';
import { duplicate, type FieldError, invalid, notSupported, required, tooMany } from '../../api/field-error.ts';
import { eachAt } from '../../api/validation/each.ts';
import { dns1123SubdomainProblems, httpPathProblems, qualifiedNameProblems } from '../../api/validation/formats.ts';
import { choiceErrors } from './pod-containers.ts';

export function jobPolicyErrors(spec: JobSpec, at: string, errors: FieldError[]): void {
  if (spec.podFailurePolicy) failurePolicyErrors(spec, `${at}.podFailurePolicy`, errors);
  if (spec.successPolicy) successPolicyErrors(spec, `${at}.successPolicy`, errors);
  const { podReplacementPolicy, managedBy } = spec;
  if (podReplacementPolicy !== undefined) {
    const supported = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
    if (!supported.includes(podReplacementPolicy)) errors.push(notSupported(`${at}.podReplacementPolicy`, podReplacementPolicy, supported));
  }
  if (managedBy !== undefined) managedByErrors(managedBy, `${at}.managedBy`, errors);
  const isIndexed = spec.completionMode === 'Indexed';
  for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const)
    if (spec[field] !== undefined && !isIndexed) errors.push(invalid(`${at}.${field}`, spec[field], 'requires indexed completion mode'));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    errors.push(required(`${at}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
}

function managedByErrors(value: string, at: string, errors: FieldError[]): void {
  const slash = value.indexOf('/');
  if (!value) errors.push(required(at));
  else if (slash <= 0 || slash === value.length - 1)
    errors.push(invalid(at, value, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  else {
    for (const problem of dns1123SubdomainProblems(value.slice(0, slash))) errors.push(invalid(at, value.slice(0, slash), problem));
    for (const problem of httpPathProblems(value.slice(slash + 1))) errors.push(invalid(at, value.slice(slash + 1), problem));
  }
  if (value.length > 63) errors.push({ type: 'FieldValueTooLong', field: at, message: 'Too long: may not be more than 63 bytes' });
}

const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];

function failurePolicyErrors(spec: JobSpec, at: string, errors: FieldError[]): void {
  const rules = spec.podFailurePolicy?.rules ?? [];
  const names = new Set(
    [...(spec.template?.spec?.containers ?? []), ...(spec.template?.spec?.initContainers ?? [])].map(({ name }) => name),
  );
  if (spec.template?.spec?.restartPolicy !== 'Never')
    errors.push(
      invalid(
        at.replace(/podFailurePolicy$/, 'template.spec.restartPolicy'),
        spec.template?.spec?.restartPolicy ?? '',
        'only "Never" is supported when podFailurePolicy is specified',
      ),
    );
  if (rules.length > 20) errors.push(tooMany(`${at}.rules`, rules.length, 20));
  eachAt(rules, `${at}.rules`, ({ action, onExitCodes, onPodConditions }, each) => {
    choiceErrors(action, actions, `${each}.action`, errors);
    if (onExitCodes) {
      choiceErrors(onExitCodes.operator, ['In', 'NotIn'], `${each}.onExitCodes.operator`, errors);
      exitValuesErrors(onExitCodes, `${each}.onExitCodes`, errors);
      if (onExitCodes.containerName !== undefined && !names.has(onExitCodes.containerName))
        errors.push(
          invalid(
            `${each}.onExitCodes.containerName`,
            onExitCodes.containerName,
            'must be one of the container or initContainer names in the pod template',
          ),
        );
    }
    if (onPodConditions && onPodConditions.length > 20) errors.push(tooMany(`${each}.onPodConditions`, onPodConditions.length, 20));
    eachAt(onPodConditions, `${each}.onPodConditions`, ({ type = '', status }, path) => {
      for (const problem of qualifiedNameProblems(type)) errors.push(invalid(`${path}.type`, type, problem));
      choiceErrors(status, ['False', 'True', 'Unknown'], `${path}.status`, errors);
    });
    if (!onExitCodes && !onPodConditions?.length)
      errors.push(invalid(each, null, 'specifying one of OnExitCodes and OnPodConditions is required'));
    if (onExitCodes && onPodConditions?.length)
      errors.push(invalid(each, null, 'specifying both OnExitCodes and OnPodConditions is not supported'));
  });
}

function exitValuesErrors({ operator, values = [] }: { operator: string; values?: number[] }, at: string, errors: FieldError[]): void {
  if (values.length === 0) errors.push(invalid(`${at}.values`, values, 'at least one value is required'));
  if (values.length > 255) errors.push(tooMany(`${at}.values`, values.length, 255));
  eachAt(values, `${at}.values`, (value, each, i) => {
    if (values.indexOf(value) < i) errors.push(duplicate(each, value));
    else if (i > 0 && value < (values[i - 1] as number)) errors.push(invalid(`${at}.values`, values, 'must be ordered'));
    if (value === 0 && operator === 'In') errors.push(invalid(each, value, 'must not be 0 for the In operator'));
  });
}

function successPolicyErrors(spec: JobSpec, at: string, errors: FieldError[]): void {
  const rules = spec.successPolicy?.rules ?? [];
  if (spec.completionMode !== 'Indexed') errors.push(invalid(at, spec.successPolicy, 'requires indexed completion mode'));
  if (rules.length === 0) errors.push(required(`${at}.rules`, 'at least one rules must be specified when the successPolicy is specified'));
  if (rules.length > 20) errors.push(tooMany(`${at}.rules`, rules.length, 20));
  eachAt(rules, `${at}.rules`, ({ succeededCount, succeededIndexes }, each) => {
    if (succeededCount === undefined && succeededIndexes === undefined)
      errors.push(required(each, 'at least one of succeededCount or succeededIndexes must be specified'));
    if (succeededCount !== undefined && succeededCount <= 0)
      errors.push(invalid(`${each}.succeededCount`, succeededCount, 'must be greater than or equal to 0'));
    if (succeededIndexes !== undefined && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(succeededIndexes))
      errors.push(invalid(`${each}.succeededIndexes`, succeededIndexes, 'error parsing succeededIndexes'));
  });
}
