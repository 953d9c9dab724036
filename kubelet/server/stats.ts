// GET /stats/summary, /metrics/resource and /metrics/cadvisor: what nodes, pods and containers use, in Kubernetes' forms.

import { goFloat } from '../../client/metrics/registry.ts';
import { stabilityOf } from '../../client/metrics/stability.ts';
import type { KubeletContext } from '../context.ts';
import { type ContainerUsage, type PodUsage, readUsage, type Usage } from '../metrics/usage.ts';

const time = (atMs: number) => new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');

/** The Summary API's document. */
export async function statsSummary(context: KubeletContext): Promise<object> {
  const { node, pods } = await readUsage(context);
  const memory = ({ atMs, workingSetBytes }: Usage) => ({ time: time(atMs), workingSetBytes });
  const cpu = ({ atMs, cpuSeconds }: Usage) => ({ time: time(atMs), usageCoreNanoSeconds: Math.round(cpuSeconds * 1e9) });
  return {
    node: {
      nodeName: context.nodeName,
      startTime: time(node.bootedAtMs),
      cpu: cpu(node),
      memory: { ...memory(node), availableBytes: node.capacityBytes - node.workingSetBytes, usageBytes: node.workingSetBytes },
    },
    pods: pods.map((pod) => ({
      podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
      startTime: time(Math.min(...pod.containers.map((each) => each.startedAtMs ?? each.atMs))),
      containers: pod.containers.map((container) => ({
        name: container.name,
        startTime: time(container.startedAtMs ?? container.atMs),
        cpu: { ...cpu(container), usageNanoCores: container.nanoCores },
        memory: {
          ...memory(container),
          usageBytes: container.usageBytes,
          rssBytes: container.rssBytes,
          pageFaults: container.pageFaults,
          majorPageFaults: container.majorPageFaults,
        },
        rootfs: { time: time(container.atMs), usedBytes: container.writableBytes, inodesUsed: container.writableInodes },
      })),
      cpu: { ...cpu(pod), usageNanoCores: pod.nanoCores },
      memory: memory(pod),
    })),
  };
}

interface Sample {
  labels?: Record<string, string>;
  value: number;
  /** Milliseconds since the epoch; absent: now. */
  atMs?: number | undefined;
}

/** Prometheus' text, as metrics-server reads it. */
export async function resourceMetrics(context: KubeletContext): Promise<string> {
  const usage = await readUsage(context).catch((error: unknown) => {
    context.log.warn('the usage of containers is not known', { error: String(error) });
    return undefined;
  });
  const node = usage ? [usage.node] : [];
  const pods = usage?.pods ?? [];
  const cpu = (each: Usage, labels?: Record<string, string>): Sample => ({
    value: each.cpuSeconds,
    atMs: each.atMs,
    ...(labels ? { labels } : {}),
  });
  const memory = (each: Usage, labels?: Record<string, string>): Sample => ({
    value: each.workingSetBytes,
    atMs: each.atMs,
    ...(labels ? { labels } : {}),
  });
  const ofPod = ({ name, namespace }: PodUsage) => ({ namespace, pod: name });
  const containers = pods.flatMap((pod) => pod.containers.map((each) => ({ each, labels: { container: each.name, ...ofPod(pod) } })));
  const started = containers.flatMap(({ each, labels }) => (each.startedAtMs ? [{ labels, value: each.startedAtMs / 1000 }] : []));
  const failure = [{ value: usage ? 0 : 1 }];
  return [
    family(
      'container_cpu_usage_seconds_total',
      'Cumulative cpu time consumed by the container in core-seconds',
      'counter',
      containers.map(({ each, labels }) => cpu(each, labels)),
    ),
    family(
      'container_memory_working_set_bytes',
      'Current working set of the container in bytes',
      'gauge',
      containers.map(({ each, labels }) => memory(each, labels)),
    ),
    family('container_start_time_seconds', 'Start time of the container since unix epoch in seconds', 'gauge', started),
    family(
      'node_cpu_usage_seconds_total',
      'Cumulative cpu time consumed by the node in core-seconds',
      'counter',
      node.map((each) => cpu(each)),
    ),
    family(
      'node_memory_working_set_bytes',
      'Current working set of the node in bytes',
      'gauge',
      node.map((each) => memory(each)),
    ),
    family(
      'pod_cpu_usage_seconds_total',
      'Cumulative cpu time consumed by the pod in core-seconds',
      'counter',
      pods.map((pod) => cpu(pod, ofPod(pod))),
    ),
    family(
      'pod_memory_working_set_bytes',
      'Current working set of the pod in bytes',
      'gauge',
      pods.map((pod) => memory(pod, ofPod(pod))),
    ),
    family('resource_scrape_error', '1 if there was an error while getting container metrics, 0 otherwise', 'gauge', failure),
    family(
      'scrape_error',
      '(Deprecated since 1.29.0) 1 if there was an error while getting container metrics, 0 otherwise',
      'gauge',
      failure,
    ),
  ].join('');
}

