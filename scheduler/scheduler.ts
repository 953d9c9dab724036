// The scheduler's loop: takes pods without a node from the queue, decides, assumes and binds. Decisions are
// schedule.ts's; this file owns the picture of the cluster, the queue, the bindings in flight and what is said about
// pods that fit nowhere.

import { map, merge, type Observable, Subscription } from 'rxjs';
import { conditionOf } from '../api/conditions.ts';
import { namespaces, nodes, type Pod, pods, services } from '../api/core.ts';
import { isPodTerminal } from '../api/pods.ts';
import { isStatus } from '../api/status.ts';
import { aborted } from '../base/abort.ts';
import { type Clock, timestamp } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { type CacheSet, keyOf } from '../client/cache.ts';
import type { Client } from '../client/client.ts';
import { createEventRecorder } from '../client/events.ts';
import { ClusterState } from './cluster-state.ts';
import type { Refusal } from './filters/filter.ts';
import { planPreemption, priorityOf } from './preemption.ts';
import { SchedulingQueue } from './queue.ts';
import { type Stopwatch, schedule, unschedulableMessage } from './schedule.ts';
import type { AttemptResult, SchedulerMetrics } from './scheduler-metrics.ts';
import { uidOf } from './snapshot.ts';

export interface SchedulerOptions {
  client: Client;
  caches: CacheSet;
  clock: Clock;
  random: Random;
  log: Log;
  signal: AbortSignal;
  /** Only pods with this spec.schedulerName. Default `default-scheduler`. */
  name?: string;
  metrics?: SchedulerMetrics | undefined;
}

const bindingsMax = 64;
/** Decisions between two turns of the event loop: others share this process. */
const decisionsPerTurn = 20;

