// Getting images onto the node without making anyone wait: a worker asks, learns how things stand, and is told when
// they have changed. Pulls run in parallel up to a bound; failures back off from 10 s to 5 min per pod and image.

import type { Container, Pod, Secret } from '../../api/core.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { EventRecorder } from '../../client/events.ts';
import type * as cri from '../../runtime/cri-types.ts';
import { type ContainerRuntime, RuntimeError } from '../../runtime/runtime.ts';
import { StartFailure } from '../containers/config-error.ts';
import { formatDuration } from '../go-duration.ts';
import { type ContainerKind, fieldPathOf } from '../pods/names.ts';
import { withDefaultTag } from './image-name.ts';
import { credentialsFor } from './pull-secrets.ts';

export interface ImagePullOptions {
  /** Pulls at the same time; default 4. */
  parallelMax?: number;
}

export interface ImagePullerOptions extends ImagePullOptions {
  runtime: ContainerRuntime;
  clock: Clock;
  events: EventRecorder;
}

export interface ImageRequest {
  pod: Pod;
  kind: ContainerKind;
  container: Container;
  pullSecrets(): Promise<Secret[]>;
  sandboxConfig?: cri.PodSandboxConfig;
  /** Called once when a pull that was under way has ended, or a back-off is over. */
  onChange(): void;
}

/** 'pulling': ask again after onChange. */
export type ImageOutcome = { image: cri.Image } | 'pulling';

interface Backoff {
  delayMs: number;
  atMs: number;
  message: string;
  timer?: Timer;
}

/** How long `ErrImagePull` shows before `ImagePullBackOff` takes its place. */
const toldMs = 3_000;
const backoffMsBase = 10_000;
const backoffMsMax = 300_000;
const backoffEntriesMax = 4096;

export class ImagePuller {
  readonly #options: ImagePullerOptions;
  /** Pulls under way, by pod and image, and who wants to hear of their end. */
  readonly #pulling = new Map<string, { waiters: Set<() => void> }>();
  readonly #backoffs = new Map<string, Backoff>();
  /** Pulls that have ended well and whose pod has not asked yet, so that `Always` does not pull twice for one start. */
  readonly #pulled = new Map<string, string>();
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(options: ImagePullerOptions) {
    this.#options = options;
  }

  /** @throws StartFailure when the image is not to be had now */
  async ensure(request: ImageRequest): Promise<ImageOutcome> {
    const { pod, container } = request;
    const { runtime } = this.#options;
    const name = this.#checkName(request);
    const key = `${pod.metadata?.uid}_${container.image}`;
    const under = this.#pulling.get(key);
    if (under) {
      under.waiters.add(request.onChange);
      return 'pulling';
    }
    const pulledRef = this.#pulled.get(key);
    this.#pulled.delete(key);
    const present = await this.#inspect(request, name);
    const policy = container.imagePullPolicy ?? (name.endsWith(':latest') ? 'Always' : 'IfNotPresent');
    if (present && (policy !== 'Always' || pulledRef !== undefined)) {
      if (pulledRef === undefined)
        this.#record(request, 'Normal', 'Pulled', `Container image "${container.image}" already present on machine`);
      return { image: present };
    }
    if (policy === 'Never') {
      const message = `Container image "${container.image}" is not present with pull policy of Never`;
      this.#record(request, 'Warning', 'ErrImageNeverPull', message);
      throw new StartFailure('ErrImageNeverPull', message);
    }
    this.#checkBackoff(request, key);
    const raced = this.#pulling.get(key);
    if (raced) raced.waiters.add(request.onChange);
    else {
      const pull = { waiters: new Set([request.onChange]) };
      this.#pulling.set(key, pull);
      this.#enqueue(() => this.#pull(request, name, key, runtime));
    }
    return 'pulling';
  }

