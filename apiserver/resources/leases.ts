// Leases: who holds a role and until when; nodes' heartbeats and leader elections are written in them.

import { type Lease, leases } from '../../api/core.ts';
import { type FieldError, invalid, required } from '../../api/field-error.ts';
import { qualifiedNameProblems } from '../../api/validation/formats.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { serve } from './resource.ts';

export function validateLease({ spec }: Lease): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  const { leaseDurationSeconds, leaseTransitions, strategy, preferredHolder } = spec;
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0)
    errors.push(invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'));
  if (leaseTransitions !== undefined && leaseTransitions < 0)
    errors.push(invalid('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0'));
  if (strategy !== undefined && strategy !== 'OldestEmulationVersion')
    for (const problem of qualifiedNameProblems(strategy)) errors.push(invalid('spec.strategy', strategy, problem));
  if (preferredHolder && !strategy) errors.push(required('spec.strategy', 'must be specified when `spec.preferredHolder` is specified'));
  return errors;
}

export const leaseResource = serve(leases, {
  validate: validateLease,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  columns: [nameColumn(), text('Holder', 'Who holds the lease.', (lease) => lease.spec?.holderIdentity ?? ''), ageColumn()],
});
