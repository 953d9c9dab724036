// kubelet_* and prober_*: what a kubelet does, and what it looks after.

import { Counter, Gauge, Histogram } from 'prom-client';
import type { Pod } from '../../api/core.ts';
import type { Clock } from '../../base/clock.ts';
import { exponentialBuckets } from '../../client/metrics/buckets.ts';
import { ComponentMetrics } from '../../client/metrics/component-metrics.ts';
import { MetricsRegistry, type MetricsSettings } from '../../client/metrics/registry.ts';
import type { RuntimeObserver } from './measured-runtime.ts';

const startBuckets = [0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600];
const probeLabels = ['probe_type', 'container', 'pod', 'namespace'] as const;

/** What is looked at when somebody asks. */
export interface KubeletSources {
  runningPods(): number;
  /** By state: running, exited, created or unknown. */
  containers(): Map<string, number>;
  /** Pods that are to run, whether from a file or not. */
  desired(): { isStatic: boolean; isActive: boolean }[];
}

export interface ProbeSeries {
  type: string;
  container: string;
  pod: Pod;
}

export class KubeletMetrics implements RuntimeObserver {
  readonly component: ComponentMetrics;
  readonly #clock: Clock;
  /** Shown by itself: a pod more is a series more. */
  readonly probes = new MetricsRegistry({}, { counts: false });
  readonly #operations: Counter<'operation_type'>;
  readonly #operationErrors: Counter<'operation_type'>;
  readonly #operationSeconds: Histogram<'operation_type'>;
  readonly #startedPods: Counter;
  readonly #startedContainers: Counter<'container_type'>;
  readonly #startErrors: Counter<'container_type' | 'code'>;
  readonly #startSeconds: Histogram;
  readonly #totalStartSeconds: Histogram;
  readonly #workerSeconds: Histogram<'operation_type'>;
  readonly #containersPerPod: Histogram;
  readonly #relistSeconds: Histogram;
  readonly #evictions: Counter<'eviction_signal'>;
  readonly #probeTotal: Counter<(typeof probeLabels)[number] | 'result' | 'pod_uid'>;
  readonly #probeSeconds: Histogram<(typeof probeLabels)[number]>;

