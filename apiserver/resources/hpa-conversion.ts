// autoscaling/v1 as a view of autoscaling/v2, in which horizontal pod autoscalers are stored: what v1 has no fields for
// travels in its annotations, so that nothing is lost either way.

import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerV1, MetricSpec, MetricStatus } from '../../api/autoscaling.ts';
import type { KubeObject } from '../../api/wire.ts';

const prefix = 'autoscaling.alpha.kubernetes.io/';
const annotationNames = {
  metrics: `${prefix}metrics`,
  current: `${prefix}current-metrics`,
  conditions: `${prefix}conditions`,
  behavior: `${prefix}behavior`,
};

/** An object of JSON whose fields depend on the metric's type. */
type Parts = Record<string, unknown>;

/** What a v1 object that says nothing of metrics is scaled by. */
export const defaultMetric: MetricSpec = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
};

const cpuUtilization = (metric: MetricSpec) =>
  metric.type === 'Resource' && metric.resource?.name === 'cpu' ? metric.resource.target.averageUtilization : undefined;

/** Of a v2 object, which it takes over, the v1 form. */
export function toHpaV1(object: KubeObject): HorizontalPodAutoscalerV1 {
  const { spec, status, metadata, ...rest } = object as HorizontalPodAutoscaler;
  const annotations = { ...metadata?.annotations };
  const { metrics = [], behavior, ...kept } = spec ?? { maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } };
  const others = metrics.filter((metric) => cpuUtilization(metric) === undefined);
  const target = metrics.map(cpuUtilization).findLast((value) => value !== undefined);
  if (others.length) annotations[annotationNames.metrics] = JSON.stringify(others.map(specToV1));
  if (behavior) annotations[annotationNames.behavior] = JSON.stringify(renamed(behavior, capitalized));
  const { currentMetrics, conditions, ...counts } = status ?? { desiredReplicas: 0 };
  if (currentMetrics?.length) annotations[annotationNames.current] = JSON.stringify(currentMetrics.map(statusToV1));
  if (conditions?.length) annotations[annotationNames.conditions] = JSON.stringify(conditions);
  const cpu = currentMetrics?.find((metric) => metric.type === 'Resource' && metric.resource?.name === 'cpu')?.resource?.current;
  const current = cpu?.averageUtilization;
  return {
    ...rest,
    metadata: { ...metadata, ...(Object.keys(annotations).length ? { annotations } : {}) },
    spec: { ...kept, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
    status: {
      ...counts,
      currentReplicas: counts.currentReplicas ?? 0,
      ...(current === undefined ? {} : { currentCPUUtilizationPercentage: current }),
    },
  } as HorizontalPodAutoscalerV1;
}

/** Of a v1 object, which it takes over, the v2 form, without the annotations that stood for fields. */
export function toHpaV2(object: KubeObject): HorizontalPodAutoscaler {
  const { spec, status, metadata, ...rest } = object as HorizontalPodAutoscalerV1;
  const read = (name: string) => annotation(metadata?.annotations?.[name]);
  const { targetCPUUtilizationPercentage: target, ...kept } = spec ?? { maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } };
  const metrics: MetricSpec[] = listOf(read(annotationNames.metrics)).map(specFromV1);
  if (target !== undefined)
    metrics.push({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target } } });
  if (metrics.length === 0) metrics.push(structuredClone(defaultMetric));
  const behavior = read(annotationNames.behavior);
  const { currentCPUUtilizationPercentage: current, ...counts } = status ?? { currentReplicas: 0, desiredReplicas: 0 };
  const currentMetrics = listOf(read(annotationNames.current)).map(statusFromV1);
  if (currentMetrics.length === 0 && current !== undefined)
    currentMetrics.push({ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current } } });
  const conditions = listOf(read(annotationNames.conditions));
  const annotations = Object.fromEntries(
    Object.entries(metadata?.annotations ?? {}).filter(([name]) => !Object.values(annotationNames).includes(name)),
  );
  const { annotations: _, ...meta } = metadata ?? {};
  return {
    ...rest,
    apiVersion: 'autoscaling/v2',
    metadata: { ...meta, ...(Object.keys(annotations).length ? { annotations } : {}) },
    spec: { ...kept, metrics, ...(behavior ? { behavior: renamed(behavior, uncapitalized) } : {}) },
    status: { ...counts, ...(currentMetrics.length ? { currentMetrics } : {}), ...(conditions.length ? { conditions } : {}) },
  } as HorizontalPodAutoscaler;
}

/** An annotation that is no JSON says nothing, as in Kubernetes. */
function annotation(text: string | undefined): unknown {
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const isParts = (value: unknown): value is Parts => typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: unknown): Parts[] => (Array.isArray(value) ? value.filter(isParts) : []);
const capitalized = (name: string) => name.slice(0, 1).toUpperCase() + name.slice(1);
const uncapitalized = (name: string) => name.slice(0, 1).toLowerCase() + name.slice(1);

/** The behavior annotation has the field names of Go's structures. */
function renamed(value: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, rename));
  if (!isParts(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== null)
      .map(([name, each]) => [rename(name), renamed(each, rename)]),
  );
}

