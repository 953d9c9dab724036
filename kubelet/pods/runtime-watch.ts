// What wakes workers from below: the runtime's events, and a look at everything every few seconds for what events
// missed. Neither says what happened; workers look for themselves.

import type { Subscription } from 'rxjs';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { ContainerRuntime, RuntimeEvent } from '../../runtime/runtime.ts';
import type { KubeletMetrics } from '../metrics/kubelet-metrics.ts';
import { podUidLabel } from './names.ts';
import type { PodStateReader } from './pod-state.ts';

export interface RuntimeWatchOptions {
  runtime: ContainerRuntime;
  states: PodStateReader;
  clock: Clock;
  log: Log;
  metrics: Pick<KubeletMetrics, 'nowMs' | 'relisted'>;
  /** Default 10 s. */
  relistMs?: number;
  onPod(uid: string): void;
  /** How the runtime answers: a text when it does not. */
  onHealth(error: string | undefined): void;
}

export class RuntimeWatch {
  readonly #options: RuntimeWatchOptions;
  /** Which pod a container or sandbox belongs to. */
  #owners = new Map<string, string>();
  #prints = new Map<string, string>();
  #subscription: Subscription | undefined;
  #timer: Timer | undefined;
  #isClosed = false;
  #relisting: Promise<void> | undefined;

  constructor(options: RuntimeWatchOptions) {
    this.#options = options;
  }

  /** Resolves after the first look. */
  async start(): Promise<void> {
    this.#subscription = this.#options.runtime.events().subscribe({
      next: (event) => this.#onEvent(event),
      error: (error: unknown) => this.#options.log.warn('runtime events ended; relisting goes on', { error: String(error) }),
    });
    await this.relist();
    this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
    this.#subscription?.unsubscribe();
    this.#timer?.cancel();
  }

  /** Every pod uid that has anything in the runtime, as last seen. */
  uids(): Set<string> {
    return new Set(this.#owners.values());
  }

  relist(): Promise<void> {
    this.#relisting ??= this.#relist().finally(() => {
      this.#relisting = undefined;
    });
    return this.#relisting;
  }

  async #relist(): Promise<void> {
    const { runtime, states, log, metrics, onPod, onHealth } = this.#options;
    const startMs = metrics.nowMs();
    try {
      const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()]);
      const owners = new Map<string, string>();
      const parts = new Map<string, string[]>();
      for (const { id = '', state = '', labels } of [...sandboxes, ...containers]) {
        const uid = labels?.[podUidLabel];
        if (!uid) continue;
        owners.set(id, uid);
        parts.set(uid, [...(parts.get(uid) ?? []), `${id}:${state}`]);
      }
      const prints = new Map([...parts].map(([uid, list]) => [uid, list.sort().join()]));
      const changed = [...new Set([...prints.keys(), ...this.#prints.keys()])].filter((uid) => prints.get(uid) !== this.#prints.get(uid));
      this.#owners = owners;
      this.#prints = prints;
      states.retain(new Set(owners.keys()));
      onHealth(undefined);
      metrics.relisted(startMs);
      for (const uid of changed) onPod(uid);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      log.warn('the runtime does not answer', { error: error.message });
      onHealth(error.message);
    }
  }

  #onEvent(event: RuntimeEvent): void {
    if (event.type === 'resync') {
      void this.relist();
      return;
    }
    const uid = this.#owners.get(event.id) ?? (event.podSandboxId ? this.#owners.get(event.podSandboxId) : undefined);
    if (uid) this.#options.onPod(uid);
    // Made since the last look; its own worker made it and knows, unless it has ended already.
    else if (event.type === 'stopped') void this.relist();
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.setTimer(this.#options.relistMs ?? 10_000, () => {
      void this.relist().then(() => this.#schedule());
    });
  }
}
