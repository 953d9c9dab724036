// One pod's life on this node. Everything that happens wakes the worker; it looks at what there is, asks plan.ts what
// to do, does it, and looks again. It keeps nothing that the runtime or the API could not tell it after a restart.
// Longer than most files: admission, start, crash, end and deletion share the one state that a worker serialises.

import { isDeepStrictEqual } from 'node:util';
import { type Pod, type PodStatus, pods, type Secret } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { aborted, isAbortError } from '../../base/abort.ts';
import { type Timer, timestamp } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { RuntimeError } from '../../runtime/runtime.ts';
import { StartFailure } from '../containers/config-error.ts';
import { type KubeletContext, podFacts, recordPodEvent } from '../context.ts';
import { formatDuration } from '../go-duration.ts';
import { admit } from '../phases/admission.ts';
import { containerPhases, podPhases } from '../phases/list.ts';
import type { ContainerStart, PodStart } from '../phases/phase.ts';
import { ownedConditionTypes, podStatus, type WaitingReason } from '../status/pod-status.ts';
import { type CrashBackoffEntry, nextCrashBackoff } from './crash-backoff.ts';
import { containersOf, fieldPathOf, formatPod, type NamedContainer } from './names.ts';
import { type PodAction, planPod } from './plan.ts';
import { type ContainerState, emptyPodState, type PodState } from './pod-state.ts';
import { killContainer, killPod } from './termination.ts';
import { readTerminationMessage } from './termination-message.ts';

const retryMsBase = 2_000;
const retryMsMax = 60_000;
const volumeRefreshMs = 60_000;
/** Rounds of plan and action in one go; more than any pod needs, and the loop of a bug ends. */
const roundsMax = 200;

type StartAction = PodAction & { type: 'startContainer' };

export interface PodWorkerOptions {
  context: KubeletContext;
  pod: Pod;
  /** The object that carries the pod's status in the API: itself, or a static pod's mirror; undefined: none yet. */
  apiPod(pod: Pod): Pod | undefined;
  onFinished(): void;
}

export class PodWorker {
  readonly #options: PodWorkerOptions;
  readonly #context: KubeletContext;
  readonly #log: Log;
  readonly uid: string;
  #pod: Pod;
  #isRemoved = false;
  #eviction: { reason: string; message: string; graceSeconds: number } | undefined;
  #isAdmitted = false;
  #failure: { reason: string; message: string } | undefined;
  #isStopped = false;
  /** Nothing of the pod runs and its volumes are gone; it only waits to be deleted. */
  #isCleaned = false;
  #isDirty = true;
  #isFresh = true;
  #isRunning = false;
  #ended: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #failures = 0;
  /** Ends what a start waits for when the pod is to end. */
  #starting = new AbortController();
  /** Ends the wait of a termination when its grace period is shortened. */
  #terminating = new AbortController();
  #graceSeconds = Number.POSITIVE_INFINITY;
  #state: PodState = emptyPodState;
  #published: PodStatus | undefined;
  #volumesRefreshedMs: number;
  readonly #startTime: string;
  /** When it was first seen, monotonic. */
  readonly #seenMs: number;
  readonly #waiting = new Map<string, WaitingReason>();
  readonly #backoffs = new Map<string, CrashBackoffEntry>();
  readonly #messages = new Map<string, string>();

  constructor(options: PodWorkerOptions) {
    this.#options = options;
    this.#context = options.context;
    this.#pod = options.pod;
    this.uid = options.pod.metadata?.uid ?? '';
    this.#log = this.#context.log.child({ pod: `${options.pod.metadata?.namespace}/${options.pod.metadata?.name}` });
    this.#startTime = timestamp(this.#context.clock);
    this.#seenMs = this.#context.metrics.nowMs();
    this.#volumesRefreshedMs = this.#context.clock.nowMs();
    this.#isAdmitted = options.pod.status?.startTime !== undefined;
    const phase = options.pod.status?.phase;
    if (phase === 'Failed' && options.pod.status?.reason) {
      this.#failure = { reason: options.pod.status.reason, message: options.pod.status.message ?? '' };
    }
  }