  constructor({
    nodeName,
    clock,
    settings,
    buildInfo,
  }: {
    nodeName: string;
    clock: Clock;
    settings?: MetricsSettings | undefined;
    buildInfo?: Record<string, string> | undefined;
  }) {
    this.#clock = clock;
    this.component = new ComponentMetrics({ clock, settings, buildInfo });
    const registers = [this.component.registry];
    const counter = <T extends string>(name: string, help: string, labelNames: readonly T[] = []) =>
      new Counter<T>({ name: `kubelet_${name}`, help, labelNames, registers });
    const histogram = <T extends string>(name: string, help: string, buckets: number[], labelNames: readonly T[] = []) =>
      new Histogram<T>({ name: `kubelet_${name}`, help, labelNames, buckets, registers });
    new Gauge({ name: 'kubelet_node_name', help: "The node's name. The count is always 1.", labelNames: ['node'], registers }).set(
      { node: nodeName },
      1,
    );
    const byOperation = ['operation_type'] as const;
    this.#operations = counter('runtime_operations_total', 'Cumulative number of runtime operations by operation type.', byOperation);
    this.#operationErrors = counter(
      'runtime_operations_errors_total',
      'Cumulative number of runtime operation errors by operation type.',
      byOperation,
    );
    this.#operationSeconds = histogram(
      'runtime_operations_duration_seconds',
      'Duration in seconds of runtime operations. Broken down by operation type.',
      exponentialBuckets(0.005, 2.5, 14),
      byOperation,
    );
    this.#startedPods = counter('started_pods_total', 'Cumulative number of pods started');
    this.#startedContainers = counter('started_containers_total', 'Cumulative number of containers started', ['container_type']);
    this.#startErrors = counter('started_containers_errors_total', 'Cumulative number of errors when starting containers', [
      'container_type',
      'code',
    ]);
    this.#startSeconds = histogram(
      'pod_start_duration_seconds',
      'Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run',
      startBuckets,
    );
    this.#totalStartSeconds = histogram(
      'pod_start_total_duration_seconds',
      'Duration in seconds to start a pod since creation, including time to pull images and run init containers, measured from pod creation timestamp to when all its containers are reported as started and observed via watch',
      startBuckets,
    );
    this.#workerSeconds = histogram(
      'pod_worker_duration_seconds',
      'Duration in seconds to sync a single pod. Broken down by operation type: create, update, or sync',
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      byOperation,
    );
    this.#containersPerPod = histogram('containers_per_pod_count', 'The number of containers per pod.', exponentialBuckets(1, 2, 5));
    this.#relistSeconds = histogram(
      'pleg_relist_duration_seconds',
      'Duration in seconds for relisting pods in PLEG.',
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    );
    this.#evictions = counter('evictions', 'Cumulative number of pod evictions by eviction signal', ['eviction_signal']);
    this.#probeTotal = new Counter({
      name: 'prober_probe_total',
      help: 'Cumulative number of a liveness, readiness or startup probe for a container by result.',
      labelNames: [...probeLabels, 'result', 'pod_uid'],
      registers: [this.probes],
    });
    this.#probeSeconds = new Histogram({
      name: 'prober_probe_duration_seconds',
      help: 'Duration in seconds for a probe response.',
      labelNames: [...probeLabels],
      registers: [this.probes],
    });
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  operation(type: string, startMs: number, isFailure: boolean): void {
    const labels = { operation_type: type };
    this.#operations.inc(labels);
    if (isFailure) this.#operationErrors.inc(labels);
    else this.#operationSeconds.observe(labels, this.#secondsSince(startMs));
  }

  /** `kind`: container, init_container or ephemeral_container; `problem`: why it did not start. */
  containerStarted(kind: string, problem?: string): void {
    this.#startedContainers.inc({ container_type: kind });
    if (problem !== undefined) this.#startErrors.inc({ container_type: kind, code: problem });
  }

  podStarted(containers: number): void {
    this.#startedPods.inc();
    this.#containersPerPod.observe(containers);
  }

  /** All of its containers run, for the first time. */
  podRunning(pod: Pod, seenMs: number): void {
    this.#startSeconds.observe(this.#secondsSince(seenMs));
    const createdMs = Date.parse(pod.metadata?.creationTimestamp ?? '');
    if (!Number.isNaN(createdMs)) this.#totalStartSeconds.observe(Math.max(0, this.#clock.nowMs() - createdMs) / 1000);
  }

  /** A worker's look at its pod, from beginning to end. */
  podSynced(type: 'create' | 'update' | 'sync', startMs: number): void {
    this.#workerSeconds.observe({ operation_type: type }, this.#secondsSince(startMs));
  }

  relisted(startMs: number): void {
    this.#relistSeconds.observe(this.#secondsSince(startMs));
  }

  evicted(signal: string): void {
    this.#evictions.inc({ eviction_signal: signal });
  }

  probed({ type, container, pod }: ProbeSeries, result: string, startMs: number): void {
    const { name = '', namespace = '', uid = '' } = pod.metadata ?? {};
    const labels = { probe_type: `${type[0]?.toUpperCase()}${type.slice(1)}`, container, pod: name, namespace };
    this.#probeTotal.inc({ ...labels, result, pod_uid: uid });
    this.#probeSeconds.observe(labels, this.#secondsSince(startMs));
  }

  /** A container's probe has ended for good: its series go with it. */
  probeEnded({ type, container, pod }: ProbeSeries): void {
    const { name = '', namespace = '', uid = '' } = pod.metadata ?? {};
    const labels = { probe_type: `${type[0]?.toUpperCase()}${type.slice(1)}`, container, pod: name, namespace };
    for (const result of ['successful', 'failed', 'unknown']) this.#probeTotal.remove({ ...labels, result, pod_uid: uid });
    this.#probeSeconds.remove(labels);
  }

  readFrom(sources: KubeletSources): void {
    const registers = [this.component.registry];
    new Gauge({
      name: 'kubelet_running_pods',
      help: 'Number of pods that have a running pod sandbox',
      registers,
      collect() {
        this.set(sources.runningPods());
      },
    });
    new Gauge({
      name: 'kubelet_running_containers',
      help: 'Number of containers currently running',
      labelNames: ['container_state'],
      registers,
      collect() {
        this.reset();
        for (const [state, count] of sources.containers()) this.set({ container_state: state }, count);
      },
    });
    const pods = (name: string, help: string, isCounted: (pod: { isActive: boolean }) => boolean) =>
      new Gauge({
        name: `kubelet_${name}`,
        help,
        labelNames: ['static'],
        registers,
        collect() {
          for (const isStatic of [false, true]) {
            const count = sources.desired().filter((pod) => pod.isStatic === isStatic && isCounted(pod)).length;
            this.set({ static: isStatic ? 'true' : '' }, count);
          }
        },
      });
    pods(
      'desired_pods',
      'The number of pods the kubelet is being instructed to run. static is true if the pod is not from the apiserver.',
      () => true,
    );
    pods(
      'active_pods',
      'The number of pods the kubelet considers active and which are being considered when admitting new pods. static is true if the pod is not from the apiserver.',
      ({ isActive }) => isActive,
    );
  }

  render(): Promise<string> {
    return this.component.render();
  }

  renderProbes(): Promise<string> {
    return this.probes.render();
  }

  #secondsSince(startMs: number): number {
    return (this.#clock.monotonicMs() - startMs) / 1000;
  }
}
