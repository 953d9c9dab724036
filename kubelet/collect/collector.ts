// Removes what no pod needs any more: dead containers beyond the last, sandboxes without containers, everything of pods
// that no source knows, their directories, volumes, logs and cgroups.

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../api/core.ts';
import type { KubeletContext } from '../context.ts';
import { podDirectory, podsDirectory } from '../directories.ts';
import { containerNameLabel, podUidLabel, terminationGraceAnnotation } from '../pods/names.ts';
import { identityOfLabels } from '../pods/pod-state.ts';
import type { PodWorkers } from '../pods/pod-workers.ts';
import { killPod } from '../pods/termination.ts';

export interface CollectorOptions {
  context: KubeletContext;
  workers: PodWorkers;
  /** Sources have told everything: what they do not know may go. */
  areSourcesReady(): boolean;
}

/** Dead containers kept for each container of a pod: the last one's log. */
const deadMax = 1;
const graceSecondsDefault = 30;

export class Collector {
  readonly #options: CollectorOptions;
  /** Orphans being ended. */
  readonly #ending = new Set<string>();

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** One round. @throws RuntimeError */
  async collect(): Promise<void> {
    await this.#collectContainers();
    if (!this.#options.areSourcesReady()) return;
    await this.endOrphans();
    await this.#collectDirectories();
  }

  /** Ends what runs of pods that no source knows. */
  async endOrphans(): Promise<void> {
    const { context, workers } = this.#options;
    for (const sandbox of await context.runtime.listPodSandboxes()) {
      const identity = identityOfLabels(sandbox.labels);
      if (!identity || workers.get(identity.uid) || this.#ending.has(identity.uid)) continue;
      this.#ending.add(identity.uid);
      const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...identity } };
      void this.#endOrphan(pod)
        .catch((error: unknown) => context.log.warn('orphaned pod not ended yet', { pod: identity.name, error: String(error) }))
        .finally(() => this.#ending.delete(identity.uid));
    }
  }

  async #endOrphan(pod: Pod): Promise<void> {
    const { context } = this.#options;
    const uid = pod.metadata?.uid ?? '';
    const state = await context.states.read(uid);
    const annotated = Number(state.containers[0]?.annotations[terminationGraceAnnotation]);
    const graceSeconds = Number.isFinite(annotated) ? annotated : graceSecondsDefault;
    await killPod(context, { pod, state, graceSeconds, signal: context.signal });
    const after = await context.states.read(uid);
    for (const container of after.containers) await context.runtime.removeContainer(container.id);
    for (const sandbox of after.sandboxes) await context.runtime.removePodSandbox(sandbox.id);
    await context.volumes.tearDown(uid);
    await context.removePodDirectories(pod);
  }

  async #collectContainers(): Promise<void> {
    const { context, workers } = this.#options;
    const [containers, sandboxes] = await Promise.all([context.runtime.listContainers(), context.runtime.listPodSandboxes()]);
    const dead = new Map<string, { id: string; createdAt: number }[]>();
    for (const { id = '', state, labels, createdAt = 0 } of containers) {
      const uid = labels?.[podUidLabel];
      if (!uid || state !== 'CONTAINER_EXITED' || !workers.get(uid)) continue;
      const key = `${uid}/${labels[containerNameLabel]}`;
      dead.set(key, [...(dead.get(key) ?? []), { id, createdAt }]);
    }
    const removed = new Set<string>();
    for (const list of dead.values()) {
      list.sort((a, b) => b.createdAt - a.createdAt);
      for (const { id } of list.slice(deadMax)) {
        removed.add(id);
        await context.runtime.removeContainer(id);
      }
    }
    const used = new Set(containers.filter((c) => !removed.has(c.id ?? '')).map((c) => c.podSandboxId));
    const newest = new Map<string, number>();
    for (const { labels, createdAt = 0 } of sandboxes) {
      const uid = labels?.[podUidLabel] ?? '';
      newest.set(uid, Math.max(newest.get(uid) ?? 0, createdAt));
    }
    for (const { id = '', state, labels, createdAt = 0 } of sandboxes) {
      const uid = labels?.[podUidLabel] ?? '';
      const isOld = createdAt < (newest.get(uid) ?? 0);
      if (workers.get(uid) && state === 'SANDBOX_NOTREADY' && isOld && !used.has(id)) await context.runtime.removePodSandbox(id);
    }
  }

  async #collectDirectories(): Promise<void> {
    const { context, workers } = this.#options;
    const inRuntime = new Set((await context.runtime.listPodSandboxes()).map((s) => s.labels?.[podUidLabel] ?? ''));
    const isOrphan = (uid: string) => !workers.get(uid) && !inRuntime.has(uid);
    for (const uid of await list(podsDirectory(context.directories))) {
      if (!isOrphan(uid)) continue;
      await context.volumes.tearDown(uid);
      await rm(podDirectory(context.directories, uid), { recursive: true, force: true });
    }
    for (const name of await list(context.directories.podLogs)) {
      const uid = name.slice(name.lastIndexOf('_') + 1);
      if (isOrphan(uid)) await rm(join(context.directories.podLogs, name), { recursive: true, force: true });
    }
    const known = new Set([...workers.all().map((w) => w.uid), ...inRuntime]);
    await context.cgroups.collect(known);
  }
}

const list = (path: string) =>
  readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
