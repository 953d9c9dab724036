// Pod disruption budgets: how many pods of a set may be evicted at once.

import { type FieldError, invalid } from '../../api/field-error.ts';
import { podDisruptionBudgets } from '../../api/policy.ts';
import { labelSelectorErrors } from '../../api/validation/label-selector.ts';
import { ageColumn, integer, nameColumn, text } from './columns.ts';
import { bumpGeneration, keep, startGeneration } from './generation.ts';
import { enumErrors } from './pod-security.ts';
import { serve } from './resource.ts';
import { intOrPercentErrors, moreThanAllErrors, nonNegativeErrors } from './workloads.ts';

export const podDisruptionBudgetResource = serve(podDisruptionBudgets, {
  beforeCreate(budget) {
    startGeneration(budget);
    budget.status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
  },
  beforeUpdate(budget, old) {
    keep(budget, old, 'status');
    bumpGeneration(budget, old);
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = spec ?? {};
    if (minAvailable !== undefined && maxUnavailable !== undefined)
      errors.push(invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
    for (const [field, value] of [
      ['minAvailable', minAvailable],
      ['maxUnavailable', maxUnavailable],
    ] as const) {
      intOrPercentErrors(value, `spec.${field}`, errors);
      moreThanAllErrors(value, `spec.${field}`, errors);
    }
    labelSelectorErrors(selector, 'spec.selector', errors);
    enumErrors(unhealthyPodEvictionPolicy, ['AlwaysAllow', 'IfHealthyBudget'], 'spec.unhealthyPodEvictionPolicy', errors);
    return errors;
  },
  status: {
    beforeUpdate: (budget, old) => keep(budget, old, 'spec'),
    validateUpdate({ status }) {
      const errors: FieldError[] = [];
      for (const field of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const)
        nonNegativeErrors(status?.[field], `status.${field}`, errors);
      return errors;
    },
  },
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn(),
    text('Min Available', 'How many pods must stay.', ({ spec }) => String(spec?.minAvailable ?? 'N/A')),
    text('Max Unavailable', 'How many pods may be away.', ({ spec }) => String(spec?.maxUnavailable ?? 'N/A')),
    integer('Allowed Disruptions', 'How many pods may be evicted now.', ({ status }) => status?.disruptionsAllowed),
    ageColumn(),
  ],
});