  get pod(): Pod {
    return this.#pod;
  }
  /** Takes up the node's resources. */
  get isActive(): boolean {
    return this.#isAdmitted && !this.#failure && !this.#isCleaned;
  }
  get state(): PodState {
    return this.#state;
  }
  get status(): PodStatus | undefined {
    return this.#published ?? this.#pod.status;
  }
  get isCleaned(): boolean {
    return this.#isCleaned;
  }

  update(pod: Pod): void {
    const isNews = this.#isFresh || !isSameToKubelet(this.#pod, pod);
    this.#isFresh = false;
    this.#pod = pod;
    const grace = pod.metadata?.deletionGracePeriodSeconds;
    if (pod.metadata?.deletionTimestamp) this.#shorten(grace ?? pod.spec?.terminationGracePeriodSeconds ?? 30);
    if (isNews) this.wake();
  }

  /** The pod is no longer in its source: end it, whatever it was promised. */
  remove(): void {
    this.#isRemoved = true;
    this.#shorten(this.#pod.metadata?.deletionGracePeriodSeconds ?? this.#pod.spec?.terminationGracePeriodSeconds ?? 30);
    this.wake();
  }

  /** Ends the pod as Failed with `reason`. */
  evict(reason: string, message: string, graceSeconds: number): void {
    if (this.#failure || this.#isTerminating()) return;
    this.#eviction = { reason, message, graceSeconds };
    this.#starting.abort();
    this.wake();
  }

  wake(): void {
    this.#isDirty = true;
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    this.#ended = this.#run();
  }

  /** Stops looking; what runs goes on. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#starting.abort();
    this.#terminating.abort();
    await this.#ended;
  }

  /** Ends the pod's containers for a node that goes down; the API keeps the pod. */
  async kill(graceSeconds: number): Promise<void> {
    this.#starting.abort();
    await this.#ended;
    const state = await this.#context.states.read(this.uid);
    const signal = new AbortController().signal;
    await killPod(this.#context, { pod: this.#pod, state, graceSeconds, signal });
  }

  #shorten(graceSeconds: number): void {
    this.#starting.abort();
    if (graceSeconds >= this.#graceSeconds) return;
    this.#graceSeconds = graceSeconds;
    const before = this.#terminating;
    this.#terminating = new AbortController();
    before.abort();
  }

  #isTerminating(): boolean {
    return this.#isRemoved || this.#pod.metadata?.deletionTimestamp !== undefined;
  }

  async #run(): Promise<void> {
    const { metrics } = this.#context;
    while (this.#isDirty && !this.#isStopped) {
      this.#isDirty = false;
      const type = this.#published ? 'sync' : 'create';
      const startMs = metrics.nowMs();
      try {
        await this.#look();
        metrics.podSynced(type, startMs);
        this.#failures = 0;
      } catch (error) {
        if (isAbortError(error, this.#starting.signal) || this.#isStopped) continue;
        const delayMs = Math.min(retryMsMax, retryMsBase * 2 ** Math.min(this.#failures++, 10));
        const text = error instanceof Error ? error.message : String(error);
        this.#log.warn('pod is not as it should be yet', { error: text, retryMs: delayMs });
        this.#wakeAfter(delayMs);
        if (!(error instanceof Error)) throw error;
      }
    }
    this.#isRunning = false;
  }

  async #look(): Promise<void> {
    if (this.#isTerminating()) return this.#terminate();
    if (this.#isCleaned) return;
    for (let round = 0; round < roundsMax && !this.#isStopped && !this.#isTerminating(); round++) {
      const state = await this.#read();
      if (!this.#decideAdmission(state)) return this.#finish(state, 1);
      if (this.#eviction) {
        this.#failure = { reason: this.#eviction.reason, message: this.#eviction.message };
        return this.#finish(state, this.#eviction.graceSeconds);
      }
      if (this.#failure || this.#isPastDeadline()) return this.#finish(state, this.#pod.spec?.terminationGracePeriodSeconds ?? 30);
      const { clock, probes } = this.#context;
      probes.sync(this.#pod, state, this.#podIps(state)[0] ?? '');
      const actions = planPod({ pod: this.#pod, state, probes: probes.verdicts(this.uid), backoffs: this.#backoffs, nowMs: clock.nowMs() });
      for (const action of actions) if (action.type === 'backOff') this.#noteBackOff(action);
      const status = this.#publish(state, false);
      if (status.phase === 'Succeeded' || status.phase === 'Failed')
        return this.#finish(state, this.#pod.spec?.terminationGracePeriodSeconds ?? 30);
      const work = actions.filter((a) => a.type !== 'backOff');
      if (work.length === 0) break;
      if (!(await this.#carryOut(work, state))) break;
    }
    await this.#refreshVolumes();
  }

  async #read(): Promise<PodState> {
    this.#state = await this.#context.states.read(this.uid);
    for (const container of this.#state.containers) {
      if (container.state !== 'exited' || this.#messages.has(container.id)) continue;
      this.#messages.set(container.id, await readTerminationMessage(container));
    }
    for (const id of this.#messages.keys()) if (!this.#state.containers.some((c) => c.id === id)) this.#messages.delete(id);
    return this.#state;
  }

  /** Whether the pod may be here. A pod that has run here before is not asked again. */
  #decideAdmission(state: PodState): boolean {
    if (this.#isAdmitted || state.sandboxes.length > 0) {
      this.#isAdmitted = true;
      return true;
    }
    const node = this.#context.node();
    const rejection = node && admit(this.#pod, node, this.#context.otherPods(this.uid));
    if (!rejection) {
      this.#isAdmitted = true;
      return true;
    }
    this.#failure = rejection;
    recordPodEvent(this.#context, this.#pod, 'Warning', rejection.reason, rejection.message.replace('Pod was rejected: ', ''));
    return false;
  }

  #isPastDeadline(): boolean {
    const seconds = this.#pod.spec?.activeDeadlineSeconds;
    if (seconds === undefined) return false;
    const startMs = Date.parse(this.status?.startTime ?? this.#startTime);
    const leftMs = startMs + seconds * 1000 - this.#context.clock.nowMs();
    if (leftMs > 0) {
      this.#wakeAfter(leftMs);
      return false;
    }
    const message = 'Pod was active on the node longer than the specified deadline';
    this.#failure = { reason: 'DeadlineExceeded', message };
    recordPodEvent(this.#context, this.#pod, 'Normal', 'DeadlineExceeded', message);
    return true;
  }

  #noteBackOff(action: PodAction & { type: 'backOff' }): void {
    const pod = formatPod(this.#pod);
    const message = `back-off ${formatDuration(action.delayMs)} restarting failed container=${action.name} pod=${pod}`;
    if (this.#waiting.get(action.name)?.message !== message) {
      const text = `Back-off restarting failed container ${action.name} in pod ${pod}`;
      recordPodEvent(this.#context, this.#pod, 'Warning', 'BackOff', text, fieldPathOf(action.kind, action.name));
    }
    this.#waiting.set(action.name, { reason: 'CrashLoopBackOff', message });
    this.#wakeAfter(action.untilMs - this.#context.clock.nowMs());
  }

  /** Whether to look again at once. */
  async #carryOut(actions: readonly PodAction[], state: PodState): Promise<boolean> {
    const starts = actions.filter((a): a is StartAction => a.type === 'startContainer');
    let attempt = state.sandboxes[0]?.attempt ?? 0;
    let sandboxId = state.sandboxes[0]?.isReady ? state.sandboxes[0].id : undefined;
    for (const action of actions) {
      switch (action.type) {
        case 'killPod':
          await this.#untilEnding(this.#killPod(state, this.#pod.spec?.terminationGracePeriodSeconds ?? 30));
          break;
        case 'removeContainer':
          await this.#context.runtime.removeContainer(action.id);
          break;
        case 'killContainer':
          await this.#untilEnding(this.#killContainer(action, state));
          break;
        case 'createSandbox':
          attempt = action.attempt;
          sandboxId = undefined;
          if (attempt > 0) {
            recordPodEvent(this.#context, this.#pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
          }
          break;
        case 'startContainer':
        case 'backOff':
          break;
      }
    }
    const needsSandbox = actions.some((a) => a.type === 'createSandbox');
    if (starts.length === 0 && !needsSandbox) return true;
    return this.#start(starts, attempt, sandboxId);
  }

  /** Waits for `work`, but not when the pod as a whole is to end meanwhile. @throws the signal's reason */
  async #untilEnding(work: Promise<void>): Promise<void> {
    const { signal } = this.#starting;
    work.catch(() => undefined);
    await Promise.race([work, aborted(signal)]);
    signal.throwIfAborted();
  }

  #killContainer(action: PodAction & { type: 'killContainer' }, state: PodState): Promise<void> {
    const container = state.containers.find((c) => c.id === action.id) as ContainerState;
    const named = this.#named(action.name);
    const probe =
      action.reason === 'startup'
        ? named?.container.startupProbe
        : action.reason === 'liveness'
          ? named?.container.livenessProbe
          : undefined;
    const graceSeconds = probe?.terminationGracePeriodSeconds ?? this.#pod.spec?.terminationGracePeriodSeconds ?? 30;
    const podIp = this.#podIps(state)[0] ?? '';
    return killContainer(this.#context, {
      pod: this.#pod,
      container,
      named,
      podIp,
      graceSeconds,
      message: action.message,
      signal: this.#terminating.signal,
    });
  }

  /** Runs the phases; whether every container that should start has started. */
  async #start(starts: readonly StartAction[], attempt: number, sandboxId: string | undefined): Promise<boolean> {
    const context = this.#context;
    const pod = this.#pod;
    const { signal } = this.#starting;
    const start: PodStart = {
      context,
      pod,
      signal,
      attempt,
      volumes: new Map(),
      sandboxConfig: undefined,
      sandboxId,
      podIps: this.#podIps(this.#state),
      pullSecrets: () => this.#pullSecrets(),
      wake: () => this.wake(),
    };
    const containers = starts.flatMap((action) => {
      const named = this.#named(action.name);
      return named ? [{ action, container: this.#containerStart(start, named, action) }] : [];
    });
    for (const row of podPhases) {
      signal.throwIfAborted();
      await Promise.all(row.map((phase) => phase.run(start)));
    }
    let isComplete = true;
    for (const { action, container } of containers) {
      signal.throwIfAborted();
      if (!(await this.#startContainer(action, container))) isComplete = false;
    }
    return isComplete;
  }

  #containerStart(pod: PodStart, named: NamedContainer, action: StartAction): ContainerStart {
    const { container, kind } = named;
    const image = this.#context.images.ensure({ pod: this.#pod, kind, container, pullSecrets: pod.pullSecrets, onChange: pod.wake });
    // Looked at by the image phase; until then a refusal is nobody's yet.
    image.catch(() => undefined);
    const fresh = { imageRef: '', imageUser: {}, config: undefined, containerId: undefined };
    return { pod, named, restartCount: action.restartCount, image, ...fresh };
  }

  async #startContainer(action: StartAction, start: ContainerStart): Promise<boolean> {
    const { clock } = this.#context;
    try {
      for (const phase of containerPhases) if ((await phase.run(start)) === 'later') return false;
    } catch (error) {
      if (!(error instanceof StartFailure)) throw error;
      this.#waiting.set(action.name, { reason: error.reason, message: error.message });
      this.#publish(this.#state, false);
      if (error.reason === 'RunContainerError' || error.reason === 'PostStartHookError') this.#countRestart(action, clock.nowMs());
      if (!error.reason.startsWith('ErrImagePull') && error.reason !== 'ImagePullBackOff')
        this.#wakeAfter(retryMsBase * 2 ** Math.min(3, this.#failures++));
      return false;
    }
    this.#waiting.delete(action.name);
    this.#countRestart(action, clock.nowMs());
    return true;
  }

  #countRestart(action: StartAction, nowMs: number): void {
    if (action.finishedAtMs === undefined) return;
    this.#backoffs.set(action.name, nextCrashBackoff(this.#backoffs.get(action.name), action.finishedAtMs, nowMs));
  }

  async #pullSecrets(): Promise<Secret[]> {
    const namespace = this.#pod.metadata?.namespace ?? 'default';
    const found: Secret[] = [];
    const missing: string[] = [];
    for (const { name = '' } of this.#pod.spec?.imagePullSecrets ?? []) {
      const secret = await this.#context.objects.secret(namespace, name);
      if (secret) found.push(secret);
      else missing.push(name);
    }
    if (missing.length) {
      const text = `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`;
      recordPodEvent(this.#context, this.#pod, 'Warning', 'FailedToRetrieveImagePullSecret', text);
    }
    return found;
  }

  /** The pod has ended by itself, or is to end and stay in the API: clean up, and tell how it ended. */
  async #finish(state: PodState, graceSeconds: number): Promise<void> {
    await this.#killPod(state, graceSeconds);
    await this.#cleanUp(await this.#read());
  }

  async #killPod(state: PodState, graceSeconds: number): Promise<void> {
    const message = this.#eviction ? (name: string) => `Stopping container ${name}` : undefined;
    const signal = this.#terminating.signal;
    await killPod(this.#context, { pod: this.#pod, state, graceSeconds, signal, ...(message ? { message } : {}) });
  }

  async #cleanUp(state: PodState): Promise<void> {
    this.#context.probes.endPod(this.uid);
    this.#publish(state, true);
    await this.#context.volumes.tearDown(this.uid);
    await this.#context.cgroups.tearDown(this.#pod);
    this.#isCleaned = true;
  }

  async #terminate(): Promise<void> {
    const { probes, statuses, images } = this.#context;
    probes.endPod(this.uid, true);
    if (!this.#isCleaned) {
      // Killed again from the start when the grace period is shortened meanwhile.
      for (let signal: AbortSignal | undefined; signal !== this.#terminating.signal; ) {
        signal = this.#terminating.signal;
        const state = await this.#read();
        if (!this.#isRemoved) this.#publish(state, false);
        const graceSeconds = Number.isFinite(this.#graceSeconds)
          ? this.#graceSeconds
          : (this.#pod.spec?.terminationGracePeriodSeconds ?? 30);
        const shortened = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
        const killed = killPod(this.#context, { pod: this.#pod, state, graceSeconds, signal });
        killed.catch(() => undefined);
        await Promise.race([killed, shortened]);
        if (this.#isStopped) return;
      }
      await this.#cleanUp(await this.#read());
    }
    await statuses.flush(this.uid);
    if (!this.#isRemoved && !(await this.#deleteFromApi())) return;
    await this.#removeRemains();
    images.forget(this.uid);
    statuses.forget(this.uid);
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#options.onFinished();
  }

  /** Whether the pod is gone from the API; with finalizers it stays until they are done. */
  async #deleteFromApi(): Promise<boolean> {
    const { name = '', namespace } = this.#pod.metadata ?? {};
    try {
      await this.#context.client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid: this.uid } });
    } catch (error) {
      if (!isStatus(error, 'NotFound', 'Conflict')) throw error;
    }
    return (this.#pod.metadata?.finalizers ?? []).length === 0;
  }

  async #removeRemains(): Promise<void> {
    const { runtime } = this.#context;
    const state = await this.#context.states.read(this.uid);
    try {
      await Promise.all(state.containers.map((c) => runtime.removeContainer(c.id)));
      await Promise.all(state.sandboxes.map((s) => runtime.removePodSandbox(s.id)));
    } catch (error) {
      // Left for the collection of what belongs to no pod.
      if (!(error instanceof RuntimeError)) throw error;
      this.#log.warn('remains not removed yet', { error: error.message });
    }
    await this.#context.removePodDirectories(this.#pod);
  }

  async #refreshVolumes(): Promise<void> {
    const volumes = this.#pod.spec?.volumes ?? [];
    if (!volumes.some((v) => v.configMap || v.secret || v.downwardAPI || v.projected)) return;
    const nowMs = this.#context.clock.nowMs();
    this.#wakeAfter(volumeRefreshMs);
    if (!this.#volumesAreStale && nowMs - this.#volumesRefreshedMs < volumeRefreshMs) return;
    this.#volumesAreStale = false;
    this.#volumesRefreshedMs = nowMs;
    if (this.#state.containers.some((c) => c.state === 'running')) {
      await this.#context.volumes.refresh(this.#pod, podFacts(this.#context, this.#podIps(this.#state)));
    }
  }

  #volumesAreStale = false;

  /** An object that the pod shows in a volume may have changed. */
  refreshVolumes(): void {
    this.#volumesAreStale = true;
    this.wake();
  }

  #podIps(state: PodState): readonly string[] {
    return this.#pod.spec?.hostNetwork ? this.#context.hostIps : (state.sandboxes[0]?.ips ?? []);
  }

  #named(name: string): NamedContainer | undefined {
    return containersOf(this.#pod).find((n) => n.container.name === name);
  }

  #publish(state: PodState, isTerminated: boolean): PodStatus {
    const { runtimeName, hostIps, clock, probes, statuses } = this.#context;
    const status = podStatus({
      pod: { ...this.#pod, status: this.#previousStatus() },
      state,
      waiting: this.#waiting,
      readinessOf: (id, container) => probes.readiness(id, container),
      terminationMessageOf: (container) => this.#messages.get(container.id) ?? container.message,
      runtimeName,
      hostIps,
      startTime: this.#startTime,
      failure: this.#failure,
      isTerminated,
      nowMs: clock.nowMs(),
    });
    const wasRunning = this.status?.phase === 'Running';
    this.#published = status;
    if (status.phase === 'Running' && !wasRunning) this.#context.metrics.podRunning(this.#pod, this.#seenMs);
    const apiPod = this.#options.apiPod(this.#pod);
    if (apiPod && !this.#isRemoved) statuses.set(this.uid, apiPod, status);
    return status;
  }

  /** What the kubelet last said, with what others have said since. */
  #previousStatus(): PodStatus {
    const api = this.#options.apiPod(this.#pod)?.status ?? {};
    if (!this.#published) return api;
    const others = (api.conditions ?? []).filter((c) => !ownedConditionTypes.includes(c.type));
    const own = (this.#published.conditions ?? []).filter((c) => ownedConditionTypes.includes(c.type));
    return { ...api, ...this.#published, conditions: [...own, ...others] };
  }

  #wakeAfter(delayMs: number): void {
    const { clock } = this.#context;
    const atMs = clock.monotonicMs() + Math.max(0, delayMs);
    if (atMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = clock.setTimer(delayMs, () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.wake();
    });
  }
}

/** Whether nothing has changed but what the kubelet itself writes. */
function isSameToKubelet(a: Pod, b: Pod): boolean {
  const part = ({ metadata, spec, status }: Pod) => {
    const { labels, annotations, deletionTimestamp, deletionGracePeriodSeconds, finalizers } = metadata ?? {};
    const others = (status?.conditions ?? []).filter((c) => !ownedConditionTypes.includes(c.type));
    return { labels, annotations, deletionTimestamp, deletionGracePeriodSeconds, finalizers, others, spec };
  };
  return isDeepStrictEqual(part(a), part(b));
}