/** Leaves out what is undefined. */
function withoutUndefined(parts: Parts): Parts {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}

function specToV1(metric: MetricSpec): Parts {
  const { type, object, pods, resource, containerResource, external } = metric;
  const each = withoutUndefined;
  const ofResource = (r: NonNullable<typeof resource>) => ({
    name: r.name,
    targetAverageUtilization: r.target.averageUtilization,
    targetAverageValue: r.target.averageValue,
  });
  return each({
    type,
    object:
      object &&
      each({
        target: object.describedObject,
        metricName: object.metric.name,
        targetValue: object.target.value ?? '0',
        selector: object.metric.selector,
        averageValue: object.target.averageValue,
      }),
    pods: pods && each({ metricName: pods.metric.name, targetAverageValue: pods.target.averageValue, selector: pods.metric.selector }),
    resource: resource && each(ofResource(resource)),
    containerResource: containerResource && each({ ...ofResource(containerResource), container: containerResource.container }),
    external:
      external &&
      each({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        targetValue: external.target.value,
        targetAverageValue: external.target.averageValue,
      }),
  });
}

function specFromV1(metric: Parts): MetricSpec {
  const of = (name: string) => (isParts(metric[name]) ? metric[name] : undefined);
  const [object, pods, resource, container, external] = ['object', 'pods', 'resource', 'containerResource', 'external'].map(of);
  const target = (type: string, values: Parts) => withoutUndefined({ type, ...values });
  const ofResource = (r: Parts) => ({
    name: r['name'],
    target: target(r['targetAverageUtilization'] === undefined ? 'AverageValue' : 'Utilization', {
      averageUtilization: r['targetAverageUtilization'],
      averageValue: r['targetAverageValue'],
    }),
  });
  const identifier = (name: unknown, selector: unknown) => withoutUndefined({ name, selector });
  return withoutUndefined({
    type: metric['type'],
    object: object && {
      describedObject: object['target'],
      metric: identifier(object['metricName'], object['selector']),
      target:
        object['averageValue'] === undefined
          ? target('Value', { value: object['targetValue'] })
          : target('AverageValue', { averageValue: object['averageValue'] }),
    },
    pods: pods && {
      metric: identifier(pods['metricName'], pods['selector']),
      target: target('AverageValue', { averageValue: pods['targetAverageValue'] }),
    },
    resource: resource && ofResource(resource),
    containerResource: container && { ...ofResource(container), container: container['container'] },
    external: external && {
      metric: identifier(external['metricName'], external['metricSelector']),
      target:
        external['targetValue'] === undefined
          ? target('AverageValue', { averageValue: external['targetAverageValue'] })
          : target('Value', { value: external['targetValue'] }),
    },
  }) as unknown as MetricSpec;
}

function statusToV1(metric: MetricStatus): Parts {
  const { type, object, pods, resource, containerResource, external } = metric;
  const each = withoutUndefined;
  const ofResource = (r: NonNullable<typeof resource>) => ({
    name: r.name,
    currentAverageUtilization: r.current.averageUtilization,
    currentAverageValue: r.current.averageValue ?? '0',
  });
  return each({
    type,
    object:
      object &&
      each({
        target: object.describedObject,
        metricName: object.metric.name,
        currentValue: object.current.value ?? '0',
        selector: object.metric.selector,
        averageValue: object.current.averageValue,
      }),
    pods:
      pods && each({ metricName: pods.metric.name, currentAverageValue: pods.current.averageValue ?? '0', selector: pods.metric.selector }),
    resource: resource && each(ofResource(resource)),
    containerResource: containerResource && each({ ...ofResource(containerResource), container: containerResource.container }),
    external:
      external &&
      each({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        currentValue: external.current.value ?? '0',
        currentAverageValue: external.current.averageValue,
      }),
  });
}

function statusFromV1(metric: Parts): MetricStatus {
  const of = (name: string) => (isParts(metric[name]) ? metric[name] : undefined);
  const [object, pods, resource, container, external] = ['object', 'pods', 'resource', 'containerResource', 'external'].map(of);
  const each = withoutUndefined;
  const ofResource = (r: Parts) => ({
    name: r['name'],
    current: each({ averageUtilization: r['currentAverageUtilization'], averageValue: r['currentAverageValue'] }),
  });
  return each({
    type: metric['type'],
    object: object && {
      describedObject: object['target'],
      metric: each({ name: object['metricName'], selector: object['selector'] }),
      current: each({ value: object['currentValue'], averageValue: object['averageValue'] }),
    },
    pods: pods && {
      metric: each({ name: pods['metricName'], selector: pods['selector'] }),
      current: each({ averageValue: pods['currentAverageValue'] }),
    },
    resource: resource && ofResource(resource),
    containerResource: container && { ...ofResource(container), container: container['container'] },
    external: external && {
      metric: each({ name: external['metricName'], selector: external['metricSelector'] }),
      current: each({ value: external['currentValue'], averageValue: external['currentAverageValue'] }),
    },
  }) as unknown as MetricStatus;
}
