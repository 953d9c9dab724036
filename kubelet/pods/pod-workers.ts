// The workers of a node's pods, by uid: one for each pod that a source has, until it has ended.

import type { Pod } from '../../api/core.ts';
import type { KubeletContext } from '../context.ts';
import { PodWorker } from './pod-worker.ts';

export interface PodWorkersOptions {
  context: KubeletContext;
  apiPod(pod: Pod): Pod | undefined;
}

export class PodWorkers {
  readonly #options: PodWorkersOptions;
  readonly #workers = new Map<string, PodWorker>();

  constructor(options: PodWorkersOptions) {
    this.#options = options;
  }

  update(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    const known = this.#workers.get(uid);
    if (known) {
      known.update(pod);
      return;
    }
    const { context, apiPod } = this.#options;
    const worker = new PodWorker({ context, pod, apiPod, onFinished: () => this.#workers.delete(uid) });
    this.#workers.set(uid, worker);
    worker.update(pod);
  }

  remove(uid: string): void {
    this.#workers.get(uid)?.remove();
  }

  get(uid: string): PodWorker | undefined {
    return this.#workers.get(uid);
  }

  byName(namespace: string, name: string): PodWorker | undefined {
    for (const worker of this.#workers.values()) {
      if (worker.pod.metadata?.name === name && worker.pod.metadata.namespace === namespace) return worker;
    }
    return undefined;
  }

  all(): PodWorker[] {
    return [...this.#workers.values()];
  }

  wakeAll(): void {
    for (const worker of this.#workers.values()) worker.wake();
  }

  /** Pods that take up the node, but for one. */
  active(exceptUid: string): Pod[] {
    return this.all().flatMap((worker) => (worker.isActive && worker.uid !== exceptUid ? [worker.pod] : []));
  }

  async stop(): Promise<void> {
    await Promise.all(this.all().map((worker) => worker.stop()));
  }
}
