// Limit ranges: what a pod, container or claim in a namespace may ask for, and gets when it does not ask.

import { type LimitRange, limitRanges } from '../../api/core.ts';
import { duplicate, type FieldError, forbidden, invalid } from '../../api/field-error.ts';
import { compareQuantities, isQuantity, parseQuantity } from '../../api/quantity.ts';
import { eachAt } from '../../api/validation/each.ts';
import { nameColumn, text } from './columns.ts';
import { serve } from './resource.ts';
import { defaultResourceList, quantityErrors, type ResourceList, resourceNameErrors } from './resource-lists.ts';

type Item = NonNullable<LimitRange['spec']>['limits'][number];

export function defaultLimitRange({ spec }: LimitRange): void {
  for (const item of spec?.limits ?? []) {
    for (const list of [item.max, item.min, item.default, item.defaultRequest, item.maxLimitRequestRatio]) defaultResourceList(list);
    if (item.type !== 'Container') continue;
    item.default = { ...item.max, ...item.default };
    item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
  }
}

export function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const errors: FieldError[] = [];
  const types = new Set<string>();
  eachAt(spec?.limits, 'spec.limits', (item, at) => {
    if (types.has(item.type)) errors.push(duplicate(`${at}.type`, item.type));
    types.add(item.type);
    for (const field of ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const)
      for (const name in item[field]) {
        resourceNameErrors(name, `${at}.${field}[${name}]`, errors);
        quantityErrors(name, item[field]?.[name] as string, `${at}.${field}[${name}]`, errors);
      }
    itemErrors(item, at, errors);
  });
  return errors;
}

function itemErrors(item: Item, at: string, errors: FieldError[]): void {
  if (item.type === 'Pod') {
    for (const field of ['default', 'defaultRequest'] as const)
      if (Object.keys(item[field] ?? {}).length) errors.push(forbidden(`${at}.${field}`, "may not be specified when `type` is 'Pod'"));
  }
  if (item.type === 'PersistentVolumeClaim' && item.min?.['storage'] === undefined && item.max?.['storage'] === undefined)
    errors.push({
      type: 'FieldValueRequired',
      field: `${at}.limits`,
      message: 'Required value: either minimum or maximum storage value is required, but neither was provided',
    });
  orderErrors(item, 'min', 'max', at, errors);
  orderErrors(item, 'min', 'defaultRequest', at, errors);
  orderErrors(item, 'defaultRequest', 'max', at, errors);
  orderErrors(item, 'defaultRequest', 'default', at, errors);
  orderErrors(item, 'default', 'max', at, errors);
}

type Bound = 'min' | 'max' | 'default' | 'defaultRequest';
const words: Record<Bound, string> = { min: 'min', max: 'max', default: 'default', defaultRequest: 'default request' };

function orderErrors(item: Item, low: Bound, high: Bound, at: string, errors: FieldError[]): void {
  const lows: ResourceList = item[low] ?? {};
  const highs: ResourceList = item[high] ?? {};
  for (const name in lows) {
    const a = lows[name] as string;
    const b = highs[name];
    if (b === undefined || !isQuantity(a) || !isQuantity(b) || compareQuantities(parseQuantity(a), parseQuantity(b)) <= 0) continue;
    const shown = low === 'min' && high === 'defaultRequest' ? 'defaultRequest' : low;
    errors.push(invalid(`${at}.${shown}[${name}]`, a, `${words[low]} value ${a} is greater than ${words[high]} value ${b}`));
  }
}

export const limitRangeResource = serve(limitRanges, {
  defaults: defaultLimitRange,
  validate: validateLimitRange,
  columns: [
    nameColumn(),
    text('Created At', 'When the limit range was created.', ({ metadata }) => metadata?.creationTimestamp ?? '<unknown>'),
  ],
});
