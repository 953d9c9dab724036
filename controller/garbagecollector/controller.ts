// Deletes what its owners leave behind, whatever the kind, and carries out foreground deletion and orphaning. It
// runs its own loop on a WorkQueue, since the builder's is of one kind and its kinds known beforehand.

import type { Kind } from '../../api/kind.ts';
import { conflictError, isStatus } from '../../api/status.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from '../../api/wire.ts';
import { isAbortError } from '../../base/abort.ts';
import { sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { type CacheChange, keyOf } from '../../client/cache.ts';
import type { Client } from '../../client/client.ts';
import type { Controller, ControllerRun } from '../../client/controller.ts';
import { discover } from '../../client/discovery.ts';
import { createEventRecorder, type EventRecorder } from '../../client/events.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import { Graph, type Place } from './graph.ts';
import { type Decision, isWaitingForDependents, type OwnerState, orphanFinalizer, planObject } from './plan.ts';

const name = 'garbagecollector';
const discoveryMs = 30_000;
/** From a change of a definition to a look at what is served: many come at once. */
const settleMs = 100;
/** Groups whose objects say what else is served. */
const definingGroups = ['apiextensions.k8s.io', 'apiregistration.k8s.io'];
const concurrency = 20;
/** Uids known to be gone: saves one look per dependent. */
const absentMax = 500;

export const garbageCollector: Controller = { name, needs: [], run: (run) => new Collector(run).run() };

class Collector {
  readonly #run: ControllerRun;
  readonly #client: Client;
  readonly #log: Log;
  readonly #events: EventRecorder;
  readonly #queue: WorkQueue;
  readonly #graph: Graph;
  readonly #places = new Map<string, Place>();
  readonly #absent = new Set<string>();
  /** Aborted when other kinds may be served than were found out about. */
  #discovered = new AbortController();
  #isReady = false;
  #active = 0;
  readonly #idle = Promise.withResolvers<void>();

  constructor(run: ControllerRun) {
    this.#run = run;
    this.#client = run.client;
    this.#log = run.log.child({ controller: name });
    this.#events = createEventRecorder({ ...run, log: this.#log, component: 'garbage-collector-controller' });
    this.#queue = new WorkQueue({
      clock: run.clock,
      random: run.random,
      observer: run.queueMetrics?.observe('garbage_collector_attempt_to_delete'),
    });
    this.#graph = new Graph(run.caches, (kind, change) => this.#changed(kind, change));
  }

  async run(): Promise<void> {
    const { clock, signal } = this.#run;
    const subscription = this.#queue.ready.subscribe(() => this.#pump());
    const pause = (ms: number, until: AbortSignal) =>
      sleep(clock, ms, until).catch((error: unknown) => {
        if (!until.aborted) throw error;
      });
    while (!signal.aborted) {
      this.#discovered = new AbortController();
      await this.#rediscover();
      await pause(discoveryMs, AbortSignal.any([signal, this.#discovered.signal]));
      await pause(settleMs, signal);
    }
    subscription.unsubscribe();
    this.#queue.close();
    this.#graph.close();
    if (this.#active > 0) await this.#idle.promise;
    await this.#events.close();
  }

  async #rediscover(): Promise<void> {
    try {
      const { kinds, stale } = await discover(this.#client.transport);
      if (this.#run.signal.aborted) return;
      this.#graph.setKinds(kinds, stale);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (!isAbortError(error)) this.#log.warn(`discovery failed: ${error.message}`);
      return;
    }
    if (this.#isReady) return;
    // Before all is known, owners would seem to be missing; that costs a look each, but no more.
    this.#graph.synced().then(() => {
      this.#isReady = true;
      this.#pump();
    });
  }

  #changed(kind: Kind, { key, before, after }: CacheChange<KubeObject>): void {
    if (this.#isReady && definingGroups.includes(kind.group)) this.#discovered.abort();
    if (before?.metadata?.uid && before.metadata.uid !== after?.metadata?.uid) this.#gone(before.metadata);
    if (after?.metadata) {
      this.#absent.delete(after.metadata.uid ?? '');
      const { deletionTimestamp, ownerReferences = [] } = after.metadata;
      const isNews = !before?.metadata || !isSameForUs(before.metadata, after.metadata);
      if (!isNews) return;
      if (deletionTimestamp || ownerReferences.length) this.#add({ kind, key });
    }
    // Whoever waits for this object, or for its reference, has another look.
    for (const { uid } of [...(before?.metadata?.ownerReferences ?? []), ...(after?.metadata?.ownerReferences ?? [])]) {
      const owner = this.#graph.byUid(uid);
      if (owner && isWaitingForDependents(owner.metadata)) this.#addObject(owner);
    }
  }

  #gone(metadata: ObjectMeta): void {
    const { uid = '' } = metadata;
    this.#remember(uid);
    for (const { place } of this.#graph.dependentsOf(uid)) this.#add(place);
  }

  #remember(uid: string): void {
    this.#absent.add(uid);
    const [oldest] = this.#absent;
    if (this.#absent.size > absentMax && oldest !== undefined) this.#absent.delete(oldest);
  }

  #add(place: Place): void {
    const id = `${place.kind.group}/${place.kind.plural} ${place.key}`;
    this.#places.set(id, place);
    this.#queue.add(id);
  }

  #addObject(object: KubeObject): void {
    const kind = this.#graph.kindOf({ apiVersion: object.apiVersion ?? '', kind: object.kind ?? '', name: '', uid: '' });
    if (kind) this.#add({ kind, key: keyOf(object) });
  }

  #pump(): void {
    while (this.#isReady && this.#active < concurrency && !this.#run.signal.aborted) {
      const id = this.#queue.take();
      if (id === undefined) return;
      const place = this.#places.get(id);
      if (!place) {
        this.#queue.done(id);
        continue;
      }
      this.#active++;
      Promise.resolve()
        .then(() => this.#look(place))
        .then(
          () => {
            this.#queue.forget(id);
            if (!this.#graph.get(place.kind, place.key)) this.#places.delete(id);
          },
          (error: unknown) => {
            if (this.#run.signal.aborted) return;
            const delayMs = this.#queue.retry(id);
            const message = error instanceof Error ? error.message : String(error);
            if (isStatus(error, 'Conflict', 'NotFound')) this.#log.debug(`${id}: ${message}`, { delayMs });
            else this.#log.warn(`${id}: ${message}`, { delayMs });
          },
        )
        .finally(() => {
          this.#active--;
          this.#queue.done(id);
          if (this.#active === 0 && this.#run.signal.aborted) this.#idle.resolve();
          this.#pump();
        });
    }
  }

  async #look(place: Place): Promise<void> {
    const cached = this.#graph.get(place.kind, place.key);
    if (!cached?.metadata) return;
    const owners = cached.metadata.deletionTimestamp ? new Map<string, OwnerState>() : await this.#ownersOf(place, cached);
    const dependents = this.#graph
      .dependentsOf(cached.metadata.uid ?? '')
      .map((dependent) => ({ object: dependent, metadata: dependent.object.metadata ?? {} }));
    const decision = planObject({ metadata: cached.metadata, owners, dependents });
    if (decision.type === 'nothing') return;
    await this.#carryOut(place, cached.metadata, decision);
  }

  async #ownersOf(place: Place, { metadata }: KubeObject): Promise<Map<string, OwnerState>> {
    const states = new Map<string, OwnerState>();
    for (const reference of metadata?.ownerReferences ?? [])
      states.set(reference.uid, await this.#ownerState(place, metadata ?? {}, reference));
    return states;
  }

  async #ownerState({ kind }: Place, { namespace }: ObjectMeta, reference: OwnerReference): Promise<OwnerState> {
    const stateOf = (metadata: ObjectMeta | undefined): OwnerState => (isWaitingForDependents(metadata) ? 'waiting' : 'solid');
    const known = this.#graph.byUid(reference.uid);
    if (known && (!known.metadata?.namespace || known.metadata.namespace === namespace)) return stateOf(known.metadata);
    if (this.#absent.has(reference.uid)) return 'absent';
    const ownerKind = this.#graph.kindOf(reference);
    if (!ownerKind)
      throw new Error(`no matches for kind ${JSON.stringify(reference.kind)} in version ${JSON.stringify(reference.apiVersion)}`);
    if (ownerKind.namespaced && !kind.namespaced) {
      const message = `ownerRef [${reference.apiVersion}/${reference.kind}, name: ${reference.name}, uid: ${reference.uid}] does not exist in namespace ""`;
      this.#log.warn(message);
      return 'solid';
    }
    try {
      const owner = await this.#client.get(ownerKind, { namespace: ownerKind.namespaced ? namespace : undefined, name: reference.name });
      if (owner.metadata?.uid === reference.uid) return stateOf(owner.metadata);
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
    if (known) {
      // It exists, but in another namespace: to this object it does not, and others may still have it.
      const { namespace: elsewhere = '' } = known.metadata ?? {};
      this.#log.debug(`owner ${reference.uid} is in namespace ${elsewhere}, not ${namespace}`);
    } else this.#remember(reference.uid);
    return 'absent';
  }

  async #carryOut(place: Place, metadata: ObjectMeta, decision: Decision<{ place: Place; object: KubeObject }>): Promise<void> {
    const { kind } = place;
    const at = { namespace: metadata.namespace, name: metadata.name ?? '' };
    if (decision.type === 'await') {
      for (const dependent of decision.dependents) this.#add(dependent.place);
      return;
    }
    const latest = await this.#latest(place, metadata);
    if (!latest) return;
    switch (decision.type) {
      case 'nothing':
        return;
      case 'orphan':
        await Promise.all(
          decision.dependents.map((dependent) =>
            this.#dropReferences(dependent.place, dependent.object.metadata ?? {}, [metadata.uid ?? '']),
          ),
        );
        await this.#dropFinalizer(place, latest, orphanFinalizer);
        return;
      case 'removeFinalizer':
        await this.#dropFinalizer(place, latest, decision.finalizer);
        return;
      case 'removeReferences':
        await this.#dropReferences(place, latest, decision.uids);
        return;
      case 'delete': {
        let { resourceVersion } = latest;
        if (decision.unblock) resourceVersion = await this.#unblock(place, latest);
        const preconditions = { uid: metadata.uid ?? '', ...(resourceVersion ? { resourceVersion } : {}) };
        try {
          await this.#client.delete(kind, at, { propagationPolicy: decision.propagationPolicy, preconditions });
        } catch (error) {
          if (!isStatus(error, 'NotFound')) throw error;
        }
      }
    }
  }

  /**
   * The object as the server has it now; undefined when it is gone, or another of its name.
   * @throws StatusError Conflict when it is no longer what the decision was made on: the next look decides anew
   */
  async #latest({ kind }: Place, decidedOn: ObjectMeta): Promise<ObjectMeta | undefined> {
    const { namespace, name: objectName = '', uid } = decidedOn;
    try {
      const { metadata } = await this.#client.get(kind, { namespace, name: objectName });
      if (!metadata || metadata.uid !== uid) return undefined;
      if (!isSameForUs(metadata, decidedOn)) throw conflictError(kind, objectName, 'it has changed since it was looked at');
      return metadata;
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async #dropReferences({ kind }: Place, metadata: ObjectMeta, uids: readonly string[]): Promise<void> {
    const { namespace, name: objectName = '', uid, resourceVersion } = metadata;
    const ownerReferences = (metadata.ownerReferences ?? []).filter((reference) => !uids.includes(reference.uid));
    await this.#patch(kind, { namespace, name: objectName }, { metadata: { uid, resourceVersion, ownerReferences } });
  }

  async #unblock({ kind }: Place, metadata: ObjectMeta): Promise<string | undefined> {
    const { namespace, name: objectName = '', uid, resourceVersion } = metadata;
    const ownerReferences = (metadata.ownerReferences ?? []).map((reference) => ({ ...reference, blockOwnerDeletion: false }));
    const patched = await this.#patch(kind, { namespace, name: objectName }, { metadata: { uid, resourceVersion, ownerReferences } });
    return patched?.metadata?.resourceVersion;
  }

  async #dropFinalizer({ kind }: Place, metadata: ObjectMeta, finalizer: string): Promise<void> {
    const { namespace, name: objectName = '', resourceVersion } = metadata;
    if (!metadata.finalizers?.includes(finalizer)) return;
    const finalizers = metadata.finalizers.filter((each) => each !== finalizer);
    await this.#patch(kind, { namespace, name: objectName }, { metadata: { resourceVersion, finalizers } });
  }

  async #patch(kind: Kind, at: { namespace: string | undefined; name: string }, patch: unknown): Promise<KubeObject | undefined> {
    try {
      return await this.#client.patch(kind, at, 'merge', patch);
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined;
      throw error;
    }
  }
}

/** Of an object's metadata, what decides here. */
function isSameForUs(a: ObjectMeta, b: ObjectMeta): boolean {
  const decisive = ({ uid, ownerReferences, finalizers, deletionTimestamp }: ObjectMeta) =>
    JSON.stringify([uid, ownerReferences ?? [], finalizers ?? [], deletionTimestamp !== undefined]);
  return decisive(a) === decisive(b);
}
