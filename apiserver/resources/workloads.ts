// The rules that the kinds of apps/v1 share: selectors and templates that fit, amounts given as numbers or percents,
// counts in a status.

import type { PodTemplateSpec } from '../../api/core.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import { formatSelector, type LabelSelector, SelectorError, selectorMatches, selectorOf } from '../../api/labels.ts';
import { percentProblems } from '../../api/validation/formats.ts';
import { isEmptySelector, labelSelectorErrors } from '../../api/validation/label-selector.ts';
import { negativeMessage } from '../../api/validation/object-meta.ts';
import type { KubeObject } from '../../api/wire.ts';
import { podTemplateErrors } from './pod-spec.ts';
import type { ResourceDeclaration } from './resource.ts';

/** Adds the problem of a number below zero. */
export function nonNegativeErrors(value: number | undefined, at: string, errors: FieldError[]): void {
  if (value !== undefined && value < 0) errors.push(invalid(at, value, negativeMessage));
}

/** Adds the problems of a workload's selector. `kind` is the word in the message, not always the kind's own. */
export function workloadSelectorErrors(selector: LabelSelector | undefined, kind: string, errors: FieldError[]): void {
  if (!selector) {
    errors.push(required('spec.selector'));
    return;
  }
  labelSelectorErrors(selector, 'spec.selector', errors);
  if (isEmptySelector(selector)) errors.push(invalid('spec.selector', selector, `empty selector is invalid for ${kind}`));
}

/** Adds the problems of a workload's template: its labels against the selector, its pods, and that they restart always. */
export function workloadTemplateErrors(
  template: PodTemplateSpec | undefined,
  selector: LabelSelector | undefined,
  kind: string,
  errors: FieldError[],
): void {
  const at = 'spec.template';
  const { metadata = {}, spec } = template ?? {};
  try {
    const requirements = selectorOf(selector);
    if (requirements?.length && !selectorMatches(requirements, metadata.labels))
      errors.push(invalid(`${at}.metadata.labels`, metadata.labels, '`selector` does not match template `labels`'));
  } catch (error) {
    // An operator that does not exist is reported with the selector itself.
    if (!(error instanceof SelectorError)) throw error;
  }
  podTemplateErrors(template ?? {}, at, errors);
  if (spec?.restartPolicy && spec.restartPolicy !== 'Always')
    errors.push(notSupported(`${at}.spec.restartPolicy`, spec.restartPolicy, ['Always']));
  if (spec?.activeDeadlineSeconds !== undefined)
    errors.push(forbidden(`${at}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${kind} is not Supported`));
}

/** A number of pods, or a percent of them. */
export type IntOrPercent = number | string;

/** The number itself, whether it counts pods or percents; text that is no percent is 0. */
export function amountOf(value: IntOrPercent | undefined): number {
  if (typeof value === 'number') return value;
  return percentProblems(value ?? '').length ? 0 : Number.parseInt(value as string, 10);
}

export function intOrPercentErrors(value: IntOrPercent | undefined, at: string, errors: FieldError[]): void {
  if (typeof value === 'string') for (const problem of percentProblems(value)) errors.push(invalid(at, value, problem));
  else nonNegativeErrors(value, at, errors);
}

/** Adds the problem of more than all pods. */
export function moreThanAllErrors(value: IntOrPercent | undefined, at: string, errors: FieldError[]): void {
  if (typeof value === 'string' && amountOf(value) > 100) errors.push(invalid(at, value, 'must not be greater than 100%'));
}

interface Counted extends KubeObject {
  status?: object;
}

/**
 * The `validateUpdate` of a workload's status: `counts` may not be negative, `parts` not be more than `replicas`, and
 * collisions of names not become fewer.
 */
export function validateStatusCounts<T extends Counted>(
  counts: readonly string[],
  parts: readonly string[] = [],
): (now: T, old: T) => FieldError[] {
  return ({ status }, old) => {
    const errors: FieldError[] = [];
    const countIn = (of: object | undefined, field: string) => Number((of as Record<string, unknown> | undefined)?.[field] ?? 0);
    const value = (field: string) => countIn(status, field);
    for (const field of counts) nonNegativeErrors(value(field), `status.${field}`, errors);
    for (const field of parts)
      if (value(field) > value('replicas')) errors.push(invalid(`status.${field}`, value(field), 'cannot be greater than status.replicas'));
    if (parts.includes('availableReplicas') && value('availableReplicas') > value('readyReplicas'))
      errors.push(invalid('status.availableReplicas', value('availableReplicas'), 'cannot be greater than readyReplicas'));
    if (counts.includes('collisionCount') && value('collisionCount') < countIn(old.status, 'collisionCount'))
      errors.push(invalid('status.collisionCount', value('collisionCount'), 'cannot be decremented'));
    return errors;
  };
}

interface Scaled extends KubeObject {
  spec?: { replicas?: number; selector?: LabelSelector };
  status?: { replicas?: number };
}

/** The scale subresource of a kind with `spec.replicas`, `status.replicas` and a label selector. */
export function scaleOf<T extends Scaled>(): NonNullable<ResourceDeclaration<T>['scale']> {
  return {
    specReplicas: (object) => object.spec?.replicas ?? 0,
    setReplicas(object, replicas) {
      object.spec = { ...object.spec, replicas };
    },
    statusReplicas: (object) => object.status?.replicas ?? 0,
    selector: (object) => formatSelector(selectorOf(object.spec?.selector) ?? []),
  };
}
