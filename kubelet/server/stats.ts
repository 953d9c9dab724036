// GET /stats/summary, /metrics/resource: what nodes, pods and containers use, in Kubernetes' forms.

import { freemem, loadavg, totalmem } from 'node:os';
import type * as cri from '../../runtime/cri-types.ts';
import type { KubeletContext } from '../context.ts';
import { containerNameLabel } from '../pods/names.ts';
import { identityOfLabels } from '../pods/pod-state.ts';

const time = (nanoseconds: number | undefined, nowMs: number) =>
  new Date(nanoseconds ? nanoseconds / 1e6 : nowMs).toISOString().replace(/\.\d+Z$/, 'Z');

/** The Summary API's document. */
export async function statsSummary(context: KubeletContext): Promise<object> {
  const nowMs = context.clock.nowMs();
  const byPod = new Map<string, { podRef: object; containers: object[] }>();
  for (const stats of await context.runtime.listContainerStats()) {
    const identity = identityOfLabels(stats.attributes?.labels);
    if (!identity) continue;
    const entry = byPod.get(identity.uid) ?? { podRef: identity, containers: [] };
    byPod.set(identity.uid, entry);
    entry.containers.push({
      name: stats.attributes?.labels?.[containerNameLabel],
      startTime: time(undefined, nowMs),
      cpu: cpuOf(stats.cpu, nowMs),
      memory: memoryOf(stats.memory, nowMs),
      rootfs: { time: time(stats.writableLayer?.timestamp, nowMs), usedBytes: stats.writableLayer?.usedBytes?.value ?? 0 },
    });
  }
  const node = {
    nodeName: context.nodeName,
    cpu: { time: time(undefined, nowMs), usageNanoCores: Math.round((loadavg()[0] ?? 0) * 1e9) },
    memory: {
      time: time(undefined, nowMs),
      availableBytes: freemem(),
      usageBytes: totalmem() - freemem(),
      workingSetBytes: totalmem() - freemem(),
    },
  };
  return { node, pods: [...byPod.values()] };
}

const cpuOf = (cpu: cri.CpuUsage | undefined, nowMs: number) => ({
  time: time(cpu?.timestamp, nowMs),
  usageNanoCores: cpu?.usageNanoCores?.value ?? 0,
  usageCoreNanoSeconds: cpu?.usageCoreNanoSeconds?.value ?? 0,
});

const memoryOf = (memory: cri.MemoryUsage | undefined, nowMs: number) => ({
  time: time(memory?.timestamp, nowMs),
  workingSetBytes: memory?.workingSetBytes?.value ?? 0,
  usageBytes: memory?.usageBytes?.value ?? 0,
  rssBytes: memory?.rssBytes?.value ?? 0,
});

/** Prometheus' text, as metrics-server reads it. */
export async function resourceMetrics(context: KubeletContext): Promise<string> {
  const cpu: string[] = [];
  const memory: string[] = [];
  for (const stats of await context.runtime.listContainerStats()) {
    const identity = identityOfLabels(stats.attributes?.labels);
    if (!identity) continue;
    const name = stats.attributes?.labels?.[containerNameLabel];
    const labels = `{container=${JSON.stringify(name)},namespace=${JSON.stringify(identity.namespace)},pod=${JSON.stringify(identity.name)}}`;
    const atMs = Math.floor((stats.cpu?.timestamp ?? 0) / 1e6);
    cpu.push(`container_cpu_usage_seconds_total${labels} ${(stats.cpu?.usageCoreNanoSeconds?.value ?? 0) / 1e9} ${atMs}`);
    memory.push(`container_memory_working_set_bytes${labels} ${stats.memory?.workingSetBytes?.value ?? 0} ${atMs}`);
  }
  return [
    '# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the container in core-seconds',
    '# TYPE container_cpu_usage_seconds_total counter',
    ...cpu,
    '# HELP container_memory_working_set_bytes [STABLE] Current working set of the container in bytes',
    '# TYPE container_memory_working_set_bytes gauge',
    ...memory,
    '',
  ].join('\n');
}

/** The kubelet's own numbers, under Kubernetes' names. */
export function kubeletMetrics(running: { pods: number; containers: number }): string {
  const { rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const gauge = (name: string, help: string, value: number) => [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${value}`];
  return [
    ...gauge('kubelet_running_pods', '[ALPHA] Number of pods that have a running pod sandbox', running.pods),
    ...gauge('kubelet_running_containers', '[ALPHA] Number of containers currently running', running.containers),
    ...gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', rss),
    '# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.',
    '# TYPE process_cpu_seconds_total counter',
    `process_cpu_seconds_total ${(user + system) / 1e6}`,
    '',
  ].join('\n');
}
