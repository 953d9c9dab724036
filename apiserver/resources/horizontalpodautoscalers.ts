// Horizontal pod autoscalers: how many pods a workload has, by what its metrics say. Stored as v2, served as v1 too.

import {
  type HorizontalPodAutoscaler,
  type HorizontalPodAutoscalerV1,
  type HpaScalingRules,
  horizontalPodAutoscalers,
  horizontalPodAutoscalersV1,
  type MetricSpec,
  type MetricTarget,
} from '../../api/autoscaling.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import { parseQuantity } from '../../api/quantity.ts';
import { eachAt } from '../../api/validation/each.ts';
import { pathSegmentProblems } from '../../api/validation/formats.ts';
import { ageColumn, integer, nameColumn, text } from './columns.ts';
import { keep } from './generation.ts';
import { defaultMetric, toHpaV1, toHpaV2 } from './hpa-conversion.ts';
import { serve } from './resource.ts';
import { nonNegativeErrors } from './workloads.ts';

const defaultRules: Readonly<Record<'scaleUp' | 'scaleDown', HpaScalingRules>> = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
  },
  scaleDown: { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] },
};

function defaultHpa({ spec }: HorizontalPodAutoscaler): void {
  if (!spec) return;
  spec.minReplicas ??= 1;
  if (!spec.metrics?.length) spec.metrics = [structuredClone(defaultMetric)];
  if (!spec.behavior) return;
  for (const direction of ['scaleUp', 'scaleDown'] as const)
    spec.behavior[direction] = { ...structuredClone(defaultRules[direction]), ...spec.behavior[direction] };
}

function referenceErrors(reference: { kind?: string; name?: string } | undefined, at: string, errors: FieldError[]): void {
  for (const field of ['kind', 'name'] as const) {
    const value = reference?.[field];
    if (!value) errors.push(required(`${at}.${field}`));
    else for (const problem of pathSegmentProblems(value)) errors.push(invalid(`${at}.${field}`, value, problem));
  }
}

function identifierErrors(metric: { name?: string } | undefined, at: string, errors: FieldError[]): void {
  if (!metric?.name) errors.push(required(`${at}.name`, 'must specify a metric name'));
  else for (const problem of pathSegmentProblems(metric.name)) errors.push(invalid(`${at}.name`, metric.name, problem));
}

const isPositive = (quantity: string) => parseQuantity(quantity).nano > 0n;

function targetErrors(target: MetricTarget | undefined, at: string, errors: FieldError[]): void {
  const { type, value, averageValue, averageUtilization } = target ?? {};
  if (!type) errors.push(required(`${at}.type`, 'must specify a metric target type'));
  if (type !== 'Utilization' && type !== 'Value' && type !== 'AverageValue')
    errors.push(invalid(`${at}.type`, type ?? '', 'must be either Utilization, Value, or AverageValue'));
  if (value !== undefined && !isPositive(value)) errors.push(invalid(`${at}.value`, value, 'must be positive'));
  if (averageValue !== undefined && !isPositive(averageValue)) errors.push(invalid(`${at}.averageValue`, averageValue, 'must be positive'));
  if (averageUtilization !== undefined && averageUtilization < 1)
    errors.push(invalid(`${at}.averageUtilization`, averageUtilization, 'must be greater than 0'));
}

function resourceSourceErrors(source: NonNullable<MetricSpec['resource']>, at: string, errors: FieldError[]): void {
  if (!source.name) errors.push(required(`${at}.name`, 'must specify a resource name'));
  targetErrors(source.target, `${at}.target`, errors);
  const { averageUtilization, averageValue } = source.target ?? {};
  if (averageUtilization === undefined && averageValue === undefined)
    errors.push(required(`${at}.target.averageUtilization`, 'must set either a target raw value or a target utilization'));
  if (averageUtilization !== undefined && averageValue !== undefined)
    errors.push(forbidden(`${at}.target.averageValue`, 'may not set both a target raw value and a target utilization'));
}

