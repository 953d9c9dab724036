// The scheduler's loop: takes pods without a node from the queue, decides, assumes and binds. Decisions are
// schedule.ts's; this file owns the picture of the cluster, the queue, the bindings in flight and what is said about
// pods that fit nowhere.

import { merge, type Observable, Subscription } from 'rxjs';
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
import { schedule, unschedulableMessage } from './schedule.ts';
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
}

const bindingsMax = 64;
/** Decisions between two turns of the event loop: others share this process. */
const decisionsPerTurn = 20;

/** Schedules pods until `signal` aborts; resolves when the last binding in flight has ended. */
export async function startScheduler(options: SchedulerOptions): Promise<void> {
  const { client, caches, clock, random, log, signal, name = 'default-scheduler' } = options;
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
  const queue = new SchedulingQueue(clock, () => wakeLoop());
  let startAt = 0;

  const isOurs = (pod: Pod) =>
    !pod.spec?.nodeName &&
    !isPodTerminal(pod) &&
    !pod.metadata?.deletionTimestamp &&
    (pod.spec?.schedulerName ?? 'default-scheduler') === name &&
    (pod.spec?.schedulingGates?.length ?? 0) === 0;

  function podChanged(key: string, before: Pod | undefined, after: Pod | undefined): void {
    if (before && (!after || uidOf(before) !== uidOf(after))) state.removePod(uidOf(before));
    if (after) state.setPod(after);
    if (after && isOurs(after) && !state.isAssumed(uidOf(after))) {
      if (!before || !isOurs(before) || hasNewDemands(before, after)) queue.add(key, priorityOf(after));
    } else queue.remove(key);
    // Room was made, or a pod that others want to be near has come.
    const hadRoom = before?.spec?.nodeName && (!after || isPodTerminal(after) || before.metadata?.labels !== after.metadata?.labels);
    if (hadRoom || (after?.spec?.nodeName && !before?.spec?.nodeName)) queue.clusterChanged();
  }

  function scheduleOne(key: string): void {
    const pod = podCache.get(key);
    if (!pod || !isOurs(pod)) {
      queue.remove(key);
      return;
    }
    const decision = schedule(pod, state, random, startAt);
    if (decision.outcome === 'unschedulable') {
      queue.failed(key, true);
      track(failed(pod, decision.refusals, decision.nodeCount));
      return;
    }
    startAt = (startAt + 1) % Math.max(1, state.nodes.length);
    state.assume(pod, decision.node);
    track(bind(key, pod, decision.node));
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

  async function bind(key: string, pod: Pod, node: string): Promise<void> {
    const { namespace, name: podName = '', uid } = pod.metadata ?? {};
    try {
      await client.createSubresource(pods, { namespace, name: podName }, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: podName, ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}) },
        target: { apiVersion: 'v1', kind: 'Node', name: node },
      } as object);
      queue.remove(key);
      recorder.record(pod, 'Normal', 'Scheduled', `Successfully assigned ${keyOf(pod)} to ${node}`);
    } catch (error) {
      state.forget(uidOf(pod));
      if (signal.aborted) return;
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
      const answer = planPreemption(pod, state, refusals, () => false);
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
    nodeCache.changes.subscribe(({ key, after }) => {
      if (after) state.setNode(after);
      else state.removeNode(key);
      queue.clusterChanged();
    }),
  );
  const related: Observable<unknown> = merge(serviceCache.changes, namespaceCache.changes);
  subscription.add(related.subscribe(() => queue.clusterChanged()));
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
