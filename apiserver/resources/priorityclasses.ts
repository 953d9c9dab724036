// Priority classes: names for how important a pod is.

import { type FieldError, forbidden } from '../../api/field-error.ts';
import { type PriorityClass, priorityClasses } from '../../api/scheduling.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { ageColumn, integer, nameColumn, text } from './columns.ts';
import { choiceErrors } from './pod-containers.ts';
import { serve } from './resource.ts';

/** The highest priority that is not the system's own. */
const userPriorityMax = 1_000_000_000;
const systemClasses: Record<string, number> = { 'system-node-critical': 2_000_001_000, 'system-cluster-critical': 2_000_000_000 };

export function validatePriorityClass({ metadata, value = 0, globalDefault, preemptionPolicy }: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  const name = metadata?.name ?? '';
  if (name.startsWith('system-')) {
    if (systemClasses[name] !== value || globalDefault)
      errors.push(
        forbidden(
          'metadata.name',
          `priority class names with 'system-' prefix are reserved for system use only. error: ${name} is not a known system priority class`,
        ),
      );
  } else if (value > userPriorityMax)
    errors.push(forbidden('value', `maximum allowed value of a user defined priority is ${userPriorityMax}`));
  if (preemptionPolicy !== undefined) choiceErrors(preemptionPolicy, ['PreemptLowerPriority', 'Never'], 'preemptionPolicy', errors);
  return errors;
}

export const priorityClassResource = serve(priorityClasses, {
  defaults(priorityClass) {
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority';
  },
  validate: validatePriorityClass,
  validateUpdate(priorityClass, old) {
    const errors: FieldError[] = [];
    if ((priorityClass.value ?? 0) !== (old.value ?? 0)) errors.push(forbidden('value', 'may not be changed in an update.'));
    errors.push(...immutableErrors('preemptionPolicy', priorityClass.preemptionPolicy, old.preemptionPolicy));
    return errors;
  },
  columns: [
    nameColumn(),
    integer('Value', 'The priority of its pods.', ({ value }) => value),
    {
      ...text<PriorityClass>('Global-Default', 'Whether pods without a class have this one.', () => ''),
      type: 'boolean',
      cell: (c) => c.globalDefault ?? false,
    },
    ageColumn(),
    text('PreemptionPolicy', 'Whether its pods may push others away.', ({ preemptionPolicy }) => preemptionPolicy ?? ''),
  ],
});
