// Probing containers: a loop for each probe of each running container, started when the container is seen to run and
// ended when it is seen to have ended. Results are levels that plan and status read.

import type { Container, Pod } from '../../api/core.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { EventRecorder } from '../../client/events.ts';
import type { KubeletMetrics } from '../metrics/kubelet-metrics.ts';
import { containersOf, fieldPathOf, type NamedContainer } from '../pods/names.ts';
import type { ProbeVerdict } from '../pods/plan.ts';
import { type ContainerState, latestContainer, type PodState } from '../pods/pod-state.ts';
import type { ProbeReadiness } from '../status/pod-status.ts';
import type { Probe, ProbeOutcome } from './probe-once.ts';

type ProbeType = 'readiness' | 'liveness' | 'startup';

export interface ProbesOptions {
  clock: Clock;
  random: Random;
  log: Log;
  events: Pick<EventRecorder, 'record'>;
  metrics: Pick<KubeletMetrics, 'nowMs' | 'probed' | 'probeEnded'>;
  /** Carries out one probe. */
  probe(input: { probe: Probe; container: Container; containerId: string; podIp: string; pod: Pod }): Promise<ProbeOutcome>;
  /** A result has changed. */
  onChange(podUid: string): void;
}

interface Loop {
  type: ProbeType;
  pod: Pod;
  container: string;
  uid: string;
  containerId: string;
  timer: Timer | undefined;
  isEnded: boolean;
  successes: number;
  failures: number;
  /** undefined: not known yet. */
  verdict: 'success' | 'failure' | undefined;
}

const failuresMax = 3;

export class Probes {
  readonly #options: ProbesOptions;
  /** By container id and type. */
  readonly #loops = new Map<string, Loop>();

  constructor(options: ProbesOptions) {
    this.#options = options;
  }