  /** Forgets a pod's back-offs. */
  forget(uid: string): void {
    for (const map of [this.#backoffs, this.#pulled]) for (const key of map.keys()) if (key.startsWith(`${uid}_`)) map.delete(key);
  }

  #checkName(request: ImageRequest): string {
    const image = request.container.image ?? '';
    try {
      return withDefaultTag(image);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${why}`;
      this.#record(request, 'Warning', 'InspectFailed', message);
      throw new StartFailure('InvalidImageName', message);
    }
  }

  async #inspect(request: ImageRequest, name: string): Promise<cri.Image | undefined> {
    try {
      return await this.#options.runtime.imageStatus(name);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      const message = `Failed to inspect image "${request.container.image}": ${errorText(error)}`;
      this.#record(request, 'Warning', 'InspectFailed', message);
      throw new StartFailure('ImageInspectError', message);
    }
  }

  #checkBackoff(request: ImageRequest, key: string): void {
    const entry = this.#backoffs.get(key);
    if (!entry) return;
    const sinceMs = this.#options.clock.nowMs() - entry.atMs;
    if (sinceMs < toldMs) {
      this.#notifyAfter(entry, toldMs - sinceMs, request);
      throw new StartFailure('ErrImagePull', entry.message);
    }
    if (sinceMs >= entry.delayMs) return;
    const message = `Back-off pulling image "${request.container.image}"`;
    this.#record(request, 'Normal', 'BackOff', message);
    this.#record(request, 'Warning', 'Failed', 'Error: ImagePullBackOff');
    this.#notifyAfter(entry, entry.delayMs - sinceMs, request);
    throw new StartFailure('ImagePullBackOff', `${message}: ErrImagePull: ${entry.message}`);
  }

  #notifyAfter(entry: Backoff, delayMs: number, request: ImageRequest): void {
    entry.timer?.cancel();
    entry.timer = this.#options.clock.setTimer(delayMs, request.onChange);
  }

  #enqueue(run: () => Promise<void>): void {
    const start = () => {
      this.#running++;
      run().finally(() => {
        this.#running--;
        this.#queue.shift()?.();
      });
    };
    if (this.#running < (this.#options.parallelMax ?? 4)) start();
    else this.#queue.push(start);
  }

  async #pull(request: ImageRequest, name: string, key: string, runtime: ContainerRuntime): Promise<void> {
    const { clock } = this.#options;
    const image = request.container.image;
    const startedMs = clock.monotonicMs();
    this.#record(request, 'Normal', 'Pulling', `Pulling image "${image}"`);
    try {
      const secrets = await request.pullSecrets();
      const workStartedMs = clock.monotonicMs();
      const ref = await this.#pullWithCredentials(name, secrets, request.sandboxConfig, runtime);
      const size = (await runtime.imageStatus(name))?.size ?? 0;
      const nowMs = clock.monotonicMs();
      const took = `${formatDuration(nowMs - workStartedMs)} (${formatDuration(nowMs - startedMs)} including waiting)`;
      this.#record(request, 'Normal', 'Pulled', `Successfully pulled image "${image}" in ${took}. Image size: ${size} bytes.`);
      this.#backoffs.delete(key);
      bound(this.#pulled, backoffEntriesMax);
      this.#pulled.set(key, ref);
    } catch (error) {
      const message = errorText(error);
      this.#record(request, 'Warning', 'Failed', `Failed to pull image "${image}": ${message}`);
      this.#record(request, 'Warning', 'Failed', 'Error: ErrImagePull');
      this.#fail(key, message);
    }
    const waiters = this.#pulling.get(key)?.waiters ?? new Set();
    this.#pulling.delete(key);
    for (const notify of waiters) notify();
  }

  #fail(key: string, message: string): void {
    const nowMs = this.#options.clock.nowMs();
    const before = this.#backoffs.get(key);
    const isStale = !before || nowMs - before.atMs > 2 * backoffMsMax;
    const delayMs = isStale ? backoffMsBase : Math.min(backoffMsMax, before.delayMs * 2);
    bound(this.#backoffs, backoffEntriesMax);
    this.#backoffs.set(key, { delayMs, atMs: nowMs, message });
  }

  async #pullWithCredentials(
    name: string,
    secrets: readonly Secret[],
    sandboxConfig: cri.PodSandboxConfig | undefined,
    runtime: ContainerRuntime,
  ): Promise<string> {
    const candidates = credentialsFor(name, secrets);
    if (candidates.length === 0) return runtime.pullImage(name, undefined, sandboxConfig);
    let failure: unknown;
    for (const candidate of candidates) {
      try {
        return await runtime.pullImage(name, { ...candidate }, sandboxConfig);
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  #record(request: ImageRequest, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#options.events.record(request.pod, type, reason, message, fieldPathOf(request.kind, request.container.name));
  }
}

function bound(map: Map<string, unknown>, entriesMax: number): void {
  const [oldest] = map.keys();
  if (map.size >= entriesMax && oldest !== undefined) map.delete(oldest);
}

/** A runtime's refusal as Go's gRPC prints it. */
export function errorText(error: unknown): string {
  if (error instanceof RuntimeError) return `rpc error: code = ${error.code} desc = ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