/** What of cAdvisor's metrics the runtime can tell. */
export async function containerMetrics(context: KubeletContext): Promise<string> {
  const { node, pods } = await readUsage(context);
  const all = pods.flatMap((pod) => pod.containers.map((each) => ({ pod, each })));
  const gauge = (
    name: string,
    help: string,
    read: (each: ContainerUsage) => number | undefined,
    more: Record<string, string> = {},
    type: 'gauge' | 'counter' = 'gauge',
  ) => {
    const samples = all.flatMap(({ pod, each }) => {
      const value = read(each);
      const labels = { container: each.name, id: each.id, image: each.image, name: each.id, namespace: pod.namespace, pod: pod.name };
      return value === undefined ? [] : [{ value, atMs: each.atMs, labels: { ...more, ...labels } }];
    });
    return family(name, help, type, samples, '');
  };
  return [
    gauge(
      'container_cpu_usage_seconds_total',
      'Cumulative cpu time consumed in seconds.',
      (each) => each.cpuSeconds,
      { cpu: 'total' },
      'counter',
    ),
    gauge(
      'container_fs_usage_bytes',
      'Number of bytes that are consumed by the container on this filesystem.',
      (each) => each.writableBytes,
      { device: '' },
    ),
    gauge('container_last_seen', 'Last time a container was seen by the exporter', (each) => Math.floor(each.atMs / 1000)),
    gauge(
      'container_memory_failures_total',
      'Cumulative count of memory allocation failures.',
      (each) => each.pageFaults,
      { failure_type: 'pgfault', scope: 'container' },
      'counter',
    ),
    gauge('container_memory_rss', 'Size of RSS in bytes.', (each) => each.rssBytes),
    gauge(
      'container_memory_usage_bytes',
      'Current memory usage in bytes, including all memory regardless of when it was accessed',
      (each) => each.usageBytes,
    ),
    gauge('container_memory_working_set_bytes', 'Current working set in bytes.', (each) => each.workingSetBytes),
    gauge(
      'container_start_time_seconds',
      'Start time of the container since unix epoch in seconds.',
      (each) => each.startedAtMs && each.startedAtMs / 1000,
    ),
    family('machine_cpu_cores', 'Number of logical CPU cores.', 'gauge', [{ value: node.cores }], ''),
    family('machine_memory_bytes', 'Amount of memory installed on the machine.', 'gauge', [{ value: node.capacityBytes }], ''),
  ].join('');
}

function family(
  name: string,
  help: string,
  type: 'gauge' | 'counter',
  samples: readonly Sample[],
  level: string = stabilityOf(name),
): string {
  if (samples.length === 0) return '';
  const lines = samples.map(({ labels = {}, value, atMs }) => {
    const pairs = Object.entries(labels)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([label, text]) => `${label}=${JSON.stringify(text)}`);
    return `${name}${pairs.length ? `{${pairs.join(',')}}` : ''} ${goFloat(value)}${atMs === undefined ? '' : ` ${atMs}`}`;
  });
  return `# HELP ${name} ${level && `[${level}] `}${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`;
}