  /** Starts and ends loops so that they match what runs. `isFresh` false: the container was adopted. */
  sync(pod: Pod, state: PodState, podIp: string): void {
    const uid = pod.metadata?.uid ?? '';
    const wanted = new Set<string>();
    for (const named of containersOf(pod)) {
      const current = latestContainer(state, named.container.name);
      if (current?.state !== 'running') continue;
      for (const type of ['startup', 'readiness', 'liveness'] as const) {
        const probe = probeOf(named.container, type);
        if (!probe) continue;
        const key = `${current.id}/${type}`;
        wanted.add(key);
        if (!this.#loops.has(key)) this.#begin(key, { type, pod, named, probe, current, podIp });
      }
    }
    for (const [key, loop] of this.#loops) if (loop.uid === uid && !wanted.has(key)) this.#end(key, loop);
  }

  /** Ends every loop of the pod but readiness, which goes on while it terminates, as its endpoints need it. */
  endPod(uid: string, keepReadiness = false): void {
    for (const [key, loop] of this.#loops) if (loop.uid === uid && !(keepReadiness && loop.type === 'readiness')) this.#end(key, loop);
  }

  close(): void {
    for (const [key, loop] of this.#loops) this.#end(key, loop);
  }

  /** For plan(): by container id. */
  verdicts(uid: string): Map<string, ProbeVerdict> {
    const result = new Map<string, ProbeVerdict>();
    for (const loop of this.#loops.values()) {
      if (loop.uid !== uid || loop.type === 'readiness' || !loop.verdict) continue;
      result.set(loop.containerId, { ...result.get(loop.containerId), [loop.type]: loop.verdict });
    }
    return result;
  }

  /** For status: a container without a probe of a type passes it. */
  readiness(containerId: string, container: Container): ProbeReadiness {
    const isStarted = !container.startupProbe || this.#loops.get(`${containerId}/startup`)?.verdict === 'success';
    const isReady = !container.readinessProbe || this.#loops.get(`${containerId}/readiness`)?.verdict === 'success';
    return { isStarted, isReady: isStarted && isReady };
  }

  #begin(
    key: string,
    start: { type: ProbeType; pod: Pod; named: NamedContainer; probe: Probe; current: ContainerState; podIp: string },
  ): void {
    const { type, pod, current, probe } = start;
    const loop: Loop = {
      type,
      pod,
      container: start.named.container.name,
      uid: pod.metadata?.uid ?? '',
      containerId: current.id,
      timer: undefined,
      isEnded: false,
      successes: 0,
      failures: 0,
      verdict: undefined,
    };
    this.#loops.set(key, loop);
    const { clock } = this.#options;
    const initialMs = (probe.initialDelaySeconds ?? 0) * 1000;
    const sinceStartMs = Math.max(0, clock.nowMs() - current.startedAtMs);
    const run = () => {
      if (loop.isEnded) return;
      loop.timer = clock.setTimer((probe.periodSeconds ?? 10) * 1000, run);
      void this.#once(loop, start);
    };
    loop.timer = clock.setTimer(Math.max(0, initialMs - sinceStartMs), run);
  }

  #end(key: string, loop: Loop): void {
    loop.isEnded = true;
    loop.timer?.cancel();
    this.#loops.delete(key);
    this.#options.metrics.probeEnded(loop);
  }

  async #once(loop: Loop, start: { pod: Pod; named: NamedContainer; probe: Probe; podIp: string }): Promise<void> {
    const { pod, named, probe, podIp } = start;
    // Startup comes first; once passed it is over.
    const startup = this.#loops.get(`${loop.containerId}/startup`);
    if (loop.type === 'startup' ? loop.verdict === 'success' : named.container.startupProbe && startup?.verdict !== 'success') return;
    if (loop.verdict === 'failure' && loop.type !== 'readiness') return;
    const { metrics } = this.#options;
    const startMs = metrics.nowMs();
    let outcome: ProbeOutcome;
    try {
      outcome = await this.#options.probe({ probe, container: named.container, containerId: loop.containerId, podIp, pod });
    } catch (error) {
      metrics.probed(loop, 'unknown', startMs);
      this.#options.log.warn('probe could not be made', { container: named.container.name, error: String(error) });
      return;
    }
    if (loop.isEnded) return;
    metrics.probed(loop, outcome.result === 'failure' ? 'failed' : 'successful', startMs);
    this.#judge(loop, start, outcome);
  }

  #judge(loop: Loop, { pod, named, probe }: { pod: Pod; named: NamedContainer; probe: Probe }, outcome: ProbeOutcome): void {
    const isSuccess = outcome.result !== 'failure';
    if (isSuccess) {
      loop.successes++;
      loop.failures = 0;
    } else {
      loop.failures++;
      loop.successes = 0;
    }
    if (outcome.result !== 'success') {
      const title = loop.type[0]?.toUpperCase() + loop.type.slice(1);
      const [reason, text] =
        outcome.result === 'warning'
          ? ['ProbeWarning', `${title} probe warning: ${outcome.output}`]
          : ['Unhealthy', `${title} probe ${outcome.isError ? 'errored' : 'failed'}: ${outcome.output}`];
      const about = { apiVersion: 'v1', kind: 'Pod', ...(pod.metadata ? { metadata: pod.metadata } : {}) };
      this.#options.events.record(about, 'Warning', reason, text, fieldPathOf(named.kind, named.container.name));
    }
    const before = loop.verdict;
    if (isSuccess && loop.successes >= (probe.successThreshold ?? 1)) loop.verdict = 'success';
    else if (!isSuccess && loop.failures >= (probe.failureThreshold ?? failuresMax)) loop.verdict = 'failure';
    if (loop.verdict !== before) this.#options.onChange(loop.uid);
  }
}

function probeOf(container: Container, type: ProbeType): Probe | undefined {
  return type === 'startup' ? container.startupProbe : type === 'liveness' ? container.livenessProbe : container.readinessProbe;
}
