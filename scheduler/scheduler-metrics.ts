// scheduler_*: attempts, what they came to and how long they took, and the pods that wait.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { exponentialBuckets } from '../client/metrics/buckets.ts';

/** Where pods wait; those that are gated were never tried. */
export type QueueName = 'active' | 'backoff' | 'unschedulable' | 'gated';
export type AttemptResult = 'scheduled' | 'unschedulable' | 'error';
export type ExtensionPoint = 'PreFilter' | 'Filter' | 'PostFilter' | 'Score' | 'Bind';

export interface SchedulerSources {
  pending(): Record<QueueName, number>;
  cached(): { nodes: number; pods: number; assumed_pods: number };
  bindings(): number;
}

const milliseconds = exponentialBuckets(0.001, 2, 15);

export class SchedulerMetrics {
  readonly #registry: Registry;
  readonly #attempts: Counter<'result' | 'profile'>;
  readonly #attemptSeconds: Histogram<'result' | 'profile'>;
  readonly #algorithmSeconds: Histogram;
  readonly #incoming: Counter<'queue' | 'event'>;
  readonly #sliSeconds: Histogram<'attempts'>;
  readonly #attemptsPerPod: Histogram;
  readonly #pointSeconds: Histogram<'extension_point' | 'status' | 'profile'>;
  readonly #preemptions: Counter;
  readonly #victims: Histogram;

  constructor(registry: Registry) {
    this.#registry = registry;
    const registers = [registry];
    this.#attempts = new Counter({
      name: 'scheduler_schedule_attempts_total',
      help: "Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be scheduled, while 'error' means an internal scheduler problem.",
      labelNames: ['result', 'profile'],
      registers,
    });
    this.#attemptSeconds = new Histogram({
      name: 'scheduler_scheduling_attempt_duration_seconds',
      help: 'Scheduling attempt latency in seconds (scheduling algorithm + binding)',
      labelNames: ['result', 'profile'],
      buckets: milliseconds,
      registers,
    });
    this.#algorithmSeconds = new Histogram({
      name: 'scheduler_scheduling_algorithm_duration_seconds',
      help: 'Scheduling algorithm latency in seconds',
      buckets: milliseconds,
      registers,
    });
    this.#incoming = new Counter({
      name: 'scheduler_queue_incoming_pods_total',
      help: 'Number of pods added to scheduling queues by event and queue type.',
      labelNames: ['queue', 'event'],
      registers,
    });
    this.#sliSeconds = new Histogram({
      name: 'scheduler_pod_scheduling_sli_duration_seconds',
      help: 'E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue and might involve multiple scheduling attempts.',
      labelNames: ['attempts'],
      buckets: exponentialBuckets(0.01, 2, 20),
      registers,
    });
    this.#attemptsPerPod = new Histogram({
      name: 'scheduler_pod_scheduling_attempts',
      help: 'Number of attempts to successfully schedule a pod.',
      buckets: exponentialBuckets(1, 2, 5),
      registers,
    });
    this.#pointSeconds = new Histogram({
      name: 'scheduler_framework_extension_point_duration_seconds',
      help: 'Latency for running all plugins of a specific extension point.',
      labelNames: ['extension_point', 'status', 'profile'],
      buckets: exponentialBuckets(0.0001, 2, 12),
      registers,
    });
    this.#preemptions = new Counter({
      name: 'scheduler_preemption_attempts_total',
      help: 'Total preemption attempts in the cluster till now',
      registers,
    });
    this.#victims = new Histogram({
      name: 'scheduler_preemption_victims',
      help: 'Number of selected preemption victims',
      buckets: exponentialBuckets(1, 2, 7),
      registers,
    });
  }

  attempted(result: AttemptResult, profile: string, seconds: number): void {
    this.#attempts.inc({ result, profile });
    this.#attemptSeconds.observe({ result, profile }, seconds);
  }

  decided(seconds: number): void {
    this.#algorithmSeconds.observe(seconds);
  }

  incoming(queue: QueueName, event: string): void {
    this.#incoming.inc({ queue, event });
  }

  /** `seconds`: since it came into the queue. */
  scheduled(attempts: number, seconds: number): void {
    // More attempts than these are not told apart, as in Kubernetes.
    this.#sliSeconds.observe({ attempts: attempts >= 15 ? '15+' : String(attempts) }, seconds);
    this.#attemptsPerPod.observe(attempts);
  }

  ran(point: ExtensionPoint, status: 'Success' | 'Unschedulable' | 'Error', profile: string, seconds: number): void {
    this.#pointSeconds.observe({ extension_point: point, status, profile }, seconds);
  }

  preemptionTried(): void {
    this.#preemptions.inc();
  }

  victimsSelected(count: number): void {
    this.#victims.observe(count);
  }

  /** What is read when somebody asks. */
  readFrom(sources: SchedulerSources): void {
    const registers = [this.#registry];
    const gauge = <T extends string>(name: string, help: string, label: T, read: () => Record<string, number>) =>
      new Gauge<string>({
        name: `scheduler_${name}`,
        help,
        labelNames: [label],
        registers,
        collect() {
          for (const [key, value] of Object.entries(read())) this.set({ [label]: key }, value);
        },
      });
    gauge(
      'pending_pods',
      "Number of pending pods, by the queue type. 'active' means number of pods in activeQ; 'backoff' means number of pods in backoffQ; 'unschedulable' means number of pods in unschedulablePods that the scheduler attempted to schedule and failed; 'gated' is the number of unschedulable pods that the scheduler never attempted to schedule because they are gated.",
      'queue',
      () => sources.pending(),
    );
    gauge('cache_size', 'Number of nodes, pods, and assumed (bound) pods in the scheduler cache.', 'type', () => sources.cached());
    gauge('goroutines', 'Number of running goroutines split by the work they do such as binding.', 'operation', () => ({
      binding: sources.bindings(),
    }));
  }
}
