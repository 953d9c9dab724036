// The rules of metav1.LabelSelector objects, after k8s.io/apimachinery/pkg/apis/meta/v1/validation.

import { type FieldError, forbidden, invalid, required } from '../field-error.ts';
import type { LabelSelector } from '../labels.ts';
import { labelValueProblems, qualifiedNameProblems } from './formats.ts';
import { labelsErrors } from './object-meta.ts';

/** Adds the problems of `selector`; a selector left out has none. */
export function labelSelectorErrors(selector: LabelSelector | undefined, at: string, errors: FieldError[]): void {
  if (!selector) return;
  labelsErrors(selector.matchLabels, `${at}.matchLabels`, errors);
  selector.matchExpressions?.forEach(({ key = '', operator = '', values = [] }, i) => {
    const each = `${at}.matchExpressions[${i}]`;
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) errors.push(required(`${each}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) errors.push(forbidden(`${each}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else errors.push(invalid(`${each}.operator`, operator, 'not a valid selector operator'));
    for (const problem of qualifiedNameProblems(key)) errors.push(invalid(`${each}.key`, key, problem));
    values.forEach((value, j) => {
      for (const problem of labelValueProblems(value)) errors.push(invalid(`${each}.values[${j}]`, value, problem));
    });
  });
}

/** Whether a selector selects everything. */
export function isEmptySelector(selector: LabelSelector | undefined): boolean {
  return !selector || (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions?.length ?? 0) === 0);
}
