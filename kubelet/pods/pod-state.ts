// What the runtime knows of one pod: its sandboxes and containers, read afresh from CRI whenever a worker looks.
// Nothing else remembers what runs, so a kubelet that was killed finds everything again.

import type * as cri from '../../runtime/cri-types.ts';
import type { ContainerRuntime } from '../../runtime/runtime.ts';
import { containerHashAnnotation, containerNameLabel, type PodIdentity, podUidLabel, restartCountAnnotation } from './names.ts';

export interface SandboxState {
  id: string;
  attempt: number;
  createdAtMs: number;
  isReady: boolean;
  isHostNetwork: boolean;
  ips: string[];
}

export interface ContainerState {
  id: string;
  name: string;
  podSandboxId: string;
  state: 'created' | 'running' | 'exited' | 'unknown';
  restartCount: number;
  hash: string;
  createdAtMs: number;
  startedAtMs: number;
  finishedAtMs: number;
  exitCode: number;
  reason: string;
  message: string;
  image: string;
  imageId: string;
  logPath: string;
  annotations: Record<string, string>;
  mounts: cri.Mount[];
  resources?: cri.LinuxContainerResources;
}

export interface PodState {
  /** Newest first. */
  sandboxes: SandboxState[];
  /** Newest first. */
  containers: ContainerState[];
}

export const emptyPodState: PodState = { sandboxes: [], containers: [] };

/** Reads pods' states; remembers what cannot change any more (an exited container, a ready sandbox's addresses). */
export class PodStateReader {
  readonly #runtime: ContainerRuntime;
  readonly #exited = new Map<string, ContainerState>();
  readonly #ready = new Map<string, SandboxState>();

  constructor(runtime: ContainerRuntime) {
    this.#runtime = runtime;
  }

  async read(uid: string): Promise<PodState> {
    const labelSelector = { [podUidLabel]: uid };
    const [sandboxes, containers] = await Promise.all([
      this.#runtime.listPodSandboxes({ labelSelector }),
      this.#runtime.listContainers({ labelSelector }),
    ]);
    const [sandboxStates, containerStates] = await Promise.all([
      Promise.all(sandboxes.map((sandbox) => this.#sandbox(sandbox))),
      Promise.all(containers.map((container) => this.#container(container))),
    ]);
    return {
      sandboxes: sandboxStates.filter((s) => s !== undefined).sort((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt),
      containers: containerStates
        .filter((c) => c !== undefined)
        .sort((a, b) => b.createdAtMs - a.createdAtMs || b.restartCount - a.restartCount),
    };
  }

  /** Forgets what it remembers of things that no longer exist. */
  retain(ids: ReadonlySet<string>): void {
    for (const map of [this.#exited, this.#ready]) for (const id of map.keys()) if (!ids.has(id)) map.delete(id);
  }

  async #sandbox(sandbox: cri.PodSandbox): Promise<SandboxState | undefined> {
    const id = sandbox.id ?? '';
    const isReady = sandbox.state === 'SANDBOX_READY';
    const known = this.#ready.get(id);
    if (known && isReady) return known;
    this.#ready.delete(id);
    const status = await this.#runtime.podSandboxStatus(id);
    if (!status) return undefined;
    const isHostNetwork = status.linux?.namespaces?.options?.network === 'NODE';
    const ips = isHostNetwork ? [] : [status.network?.ip ?? '', ...(status.network?.additionalIps ?? []).map((a) => a.ip ?? '')];
    const state: SandboxState = {
      id,
      attempt: status.metadata?.attempt ?? 0,
      createdAtMs: toMs(status.createdAt),
      isReady: status.state === 'SANDBOX_READY',
      isHostNetwork,
      ips: ips.filter((ip) => ip !== ''),
    };
    if (state.isReady) this.#ready.set(id, state);
    return state;
  }

  async #container(container: cri.Container): Promise<ContainerState | undefined> {
    const id = container.id ?? '';
    const known = this.#exited.get(id);
    if (known) return known;
    const status = await this.#runtime.containerStatus(id);
    if (!status) return undefined;
    const labels = status.labels ?? {};
    const annotations = status.annotations ?? {};
    const state: ContainerState = {
      id,
      name: labels[containerNameLabel] ?? status.metadata?.name ?? '',
      podSandboxId: container.podSandboxId ?? '',
      state: stateNames[status.state ?? 'CONTAINER_UNKNOWN'],
      restartCount: Number(annotations[restartCountAnnotation] ?? status.metadata?.attempt ?? 0),
      hash: annotations[containerHashAnnotation] ?? '',
      createdAtMs: toMs(status.createdAt),
      startedAtMs: toMs(status.startedAt),
      finishedAtMs: toMs(status.finishedAt),
      exitCode: status.exitCode ?? 0,
      reason: status.reason ?? '',
      message: status.message ?? '',
      image: status.image?.image ?? '',
      imageId: status.imageRef || status.imageId || '',
      logPath: status.logPath ?? '',
      annotations,
      mounts: status.mounts ?? [],
      ...(status.resources?.linux ? { resources: status.resources.linux } : {}),
    };
    if (state.state === 'exited') this.#exited.set(id, state);
    return state;
  }
}

const stateNames: Record<cri.ContainerState, ContainerState['state']> = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
  CONTAINER_UNKNOWN: 'unknown',
};

const toMs = (nanoseconds: number | undefined) => Math.floor((nanoseconds ?? 0) / 1e6);

/** The newest container of a name, in one sandbox when given. */
export function latestContainer(state: PodState, name: string, podSandboxId?: string): ContainerState | undefined {
  return state.containers.find((c) => c.name === name && (podSandboxId === undefined || c.podSandboxId === podSandboxId));
}

/** Who a sandbox or container belongs to, by its labels. */
export function identityOfLabels(labels: Readonly<Record<string, string>> | undefined): PodIdentity | undefined {
  const uid = labels?.[podUidLabel];
  if (!uid) return undefined;
  return { uid, name: labels['io.kubernetes.pod.name'] ?? '', namespace: labels['io.kubernetes.pod.namespace'] ?? '' };
}