/** Schedules pods until `signal` aborts; resolves when the last binding in flight has ended. */
export async function startScheduler(options: SchedulerOptions): Promise<void> {
  const { client, caches, clock, random, log, signal, name = 'default-scheduler', metrics } = options;
  const podCache = caches.of(pods);
  const nodeCache = caches.of(nodes);
  const serviceCache = caches.of(services);
  const namespaceCache = caches.of(namespaces);
  const recorder = createEventRecorder({ client, clock, random, log, component: name });
  const state = new ClusterState({
    namespaceLabels: (namespace) => namespaceCache.get(namespace)?.metadata?.labels ?? {},
    services: (namespace) => serviceCache.list(namespace),
  });
  const bindings = new Set<Promise<void>>();
  let wakeLoop: () => void = () => {};
  const queue = new SchedulingQueue(
    clock,
    () => wakeLoop(),
    (to, event) => metrics?.incoming(to, event),
  );
  let startAt = 0;

  const isWaiting = (pod: Pod) =>
    !pod.spec?.nodeName &&
    !isPodTerminal(pod) &&
    !pod.metadata?.deletionTimestamp &&
    (pod.spec?.schedulerName ?? 'default-scheduler') === name;
  const isGated = (pod: Pod) => (pod.spec?.schedulingGates?.length ?? 0) > 0;
  const isOurs = (pod: Pod) => isWaiting(pod) && !isGated(pod);
  const secondsSince = (startMs: number) => (clock.monotonicMs() - startMs) / 1000;
  const time: Stopwatch = (point, run) => {
    const startMs = clock.monotonicMs();
    const result = run();
    metrics?.ran(point, 'Success', name, secondsSince(startMs));
    return result;
  };
  metrics?.readFrom({
    pending: () => ({ ...queue.counts, gated: podCache.list().filter((pod) => isWaiting(pod) && isGated(pod)).length }),
    cached: () => state.sizes,
    bindings: () => bindings.size,
  });

  function podChanged(key: string, before: Pod | undefined, after: Pod | undefined): void {
    if (before && (!after || uidOf(before) !== uidOf(after))) state.removePod(uidOf(before));
    if (after) state.setPod(after);
    if (after && isOurs(after) && !state.isAssumed(uidOf(after))) {
      if (!before || !isOurs(before) || hasNewDemands(before, after)) queue.add(key, priorityOf(after));
    } else queue.remove(key);
    // Room was made, or a pod that others want to be near has come.
    const hadRoom = before?.spec?.nodeName && (!after || isPodTerminal(after) || before.metadata?.labels !== after.metadata?.labels);
    if (hadRoom || (after?.spec?.nodeName && !before?.spec?.nodeName)) {
      queue.clusterChanged(!after ? 'AssignedPodDelete' : before?.spec?.nodeName ? 'AssignedPodUpdate' : 'AssignedPodAdd');
    }
  }

  function scheduleOne(key: string): void {
    const pod = podCache.get(key);
    if (!pod || !isOurs(pod)) {
      queue.remove(key);
      return;
    }
    const startMs = clock.monotonicMs();
    const decision = schedule(pod, state, random, metrics ? { startAt, time } : { startAt });
    metrics?.decided(secondsSince(startMs));
    if (decision.outcome === 'unschedulable') {
      metrics?.attempted('unschedulable', name, secondsSince(startMs));
      queue.failed(key, true);
      track(failed(pod, decision.refusals, decision.nodeCount));
      return;
    }
    startAt = (startAt + 1) % Math.max(1, state.nodes.length);
    state.assume(pod, decision.node);
    track(bind(key, pod, decision.node, startMs));
  }

  function track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => log.error(`scheduler: ${error instanceof Error ? error.message : String(error)}`))
      .finally(() => {
        bindings.delete(tracked);
        wakeLoop();
      });
    bindings.add(tracked);
  }

  async function bind(key: string, pod: Pod, node: string, startMs: number): Promise<void> {
    const { namespace, name: podName = '', uid } = pod.metadata ?? {};
    const bindMs = clock.monotonicMs();
    // By the time the answer is here, the cache may have seen the pod on its node and taken it out of the queue.
    const history = queue.historyOf(key);
    const ended = (result: AttemptResult) => {
      metrics?.ran('Bind', result === 'scheduled' ? 'Success' : 'Error', name, secondsSince(bindMs));
      metrics?.attempted(result, name, secondsSince(startMs));
    };
    try {
      await client.createSubresource(pods, { namespace, name: podName }, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: podName, ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}) },
        target: { apiVersion: 'v1', kind: 'Node', name: node },
      } as object);
      ended('scheduled');
      if (history) metrics?.scheduled(history.attempts, history.seconds + secondsSince(bindMs));
      queue.remove(key);
      recorder.record(pod, 'Normal', 'Scheduled', `Successfully assigned ${keyOf(pod)} to ${node}`);
    } catch (error) {
      state.forget(uidOf(pod));
      if (signal.aborted) return;
      ended('error');
      if (isStatus(error, 'NotFound')) {
        queue.remove(key);
        return;
      }
      queue.failed(key, false);
      const text = error instanceof Error ? error.message : String(error);
      recorder.record(pod, 'Warning', 'FailedScheduling', `binding rejected: ${text}`);
      if (!isStatus(error)) throw error;
    }
  }

  async function failed(pod: Pod, refusals: ReadonlyMap<string, Refusal>, nodeCount: number): Promise<void> {
    let message = unschedulableMessage(refusals, nodeCount);
    if (nodeCount > 0) {
      const startMs = clock.monotonicMs();
      const answer = planPreemption(pod, state, refusals, () => false);
      const isPossible = answer.outcome === 'preempt';
      metrics?.ran('PostFilter', isPossible ? 'Success' : 'Unschedulable', name, secondsSince(startMs));
      metrics?.preemptionTried();
      if (isPossible) metrics?.victimsSelected(answer.preemption.victims.length);
      if (answer.outcome === 'preempt') await preempt(pod, answer.preemption.node, answer.preemption.victims);
      else message += ` preemption: ${answer.message}`;
    }
    recorder.record(pod, 'Warning', 'FailedScheduling', message);
    const current = conditionOf(pod.status?.conditions, 'PodScheduled');
    if (current?.status === 'False' && current.message === message) return;
    const lastTransitionTime = current?.status === 'False' ? current.lastTransitionTime : timestamp(clock);
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastProbeTime: null, lastTransitionTime };
    await patchStatus(pod, { conditions: [condition] });
  }

  async function preempt(pod: Pod, node: string, victims: readonly Pod[]): Promise<void> {
    await patchStatus(pod, { nominatedNodeName: node });
    for (const victim of victims) {
      const { namespace, name: victimName = '', uid } = victim.metadata ?? {};
      if (victim.metadata?.deletionTimestamp) continue;
      const message = `${name}: preempting to accommodate a higher priority pod`;
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'PreemptionByScheduler',
        message,
        lastTransitionTime: timestamp(clock),
      };
      await patchStatus(victim, { conditions: [condition] });
      try {
        await client.delete(pods, { namespace, name: victimName }, uid ? { preconditions: { uid } } : {});
      } catch (error) {
        if (!isStatus(error, 'NotFound', 'Conflict')) throw error;
      }
      recorder.record(victim, 'Normal', 'Preempted', `Preempted by pod ${pod.metadata?.uid} on node ${node}`);
    }
  }

  async function patchStatus(pod: Pod, status: object): Promise<void> {
    const { namespace, name: podName = '', uid } = pod.metadata ?? {};
    try {
      await client.patch(pods, { namespace, name: podName }, 'strategic', { metadata: { uid }, status }, { subresource: 'status' });
    } catch (error) {
      if (!isStatus(error, 'NotFound', 'Conflict', 'Invalid')) throw error;
    }
  }

  await Promise.race([
    Promise.all([podCache.synced(), nodeCache.synced(), serviceCache.synced(), namespaceCache.synced()]),
    aborted(signal),
  ]);
  const subscription = new Subscription();
  subscription.add(podCache.changes.subscribe(({ key, before, after }) => podChanged(key, before, after)));
  subscription.add(
    nodeCache.changes.subscribe(({ key, before, after }) => {
      if (after) state.setNode(after);
      else state.removeNode(key);
      queue.clusterChanged(!after ? 'NodeDelete' : before ? 'NodeUpdate' : 'NodeAdd');
    }),
  );
  const related: Observable<string> = merge(
    serviceCache.changes.pipe(map(() => 'ServiceUpdate')),
    namespaceCache.changes.pipe(map(() => 'NamespaceUpdate')),
  );
  subscription.add(related.subscribe((event) => queue.clusterChanged(event)));
  for (const node of nodeCache.list()) state.setNode(node);
  for (const pod of podCache.list()) podChanged(keyOf(pod), undefined, pod);

  signal.addEventListener('abort', () => wakeLoop(), { once: true });
  while (!signal.aborted) {
    let decisions = 0;
    for (let key = nextKey(); key !== undefined && !signal.aborted; key = nextKey()) {
      scheduleOne(key);
      if (++decisions % decisionsPerTurn === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    if (signal.aborted) break;
    await new Promise<void>((resolve) => {
      wakeLoop = resolve;
      if (bindings.size < bindingsMax && queue.hasActive) resolve();
    });
  }
  subscription.unsubscribe();
  queue.close();
  await Promise.allSettled(bindings);
  await recorder.close();

  function nextKey(): string | undefined {
    return bindings.size < bindingsMax ? queue.take() : undefined;
  }
}

/** A change of what the pod asks for, as opposed to one of its status. */
function hasNewDemands(before: Pod, after: Pod): boolean {
  return before.spec !== after.spec && JSON.stringify(before.spec) !== JSON.stringify(after.spec);
}
