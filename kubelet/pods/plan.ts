// What to do next for a pod: pure, from its spec, what the runtime has, what the probes found and the time. The same
// answer comes out however the state came about, so a worker may be killed between any two actions.

import type { Container, Pod } from '../../api/core.ts';
import { isSidecar } from '../../api/pods.ts';
import { type CrashBackoffEntry, crashBackoffRemainingMs } from './crash-backoff.ts';
import { type ContainerKind, containerHash } from './names.ts';
import { type ContainerState, latestContainer, type PodState, type SandboxState } from './pod-state.ts';

/** What the probes say of a running container; absent: nothing yet. */
export interface ProbeVerdict {
  liveness?: 'success' | 'failure' | undefined;
  startup?: 'success' | 'failure' | undefined;
}

export interface PlanInput {
  pod: Pod;
  state: PodState;
  /** By container id. */
  probes: ReadonlyMap<string, ProbeVerdict>;
  /** By container name. */
  backoffs: ReadonlyMap<string, CrashBackoffEntry>;
  nowMs: number;
}

export type PodAction =
  /** Ends every container and the sandboxes; `isFinal` when nothing will be started again. */
  | { type: 'killPod'; isFinal: boolean }
  | { type: 'createSandbox'; attempt: number }
  | { type: 'killContainer'; id: string; name: string; kind: ContainerKind; reason: KillReason; message: string }
  /** A container that was created and never started: an interrupted start. */
  | { type: 'removeContainer'; id: string; name: string }
  /** `podSandboxId` undefined: in the sandbox created just before. `finishedAtMs`: when its predecessor ended. */
  | {
      type: 'startContainer';
      name: string;
      kind: ContainerKind;
      restartCount: number;
      podSandboxId: string | undefined;
      finishedAtMs?: number;
    }
  /** A container waits for its restart until `untilMs`. */
  | { type: 'backOff'; name: string; kind: ContainerKind; delayMs: number; untilMs: number };

export type KillReason = 'liveness' | 'startup' | 'spec' | 'completed';

/** The actions in the order they are to be carried out; none: everything is as it should be. */
export function planPod(input: PlanInput): PodAction[] {
  const { pod, state } = input;
  const sandbox = currentSandbox(pod, state);
  if (!sandbox) return planWithoutSandbox(input);
  const planned = new Planner(input, sandbox);
  planned.planInit();
  planned.planEphemeral();
  return planned.finish();
}

/** The sandbox in which the pod runs, or undefined when it needs a new one. */
export function currentSandbox(pod: Pod, state: PodState): SandboxState | undefined {
  const [latest] = state.sandboxes;
  if (!latest?.isReady) return undefined;
  if (state.sandboxes.filter((s) => s.isReady).length > 1) return undefined;
  const isHostNetwork = pod.spec?.hostNetwork === true;
  if (latest.isHostNetwork !== isHostNetwork) return undefined;
  if (!isHostNetwork && latest.ips.length === 0) return undefined;
  return latest;
}

function planWithoutSandbox(input: PlanInput): PodAction[] {
  const { pod, state } = input;
  const actions: PodAction[] = [];
  const isAnythingUp = state.sandboxes.some((s) => s.isReady) || state.containers.some((c) => c.state === 'running');
  const attempt = state.sandboxes.length ? Math.max(...state.sandboxes.map((s) => s.attempt)) + 1 : 0;
  const policy = pod.spec?.restartPolicy ?? 'Always';
  if (attempt > 0 && policy === 'Never' && state.containers.length > 0) return isAnythingUp ? [{ type: 'killPod', isFinal: true }] : [];
  const unfinished = (pod.spec?.containers ?? []).filter((c) => {
    const last = latestContainer(state, c.name);
    return !(policy === 'OnFailure' && last?.state === 'exited' && last.exitCode === 0);
  });
  if (unfinished.length === 0) return isAnythingUp ? [{ type: 'killPod', isFinal: true }] : [];
  if (isAnythingUp) actions.push({ type: 'killPod', isFinal: false });
  for (const container of state.containers) {
    if (container.state === 'created') actions.push({ type: 'removeContainer', id: container.id, name: container.name });
  }
  actions.push({ type: 'createSandbox', attempt });
  const fresh: SandboxState = { id: '', attempt, createdAtMs: 0, isReady: true, isHostNetwork: false, ips: [] };
  const planner = new Planner(input, fresh);
  planner.planInit();
  return [...actions, ...planner.finish()];
}

/** Collects the actions for the containers of one sandbox. */
class Planner {
  readonly #input: PlanInput;
  readonly #sandbox: SandboxState;
  readonly #actions: PodAction[] = [];
  /** App and ephemeral containers that run or will run: sidecars alone do not keep a pod up. */
  #kept = 0;
  #isFailed = false;
  /** Later containers wait for an earlier one. */
  #isBlocked = false;

  constructor(input: PlanInput, sandbox: SandboxState) {
    this.#input = input;
    this.#sandbox = sandbox;
  }

