// Resource quotas: how much of each resource a namespace may use.

import { type ResourceQuota, resourceQuotas } from '../../api/core.ts';
import { type FieldError, invalid, required } from '../../api/field-error.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { keep } from './generation.ts';
import { serve } from './resource.ts';
import { defaultResourceList, isStandardQuota, quantityErrors, resourceNameErrors } from './resource-lists.ts';

type Spec = NonNullable<ResourceQuota['spec']>;

const computeMeasures = ['cpu', 'memory'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]);
const podMeasures = ['pods', ...computeMeasures];
/** Each scope, and the standard resources that it can be of. */
const measuresOfScope: Readonly<Record<string, readonly string[]>> = {
  BestEffort: ['pods'],
  CrossNamespacePodAffinity: podMeasures,
  NotBestEffort: podMeasures,
  NotTerminating: podMeasures,
  PriorityClass: podMeasures,
  Terminating: podMeasures,
  VolumeAttributesClass: ['persistentvolumeclaims', 'requests.storage'],
};
const contradictions = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
];
const withoutValues = ['Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort', 'CrossNamespacePodAffinity'];

export function validateResourceQuota({ spec }: ResourceQuota): FieldError[] {
  const errors: FieldError[] = [];
  amountErrors(spec?.hard, 'spec.hard', errors);
  if (spec) scopeErrors(spec, errors);
  if (spec) selectorErrors(spec, errors);
  return errors;
}

function amountErrors(amounts: Readonly<Record<string, string>> | undefined, at: string, errors: FieldError[]): void {
  for (const name in amounts) {
    const each = `${at}[${name}]`;
    if (resourceNameErrors(name, each, errors) && !name.includes('/') && !isStandardQuota(name))
      errors.push(invalid(each, name, 'must be a standard resource for quota'));
    quantityErrors(name, amounts[name] as string, each, errors);
  }
}

const doesNotApply = ({ hard }: Spec, scope: string): string[] =>
  Object.keys(hard ?? {}).filter((name) => isStandardQuota(name) && !(measuresOfScope[scope]?.includes(name) ?? true));
const contradicts = (scopes: readonly string[]) => contradictions.filter((pair) => pair.every((scope) => scopes.includes(scope)));

function scopeErrors(spec: Spec, errors: FieldError[]): void {
  const { scopes = [] } = spec;
  for (const scope of scopes) {
    if (!measuresOfScope[scope]) errors.push(invalid('spec.scopes', scopes, 'unsupported scope'));
    for (const _ of doesNotApply(spec, scope)) errors.push(invalid('spec.scopes', scopes, 'unsupported scope applied to resource'));
  }
  for (const _ of contradicts(scopes)) errors.push(invalid('spec.scopes', scopes, 'conflicting scopes'));
}

function selectorErrors(spec: Spec, errors: FieldError[]): void {
  const at = 'spec.scopeSelector.matchExpressions';
  const expressions = spec.scopeSelector?.matchExpressions ?? [];
  for (const { scopeName, operator, values } of expressions) {
    if (!measuresOfScope[scopeName]) errors.push(invalid(`${at}.scopeName`, scopeName, 'unsupported scope'));
    for (const _ of doesNotApply(spec, scopeName)) errors.push(invalid(at, spec.scopeSelector, 'unsupported scope applied to resource'));
    if (withoutValues.includes(scopeName) && operator !== 'Exists') {
      const why =
        "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      errors.push(invalid(`${at}.operator`, operator, why));
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (!values?.length)
        errors.push(required(`${at}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values?.length)
        errors.push(invalid(`${at}.values`, values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"));
    } else errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
  }
  for (const _ of contradicts(expressions.map(({ scopeName }) => scopeName)))
    errors.push(invalid(at, spec.scopes ?? null, 'conflicting scopes'));
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
  status: {
    beforeUpdate: (quota, old) => keep(quota, old, 'spec'),
    validateUpdate({ status }) {
      const errors: FieldError[] = [];
      amountErrors(status?.hard, 'status.hard', errors);
      amountErrors(status?.used, 'status.used', errors);
      return errors;
    },
  },
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    text('Request', 'How much is used of what may be requested.', (quota) => usageText(quota, false)),
    text('Limit', 'How much is used of what limits may add up to.', (quota) => usageText(quota, true)),
    ageColumn(),
  ],
});