/** The rules of each type of metric source, by the field that holds it. */
const sources = {
  object(source: NonNullable<MetricSpec['object']>, at: string, errors: FieldError[]) {
    referenceErrors(source.describedObject, `${at}.describedObject`, errors);
    identifierErrors(source.metric, `${at}.metric`, errors);
    targetErrors(source.target, `${at}.target`, errors);
    if (source.target?.value === undefined && source.target?.averageValue === undefined)
      errors.push(required(`${at}.target.averageValue`, 'must set either a target value or averageValue'));
  },
  pods(source: NonNullable<MetricSpec['pods']>, at: string, errors: FieldError[]) {
    identifierErrors(source.metric, `${at}.metric`, errors);
    targetErrors(source.target, `${at}.target`, errors);
    const value = source.target?.averageValue;
    if (value === undefined || !isPositive(value))
      errors.push(required(`${at}.target.averageValue`, 'must specify a positive target averageValue'));
  },
  resource: resourceSourceErrors,
  containerResource(source: NonNullable<MetricSpec['containerResource']>, at: string, errors: FieldError[]) {
    if (!source.container) errors.push(required(`${at}.container`, 'must specify a container'));
    resourceSourceErrors(source, at, errors);
  },
  external(source: NonNullable<MetricSpec['external']>, at: string, errors: FieldError[]) {
    identifierErrors(source.metric, `${at}.metric`, errors);
    targetErrors(source.target, `${at}.target`, errors);
    const { value, averageValue } = source.target ?? {};
    if (value === undefined && averageValue === undefined)
      errors.push(required(`${at}.target.averageValue`, 'must set either a target value for metric or a per-pod target'));
    if (value !== undefined && averageValue !== undefined)
      errors.push(forbidden(`${at}.target.value`, 'may not set both a target value for metric and a per-pod target'));
  },
};
const sourceFields = Object.keys(sources) as (keyof typeof sources)[];
const metricTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];

function metricErrors(metric: MetricSpec, at: string, errors: FieldError[]): void {
  const type = metric.type ?? '';
  if (!type) errors.push(required(`${at}.type`, 'must specify a metric source type'));
  if (!metricTypes.includes(type)) errors.push(notSupported(`${at}.type`, type, metricTypes));
  const present = sourceFields.filter((field) => metric[field]);
  const first = present[0];
  // Each source is checked by the function of its own field.
  if (first) (sources[first] as (source: unknown, at: string, errors: FieldError[]) => void)(metric[first], `${at}.${first}`, errors);
  const expected = type.slice(0, 1).toLowerCase() + type.slice(1);
  if (expected && !present.some((field) => field === expected))
    errors.push(required(`${at}.${expected}`, 'must populate information for the given metric source'));
  if (present.length > 1)
    for (const field of present)
      if (field !== expected) errors.push(forbidden(`${at}.${field}`, 'must populate the given metric source only'));
}

const windowSecondsMax = 3600;
const periodSecondsMax = 1800;

