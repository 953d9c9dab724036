// Resource quotas: how much of each resource a namespace may use.

import { type ResourceQuota, resourceQuotas } from '../../api/core.ts';
import { type FieldError, invalid, notSupported } from '../../api/field-error.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { keep } from './generation.ts';
import { serve } from './resource.ts';
import { defaultResourceList, quantityErrors, resourceNameErrors } from './resource-lists.ts';

const scopes = [
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'PriorityClass',
  'Terminating',
  'VolumeAttributesClass',
];

export function validateResourceQuota({ spec }: ResourceQuota): FieldError[] {
  const errors: FieldError[] = [];
  for (const name in spec?.hard) {
    resourceNameErrors(name, `spec.hard[${name}]`, errors);
    quantityErrors(name, spec.hard[name] as string, `spec.hard[${name}]`, errors);
  }
  const used = new Set<string>();
  for (const scope of spec?.scopes ?? []) {
    if (!scopes.includes(scope)) errors.push(notSupported('spec.scopes', scope, scopes));
    used.add(scope);
  }
  if ((used.has('BestEffort') && used.has('NotBestEffort')) || (used.has('Terminating') && used.has('NotTerminating')))
    errors.push(invalid('spec.scopes', spec?.scopes, 'conflicting scopes'));
  return errors;
}

const short = (used: string, hard: string, name: string) => `${name}: ${used}/${hard}`;

function usageText({ status, spec }: ResourceQuota, isLimit: boolean): string {
  const hard = status?.hard ?? spec?.hard ?? {};
  return Object.keys(hard)
    .filter((name) => name.startsWith('limits.') === isLimit)
    .sort()
    .map((name) => short(status?.used?.[name] ?? '0', hard[name] as string, name))
    .join(', ');
}

export const resourceQuotaResource = serve(resourceQuotas, {
  defaults({ spec, status }) {
    defaultResourceList(spec?.hard);
    defaultResourceList(status?.hard);
    defaultResourceList(status?.used);
  },
  beforeCreate(quota) {
    quota.status = {};
  },
  beforeUpdate: (quota, old) => keep(quota, old, 'status'),
  validate: validateResourceQuota,
  validateUpdate(quota, old) {
    const errors = validateResourceQuota(quota);
    const sorted = (list: readonly string[] | undefined) => [...(list ?? [])].sort();
    if (!semanticEqual(sorted(quota.spec?.scopes), sorted(old.spec?.scopes)))
      errors.push(invalid('spec.scopes', quota.spec?.scopes ?? null, 'field is immutable'));
    return errors;
  },
  status: { beforeUpdate: (quota, old) => keep(quota, old, 'spec'), validateUpdate: () => [] },
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    text('Request', 'How much is used of what may be requested.', (quota) => usageText(quota, false)),
    text('Limit', 'How much is used of what limits may add up to.', (quota) => usageText(quota, true)),
    ageColumn(),
  ],
});
