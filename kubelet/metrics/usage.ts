// What nodes, pods and containers use, as the runtime and the machine tell it: one reading, from which /stats/summary,
// /metrics/resource and /metrics/cadvisor are written.

import { cpus, freemem, totalmem, uptime } from 'node:os';
import type { KubeletContext } from '../context.ts';
import { containerNameLabel, podUidLabel } from '../pods/names.ts';
import { identityOfLabels } from '../pods/pod-state.ts';

export interface Usage {
  /** Milliseconds since the epoch at which it was measured. */
  atMs: number;
  cpuSeconds: number;
  workingSetBytes: number;
}

export interface ContainerUsage extends Usage {
  id: string;
  name: string;
  image: string;
  startedAtMs: number | undefined;
  usageBytes: number;
  rssBytes: number;
  pageFaults: number;
  majorPageFaults: number;
  nanoCores: number;
  writableBytes: number;
  writableInodes: number;
}

export interface PodUsage extends Usage {
  uid: string;
  name: string;
  namespace: string;
  nanoCores: number;
  containers: ContainerUsage[];
}

export interface NodeUsage extends Usage {
  capacityBytes: number;
  cores: number;
  bootedAtMs: number;
}

export async function readUsage({
  runtime,
  clock,
}: Pick<KubeletContext, 'runtime' | 'clock'>): Promise<{ node: NodeUsage; pods: PodUsage[] }> {
  const nowMs = clock.nowMs();
  const [stats, containers] = await Promise.all([runtime.listContainerStats(), runtime.listContainers()]);
  const byId = new Map(containers.map((container) => [container.id, container]));
  const pods = new Map<string, PodUsage>();
  for (const { attributes, cpu, memory, writableLayer } of stats) {
    const identity = identityOfLabels(attributes?.labels);
    if (!identity || !attributes?.labels?.[podUidLabel]) continue;
    const pod = pods.get(identity.uid) ?? { ...identity, atMs: nowMs, cpuSeconds: 0, workingSetBytes: 0, nanoCores: 0, containers: [] };
    pods.set(identity.uid, pod);
    const created = byId.get(attributes.id ?? '');
    const container: ContainerUsage = {
      id: attributes.id ?? '',
      name: attributes.labels[containerNameLabel] ?? '',
      image: created?.image?.userSpecifiedImage || created?.image?.image || '',
      startedAtMs: created?.createdAt ? created.createdAt / 1e6 : undefined,
      atMs: cpu?.timestamp ? Math.floor(cpu.timestamp / 1e6) : nowMs,
      cpuSeconds: (cpu?.usageCoreNanoSeconds?.value ?? 0) / 1e9,
      nanoCores: cpu?.usageNanoCores?.value ?? 0,
      workingSetBytes: memory?.workingSetBytes?.value ?? 0,
      usageBytes: memory?.usageBytes?.value ?? 0,
      rssBytes: memory?.rssBytes?.value ?? 0,
      pageFaults: memory?.pageFaults?.value ?? 0,
      majorPageFaults: memory?.majorPageFaults?.value ?? 0,
      writableBytes: writableLayer?.usedBytes?.value ?? 0,
      writableInodes: writableLayer?.inodesUsed?.value ?? 0,
    };
    pod.containers.push(container);
    pod.cpuSeconds += container.cpuSeconds;
    pod.nanoCores += container.nanoCores;
    pod.workingSetBytes += container.workingSetBytes;
  }
  return { node: nodeUsage(nowMs), pods: [...pods.values()] };
}

function nodeUsage(atMs: number): NodeUsage {
  const all = cpus();
  const busyMs = all.reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  // On Linux what is free counts what could be freed at once: the rest is the working set.
  const workingSetBytes = totalmem() - freemem();
  return {
    atMs,
    cpuSeconds: busyMs / 1000,
    workingSetBytes,
    capacityBytes: totalmem(),
    cores: all.length,
    bootedAtMs: atMs - uptime() * 1000,
  };
}
