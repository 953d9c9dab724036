// One simulated container: its state, its log and when it ends, on the clock it is given.

import type { Clock, Timer } from '../../base/clock.ts';
import type * as cri from '../cri-types.ts';
import { type Behaviour, logLinesMax } from './behaviour.ts';

export interface SimulatedContainerOptions {
  id: string;
  podSandboxId: string;
  config: cri.ContainerConfig;
  logDirectory: string;
  imageId: string;
  behaviour: Behaviour;
  clock: Clock;
  onExit: () => void;
}

const killedExitCode = 137;

export class SimulatedContainer {
  readonly id: string;
  readonly podSandboxId: string;
  readonly behaviour: Behaviour;
  state: cri.ContainerState = 'CONTAINER_CREATED';
  resources: cri.LinuxContainerResources;
  readonly #options: SimulatedContainerOptions;
  readonly #createdMs: number;
  #startedMs = 0;
  #finishedMs = 0;
  #exitCode = 0;
  #ends: Timer | undefined;
  #log: string[] = [];
  readonly #exitWaiters = new Set<() => void>();

  constructor(options: SimulatedContainerOptions) {
    this.#options = options;
    this.id = options.id;
    this.podSandboxId = options.podSandboxId;
    this.behaviour = options.behaviour;
    this.resources = options.config.linux?.resources ?? {};
    this.#createdMs = options.clock.nowMs();
  }

  get config(): cri.ContainerConfig {
    return this.#options.config;
  }

  get runMs(): number {
    return this.state === 'CONTAINER_RUNNING' ? this.#options.clock.nowMs() - this.#startedMs : 0;
  }

  start(): void {
    const { exitAfterSeconds, exitCode, log } = this.behaviour;
    this.state = 'CONTAINER_RUNNING';
    this.#startedMs = this.#options.clock.nowMs();
    const time = `${new Date(this.#startedMs).toISOString().slice(0, -1)}000000Z`;
    this.#log = [...this.#log, ...log.map((line) => `${time} stdout F ${line}\n`)].slice(-logLinesMax);
    if (exitAfterSeconds !== undefined) this.#endAfter(exitAfterSeconds * 1000, exitCode);
  }

  /** Resolves when it has ended. */
  stop(timeoutSeconds: number): Promise<void> {
    if (this.state !== 'CONTAINER_RUNNING') return Promise.resolve();
    const { stopMs, stopExitCode } = this.behaviour;
    const ended = new Promise<void>((resolve) => this.#exitWaiters.add(resolve));
    const isKilled = stopMs > timeoutSeconds * 1000 || timeoutSeconds === 0;
    const delayMs = isKilled ? timeoutSeconds * 1000 : stopMs;
    if (delayMs === 0) this.end(isKilled ? killedExitCode : stopExitCode);
    else this.#endAfter(delayMs, isKilled ? killedExitCode : stopExitCode);
    return ended;
  }

  end(exitCode = killedExitCode): void {
    this.#ends?.cancel();
    if (this.state !== 'CONTAINER_RUNNING') return;
    this.state = 'CONTAINER_EXITED';
    this.#finishedMs = this.#options.clock.nowMs();
    this.#exitCode = exitCode;
    for (const resolve of this.#exitWaiters) resolve();
    this.#exitWaiters.clear();
    this.#options.onExit();
  }

  isReady(): boolean {
    const { readyAfterSeconds, unreadyAfterSeconds = Number.POSITIVE_INFINITY } = this.behaviour;
    const seconds = this.runMs / 1000;
    return this.state === 'CONTAINER_RUNNING' && seconds >= readyAfterSeconds && seconds < unreadyAfterSeconds;
  }

  log(): Uint8Array {
    return Buffer.from(this.#log.join(''));
  }

  summary(): cri.Container {
    const { config, imageId } = this.#options;
    const { metadata = {}, image = {}, labels = {}, annotations = {} } = config;
    const { id, podSandboxId, state } = this;
    return { id, podSandboxId, state, metadata, image, imageRef: imageId, labels, annotations, createdAt: nanoseconds(this.#createdMs) };
  }

  status(): cri.ContainerStatus {
    const { config, logDirectory } = this.#options;
    const { podSandboxId: _, ...summary } = this.summary();
    const isExited = this.state === 'CONTAINER_EXITED';
    return {
      ...summary,
      startedAt: nanoseconds(this.#startedMs),
      finishedAt: nanoseconds(this.#finishedMs),
      exitCode: this.#exitCode,
      reason: !isExited ? '' : this.#exitCode === 0 ? 'Completed' : 'Error',
      message: '',
      mounts: config.mounts ?? [],
      logPath: logDirectory && config.logPath ? `${logDirectory}/${config.logPath}` : '',
      resources: { linux: this.resources },
    };
  }

  stats(): cri.ContainerStats {
    const { metadata = {}, labels = {}, annotations = {} } = this.config;
    const timestamp = nanoseconds(this.#options.clock.nowMs());
    const { cpuCores, memoryBytes } = this.behaviour;
    return {
      attributes: { id: this.id, metadata, labels, annotations },
      cpu: {
        timestamp,
        usageCoreNanoSeconds: { value: Math.round(cpuCores * nanoseconds(this.runMs)) },
        usageNanoCores: { value: Math.round(cpuCores * 1e9) },
      },
      memory: { timestamp, workingSetBytes: { value: memoryBytes }, usageBytes: { value: memoryBytes }, rssBytes: { value: memoryBytes } },
      writableLayer: { timestamp, usedBytes: { value: 0 }, inodesUsed: { value: 0 } },
    };
  }

  #endAfter(delayMs: number, exitCode: number): void {
    this.#ends?.cancel();
    this.#ends = this.#options.clock.setTimer(delayMs, () => this.end(exitCode));
  }
}

export function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}