  planInit(): void {
    const { pod } = this.#input;
    const regular = pod.spec?.containers ?? [];
    const init = pod.spec?.initContainers ?? [];
    const isInitialized = regular.some((c) => {
      const last = this.#inSandbox(c.name);
      return last !== undefined && last.state !== 'created';
    });
    // Once a later one exists, the earlier were done with, even when their remains have been collected since.
    const lastSeen = isInitialized ? init.length : init.findLastIndex((c) => this.#inSandbox(c.name) !== undefined);
    for (const [index, container] of init.entries()) {
      if (this.#initStep(container, isInitialized || index < lastSeen)) continue;
      this.#isBlocked = true;
      return;
    }
    for (const container of regular) this.#regularStep(container);
  }

  /** Whether the next container of the sequence may be looked at. */
  #initStep(container: Container, isPast: boolean): boolean {
    const current = this.#inSandbox(container.name);
    if (isSidecar(container)) return this.#sidecarStep(container, current) || isPast;
    if (current === undefined) {
      if (isPast) return true;
      this.#start('init', container, undefined);
      return false;
    }
    if (current.state === 'running') return false;
    if (current.state === 'created') {
      this.#restartCreated('init', container, current);
      return false;
    }
    if (current.state === 'exited' && current.exitCode === 0) return true;
    if (isPast) return true;
    if (this.#input.pod.spec?.restartPolicy === 'Never') this.#isFailed = true;
    else this.#start('init', container, current);
    return false;
  }

  #sidecarStep(container: Container, current: ContainerState | undefined): boolean {
    if (!current) {
      this.#start('init', container, undefined);
      return false;
    }
    if (current.state === 'created') {
      this.#restartCreated('init', container, current);
      return false;
    }
    if (current.state !== 'running') {
      this.#start('init', container, current);
      return false;
    }
    if (this.#killIfUnfit('init', container, current)) return false;
    return !container.startupProbe || this.#input.probes.get(current.id)?.startup === 'success';
  }

  #regularStep(container: Container): void {
    const current = this.#inSandbox(container.name);
    if (current?.state === 'running') {
      if (!this.#killIfUnfit('regular', container, current)) this.#kept++;
      return;
    }
    if (current?.state === 'created') {
      this.#restartCreated('regular', container, current);
      return;
    }
    if (this.#mayStart(container, current)) this.#start('regular', container, current);
  }

  #mayStart(container: Container, current: ContainerState | undefined): boolean {
    const policy = this.#input.pod.spec?.restartPolicy ?? 'Always';
    const previous = current ?? (policy === 'OnFailure' ? latestContainer(this.#input.state, container.name) : undefined);
    if (!previous || previous.state === 'unknown') return true;
    if (policy === 'Never') return false;
    return policy === 'Always' || previous.exitCode !== 0;
  }

  planEphemeral(): void {
    for (const container of this.#input.pod.spec?.ephemeralContainers ?? []) {
      const current = this.#inSandbox(container.name);
      if (current?.state === 'running') this.#kept++;
      else if (!current) this.#start('ephemeral', container as Container, undefined);
    }
  }

  /** A running container that must go: failed its probe, or is no longer what the spec says. */
  #killIfUnfit(kind: ContainerKind, container: Container, current: ContainerState): boolean {
    const verdict = this.#input.probes.get(current.id);
    let unfit: { reason: KillReason; message: string } | undefined;
    if (current.hash !== '' && current.hash !== containerHash(container)) {
      unfit = { reason: 'spec', message: `Container ${container.name} definition changed` };
    } else if (verdict?.liveness === 'failure') {
      unfit = { reason: 'liveness', message: `Container ${container.name} failed liveness probe` };
    } else if (verdict?.startup === 'failure') {
      unfit = { reason: 'startup', message: `Container ${container.name} failed startup probe` };
    }
    if (!unfit) return false;
    const restarts = this.#input.pod.spec?.restartPolicy !== 'Never' || kind === 'init' || unfit.reason === 'spec';
    const message = restarts ? `${unfit.message}, will be restarted` : unfit.message;
    this.#actions.push({ type: 'killContainer', id: current.id, name: container.name, kind, reason: unfit.reason, message });
    if (kind !== 'init') this.#kept++;
    return true;
  }

  #restartCreated(kind: ContainerKind, container: Container, current: ContainerState): void {
    this.#actions.push({ type: 'removeContainer', id: current.id, name: container.name });
    if (kind !== 'init') this.#kept++;
    this.#actions.push(this.#startAction(kind, container.name, current.restartCount));
  }

  #start(kind: ContainerKind, container: Container, current: ContainerState | undefined): void {
    if (kind !== 'init') this.#kept++;
    const previous = current ?? latestContainer(this.#input.state, container.name);
    if (!previous) {
      this.#actions.push(this.#startAction(kind, container.name, 0));
      return;
    }
    if (current?.state === 'exited') {
      const { nowMs, backoffs } = this.#input;
      const entry = backoffs.get(container.name);
      const remainingMs = crashBackoffRemainingMs(entry, current.finishedAtMs, nowMs);
      if (remainingMs > 0 && entry) {
        this.#actions.push({ type: 'backOff', name: container.name, kind, delayMs: entry.delayMs, untilMs: nowMs + remainingMs });
        return;
      }
    }
    const isCreatedOnly = previous.state === 'created';
    const restartCount = isCreatedOnly ? previous.restartCount : previous.restartCount + 1;
    const finished = current?.state === 'exited' ? { finishedAtMs: current.finishedAtMs } : {};
    this.#actions.push({ ...this.#startAction(kind, container.name, restartCount), ...finished });
  }

  #startAction(kind: ContainerKind, name: string, restartCount: number): PodAction & { type: 'startContainer' } {
    return { type: 'startContainer', name, kind, restartCount, podSandboxId: this.#sandbox.id || undefined };
  }

  finish(): PodAction[] {
    if (this.#isFailed || (!this.#isBlocked && this.#kept === 0)) return [{ type: 'killPod', isFinal: true }];
    return this.#actions;
  }

  #inSandbox(name: string): ContainerState | undefined {
    return this.#sandbox.id ? latestContainer(this.#input.state, name, this.#sandbox.id) : undefined;
  }
}