function rulesErrors(rules: HpaScalingRules | undefined, at: string, errors: FieldError[]): void {
  if (!rules) return;
  const { stabilizationWindowSeconds: window, selectPolicy, policies, tolerance } = rules;
  if (window !== undefined && window < 0)
    errors.push(invalid(`${at}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'));
  if (window !== undefined && window > windowSecondsMax)
    errors.push(invalid(`${at}.stabilizationWindowSeconds`, window, `must be less than or equal to ${windowSecondsMax}`));
  if (selectPolicy !== undefined && !['Disabled', 'Max', 'Min'].includes(selectPolicy))
    errors.push(notSupported(`${at}.selectPolicy`, selectPolicy, ['Disabled', 'Max', 'Min']));
  if (!policies?.length) errors.push(required(`${at}.policies`, 'must specify at least one Policy'));
  eachAt(policies, `${at}.policies`, ({ type, value, periodSeconds }, each) => {
    if (type !== 'Percent' && type !== 'Pods') errors.push(notSupported(`${each}.type`, type, ['Percent', 'Pods']));
    if (!(value > 0)) errors.push(invalid(`${each}.value`, value, 'must be greater than zero'));
    if (!(periodSeconds > 0)) errors.push(invalid(`${each}.periodSeconds`, periodSeconds, 'must be greater than zero'));
    if (periodSeconds > periodSecondsMax)
      errors.push(invalid(`${each}.periodSeconds`, periodSeconds, `must be less than or equal to ${periodSecondsMax}`));
  });
  if (tolerance !== undefined && parseQuantity(tolerance).nano < 0n)
    errors.push(invalid(`${at}.tolerance`, tolerance, 'must be greater or equal to zero'));
}

export function validateHpa({ spec }: HorizontalPodAutoscaler): FieldError[] {
  const errors: FieldError[] = [];
  const { minReplicas, maxReplicas = 0 } = spec ?? {};
  if (minReplicas !== undefined && minReplicas < 1)
    errors.push(invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'));
  if (maxReplicas < 1) errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  referenceErrors(spec?.scaleTargetRef, 'spec.scaleTargetRef', errors);
  eachAt(spec?.metrics, 'spec.metrics', (metric, at) => metricErrors(metric, at, errors));
  rulesErrors(spec?.behavior?.scaleUp, 'spec.behavior.scaleUp', errors);
  rulesErrors(spec?.behavior?.scaleDown, 'spec.behavior.scaleDown', errors);
  return errors;
}

function statusErrors({ status }: HorizontalPodAutoscaler | HorizontalPodAutoscalerV1): FieldError[] {
  const errors: FieldError[] = [];
  nonNegativeErrors(status?.currentReplicas, 'status.currentReplicas', errors);
  nonNegativeErrors(status?.desiredReplicas, 'status.desiredReplicas', errors);
  return errors;
}

/** `cpu: 20%/80%, ...`, at most two. */
function targetsText({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec?.metrics ?? [];
  if (metrics.length === 0) return '<none>';
  const texts = metrics.map((metric, i) => metricText(metric, status?.currentMetrics?.[i]));
  const shown = texts.slice(0, 2).join(', ');
  return texts.length > 2 ? `${shown} + ${texts.length - 2} more...` : shown;
}

function metricText(
  metric: MetricSpec,
  current: NonNullable<HorizontalPodAutoscaler['status']>['currentMetrics'] extends (infer M)[] | undefined ? M | undefined : never,
): string {
  const field = sourceFields.find((each) => metric[each]);
  if (!field) return '<unknown type>';
  const source = metric[field];
  const now = current?.[field]?.current;
  const { averageUtilization, averageValue, value } = source?.target ?? {};
  const named = metric.resource ?? metric.containerResource;
  const label = named ? `${named.name}: ` : '';
  if (named && averageUtilization !== undefined)
    return `${label}${now?.averageUtilization === undefined ? '<unknown>' : `${now.averageUtilization}%`}/${averageUtilization}%`;
  if (averageValue !== undefined)
    return `${label}${now?.averageValue ?? '<unknown>'}/${averageValue}${named || field === 'pods' ? '' : ' (avg)'}`;
  return `${label}${now?.value ?? '<unknown>'}/${value ?? '<auto>'}`;
}

export const horizontalPodAutoscalerResource = serve(horizontalPodAutoscalers, {
  defaults: defaultHpa,
  beforeCreate(hpa) {
    hpa.status = { desiredReplicas: 0 };
  },
  beforeUpdate: (hpa, old) => keep(hpa, old, 'status'),
  validate: validateHpa,
  status: { beforeUpdate: (hpa, old) => keep(hpa, old, 'spec'), validateUpdate: statusErrors },
  columns: [
    nameColumn(),
    text('Reference', 'What is scaled.', ({ spec }) => `${spec?.scaleTargetRef.kind ?? ''}/${spec?.scaleTargetRef.name ?? ''}`),
    text('Targets', 'Each metric, now and as it should be.', targetsText),
    text('MinPods', 'The fewest pods.', ({ spec }) => String(spec?.minReplicas ?? '<unset>')),
    integer('MaxPods', 'The most pods.', ({ spec }) => spec?.maxReplicas),
    integer('Replicas', 'How many pods there are.', ({ status }) => status?.currentReplicas),
    ageColumn(),
  ],
});

const asV2 = (hpa: HorizontalPodAutoscalerV1): HorizontalPodAutoscaler => {
  const converted = toHpaV2(structuredClone(hpa));
  defaultHpa(converted);
  return converted;
};

export const horizontalPodAutoscalerV1Resource = serve<HorizontalPodAutoscalerV1>(horizontalPodAutoscalersV1, {
  defaults({ spec }) {
    if (spec) spec.minReplicas ??= 1;
  },
  beforeCreate(hpa) {
    hpa.status = { currentReplicas: 0, desiredReplicas: 0 };
  },
  beforeUpdate: (hpa, old) => keep(hpa, old, 'status'),
  validate: (hpa) => validateHpa(asV2(hpa)),
  status: { beforeUpdate: (hpa, old) => keep(hpa, old, 'spec'), validateUpdate: statusErrors },
  storage: { group: 'autoscaling', plural: 'horizontalpodautoscalers', decode: toHpaV1, encode: asV2 },
  columns: horizontalPodAutoscalerResource.columns.map((column) => ({ ...column, cell: (hpa, nowMs) => column.cell(asV2(hpa), nowMs) })),
});
