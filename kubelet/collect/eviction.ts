// Ending pods before the node runs out: when memory or disk falls below its threshold the node says so, and the pod
// that uses most beyond what it asked for goes first, one at a time. rankForEviction is pure.

import { readFile, statfs } from 'node:fs/promises';
import type { Pod } from '../../api/core.ts';
import { podRequests } from '../../api/pods.ts';
import { quantityValue } from '../../api/quantity.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { ContainerRuntime } from '../../runtime/runtime.ts';
import type { KubeletMetrics } from '../metrics/kubelet-metrics.ts';
import { podUidLabel } from '../pods/names.ts';
import type { PodWorkers } from '../pods/pod-workers.ts';
import type { ImageCollector } from './image-collector.ts';

export interface EvictionOptions {
  runtime: ContainerRuntime;
  workers: PodWorkers;
  images: ImageCollector;
  clock: Clock;
  log: Log;
  metrics: Pick<KubeletMetrics, 'evicted'>;
  /** Whose file system is watched. */
  rootDirectory: string;
  /** Default 100 MiB. */
  memoryAvailableBytesMin?: number;
  /** Default 10 %. */
  diskAvailablePercentMin?: number;
  onPressure(): void;
}

/** A pressure is reported for this long after it was last seen, so that it does not flap. */
const pressureMs = 300_000;

export class Eviction {
  readonly #options: EvictionOptions;
  readonly #lastMs = { memory: Number.NEGATIVE_INFINITY, disk: Number.NEGATIVE_INFINITY };

  constructor(options: EvictionOptions) {
    this.#options = options;
  }

  pressure(): { memory: boolean; disk: boolean; pid: boolean } {
    const nowMs = this.#options.clock.monotonicMs();
    const isRecent = (lastMs: number) => nowMs - lastMs < pressureMs;
    return { memory: isRecent(this.#lastMs.memory), disk: isRecent(this.#lastMs.disk), pid: false };
  }

  /** One look at the node. */
  async check(): Promise<void> {
    const { rootDirectory, memoryAvailableBytesMin = 100 << 20, diskAvailablePercentMin = 10, images, clock } = this.#options;
    const before = this.pressure();
    const memoryBytes = await availableMemoryBytes();
    if (memoryBytes !== undefined && memoryBytes < memoryAvailableBytesMin) {
      this.#lastMs.memory = clock.monotonicMs();
      await this.#evict('memory', memoryAvailableBytesMin, memoryBytes);
    }
    const { blocks, bavail, bsize } = await statfs(rootDirectory);
    if (blocks > 0 && (bavail * 100) / blocks < diskAvailablePercentMin) {
      this.#lastMs.disk = clock.monotonicMs();
      const wantedBytes = Math.ceil((blocks * bsize * diskAvailablePercentMin) / 100) - bavail * bsize;
      // Unused images first: no one misses them.
      if ((await images.free(wantedBytes)) < wantedBytes) await this.#evict('ephemeral-storage', wantedBytes, bavail * bsize);
    }
    const after = this.pressure();
    if (after.memory !== before.memory || after.disk !== before.disk) this.#options.onPressure();
  }

  async #evict(resource: 'memory' | 'ephemeral-storage', thresholdBytes: number, availableBytes: number): Promise<void> {
    const { runtime, workers, log } = this.#options;
    const usedBytes = new Map<string, number>();
    for (const stats of await runtime.listContainerStats()) {
      const uid = stats.attributes?.labels?.[podUidLabel];
      if (!uid) continue;
      const bytes = resource === 'memory' ? stats.memory?.workingSetBytes?.value : stats.writableLayer?.usedBytes?.value;
      usedBytes.set(uid, (usedBytes.get(uid) ?? 0) + (bytes ?? 0));
    }
    const candidates = workers.all().filter((worker) => worker.isActive && !isCritical(worker.pod));
    const [first] = rankForEviction(
      candidates.map((w) => w.pod),
      usedBytes,
      resource,
    );
    const worker = first && workers.get(first.metadata?.uid ?? '');
    if (!worker) return;
    const message = `The node was low on resource: ${resource}. Threshold quantity: ${thresholdBytes}, available: ${Math.floor(availableBytes / 1024)}Ki. `;
    this.#options.metrics.evicted(resource === 'memory' ? 'memory.available' : 'nodefs.available');
    log.warn('pod evicted', { pod: first.metadata?.name, resource });
    worker.evict('Evicted', message, 0);
  }
}

/** Static pods and those the system needs stay. */
function isCritical(pod: Pod): boolean {
  const isStatic = pod.metadata?.annotations?.['kubernetes.io/config.source'] === 'file';
  return isStatic || (pod.spec?.priority ?? 0) >= 2_000_000_000;
}

/** The first to go first: over its request before within it, then by lower priority, then by more use beyond its request. */
export function rankForEviction(pods: readonly Pod[], usedBytes: ReadonlyMap<string, number>, resource: string): Pod[] {
  const beyond = (pod: Pod) => {
    const request = podRequests(pod)[resource];
    return (usedBytes.get(pod.metadata?.uid ?? '') ?? 0) - (request ? quantityValue(request) : 0);
  };
  return [...pods].sort((a, b) => {
    const [overA, overB] = [beyond(a), beyond(b)];
    if (overA > 0 !== overB > 0) return overA > 0 ? -1 : 1;
    return (a.spec?.priority ?? 0) - (b.spec?.priority ?? 0) || overB - overA;
  });
}

/** undefined where the kernel does not say. */
async function availableMemoryBytes(): Promise<number | undefined> {
  try {
    const match = /^MemAvailable:\s+(\d+) kB$/m.exec(await readFile('/proc/meminfo', 'utf8'));
    return match ? Number(match[1]) * 1024 : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
