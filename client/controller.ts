// The builder of controllers: what one watches, and a reconcile of one object. Subscribing, queueing, retrying,
// backing off and waiting for one's own writes are done here and nowhere else.

import { EMPTY, filter, map, merge, mergeMap, type Observable, type Subscription } from 'rxjs';
import { groupResourceOf, type Kind } from '../api/kind.ts';
import { controllerOf } from '../api/owners.ts';
import { isStatus } from '../api/status.ts';
import type { KubeObject } from '../api/wire.ts';
import { aborted } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { type Cache, type CacheChange, type CacheSet, keyOf, type ObjectKey } from './cache.ts';
import type { Client, ObjectName } from './client.ts';
import { createEventRecorder, type EventRecorder } from './events.ts';
import { Expectations, recordingClient } from './expectations.ts';
import type { WorkQueueMetrics } from './metrics/work-queue-metrics.ts';
import { WorkQueue } from './work-queue.ts';

/** Nothing more to do until something changes. */
export const settled = Object.freeze({ afterSeconds: undefined });

export type Outcome = typeof settled | { afterSeconds: number };

/** Read-only views of the shared caches; kinds other than those declared are reflected on first use. */
export interface CacheReader {
  of<T extends KubeObject>(kind: Kind<T>): Cache<T>;
  get<T extends KubeObject>(kind: Kind<T>, at: ObjectName): T | undefined;
  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): T[];
  /** Objects of `kind` whose controller is `owner`. */
  ownedBy<T extends KubeObject>(owner: KubeObject, kind: Kind<T>): T[];
}

export interface ReconcileContext {
  cache: CacheReader;
  /** Every write through it is waited for before the same key is reconciled again. */
  api: Client;
  events: EventRecorder;
  clock: Clock;
  random: Random;
  log: Log;
  signal: AbortSignal;
}

/** A kind whose changes mean work for other objects; see `watching`. */
export interface Watch {
  kind: Kind;
  keysOf(object: KubeObject, cache: CacheReader, change: CacheChange<KubeObject>): Iterable<ObjectKey>;
  /** Which keys an object that is there at the start brings, besides all objects of the controller's own kind. */
  keysAtStart?(object: KubeObject, cache: CacheReader): Iterable<ObjectKey>;
}

/** `map` is asked for the object as it was and as it is; all keys from both are reconciled. */
export function watching<W extends KubeObject>(
  kind: Kind<W>,
  map: (object: W, cache: CacheReader, change: CacheChange<W>) => Iterable<ObjectKey>,
  options: { atStart?: (object: W, cache: CacheReader) => Iterable<ObjectKey> } = {},
): Watch {
  const { atStart } = options;
  // The cache of `kind` gives objects of its type; an array of watches cannot say so.
  return {
    kind,
    keysOf: (object, cache, change) => map(object as W, cache, change as CacheChange<W>),
    ...(atStart ? { keysAtStart: (object: KubeObject, cache: CacheReader) => atStart(object as W, cache) } : {}),
  };
}

export interface ControllerSpec<T extends KubeObject> {
  name: string;
  of: Kind<T>;
  /** Kinds whose objects name ours as their controller. */
  owns?: readonly Kind[];
  watches?: readonly Watch[];
  /** Keys that are due for what no watch shows. */
  stirred?: Observable<ObjectKey>;
  /** Kinds that are only read: known completely before the first reconcile. */
  reads?: readonly Kind[];
  /** How many objects are reconciled at a time. Default 10. */
  concurrency?: number;
  /** As the metrics of its queue are labelled. Default `name`. */
  queueName?: string;
  /** `source.component` of its events. Default `<name>-controller`. */
  eventSource?: string;
  reconcile(object: T, context: ReconcileContext): Promise<Outcome>;
  /** Called instead of `reconcile` for a key whose object is gone. */
  absent?(key: ObjectKey, context: ReconcileContext): Promise<Outcome>;
}

export interface ControllerRun {
  client: Client;
  caches: CacheSet;
  clock: Clock;
  random: Random;
  log: Log;
  signal: AbortSignal;
  /** Where the queues are measured; nowhere when absent. */
  queueMetrics?: WorkQueueMetrics | undefined;
}

export interface Controller {
  readonly name: string;
  /** Without these on the server it has nothing to do. */
  readonly needs: readonly Kind[];
  /** Runs until `signal` aborts and the last reconcile has ended. */
  run(run: ControllerRun): Promise<void>;
}

export function controller<T extends KubeObject>(spec: ControllerSpec<T>): Controller {
  const watched = (spec.watches ?? []).map(({ kind }) => kind);
  const needs = [spec.of, ...(spec.owns ?? []), ...watched, ...(spec.reads ?? [])];
  return { name: spec.name, needs, run: (run) => new Runner(spec, run).run() };
}

class Runner<T extends KubeObject> {
  readonly #spec: ControllerSpec<T>;
  readonly #run: ControllerRun;
  readonly #log: Log;
  readonly #queue: WorkQueue;
  readonly #used = new Map<string, Cache<KubeObject>>();
  readonly #expectations = new Map<ObjectKey, Expectations>();
  /** Keys that were due before their writes had come back. */
  readonly #parked = new Set<ObjectKey>();
  readonly #reader: CacheReader;
  readonly #events: EventRecorder;
  #active = 0;
  #idle = Promise.withResolvers<void>();
  #subscriptions: Subscription[] = [];

  constructor(spec: ControllerSpec<T>, run: ControllerRun) {
    this.#spec = spec;
    this.#run = run;
    this.#log = run.log.child({ controller: spec.name });
    this.#queue = new WorkQueue({
      clock: run.clock,
      random: run.random,
      observer: run.queueMetrics?.observe(spec.queueName ?? spec.name),
    });
    this.#reader = {
      of: (kind) => this.#cacheOf(kind),
      get: (kind, { namespace, name }) => this.#cacheOf(kind).get(namespace ? `${namespace}/${name}` : name),
      list: (kind, namespace) => this.#cacheOf(kind).list(namespace),
      ownedBy: (owner, kind) => this.#cacheOf(kind).ownedBy(owner.metadata?.uid ?? ''),
    };
    this.#events = createEventRecorder({ ...run, log: this.#log, component: spec.eventSource ?? `${spec.name}-controller` });
  }

  async run(): Promise<void> {
    const { of, owns = [], watches = [], reads = [] } = this.#spec;
    const { signal } = this.#run;
    if (signal.aborted) return;
    const own = this.#cacheOf(of);
    const synced = [own, ...[...owns, ...watches.map((w) => w.kind), ...reads].map((kind) => this.#cacheOf(kind))].map((cache) =>
      cache.synced(),
    );
    await Promise.race([Promise.all(synced), aborted(signal)]);
    if (signal.aborted) return;

    this.#subscriptions.push(
      this.#dueKeys(own).subscribe((key) => this.#queue.add(key)),
      this.#queue.ready.subscribe(() => this.#pump()),
    );
    this.#addAll();
    await aborted(signal);
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#queue.close();
    if (this.#active > 0) await this.#idle.promise;
    await this.#events.close();
  }

  #dueKeys(own: Cache<T>): Observable<ObjectKey> {
    const { owns = [], watches = [], stirred = EMPTY } = this.#spec;
    return merge(
      stirred,
      own.changes.pipe(map((change) => change.key)),
      ...owns.map((kind) => this.#cacheOf(kind).changes.pipe(mergeMap((change) => this.#ownersOf(change, own)))),
      ...watches.map((watch) => this.#cacheOf(watch.kind).changes.pipe(mergeMap((change) => this.#mapped(watch, change)))),
    ).pipe(filter(() => !this.#run.signal.aborted));
  }

  #ownersOf({ before, after }: CacheChange<KubeObject>, own: Cache<T>): Set<ObjectKey> {
    const keys = new Set<ObjectKey>();
    for (const object of [before, after]) {
      const reference = object && controllerOf(object);
      if (!reference || reference.kind !== this.#spec.of.kind) continue;
      const namespace = this.#spec.of.namespaced ? object.metadata?.namespace : undefined;
      const key = namespace ? `${namespace}/${reference.name}` : reference.name;
      if (own.get(key)?.metadata?.uid === reference.uid) keys.add(key);
    }
    return keys;
  }

  #mapped(watch: Watch, change: CacheChange<KubeObject>): Set<ObjectKey> {
    const keys = new Set<ObjectKey>();
    for (const object of [change.before, change.after])
      if (object) for (const key of watch.keysOf(object, this.#reader, change)) keys.add(key);
    return keys;
  }

  /** The shared cache of `kind`, from now on one of those that must have seen our writes. */
  #cacheOf<K extends KubeObject>(kind: Kind<K>): Cache<K> {
    const cache = this.#run.caches.of(kind);
    const id = groupResourceOf(kind);
    if (!this.#used.has(id)) {
      // Only what every object has is asked of it here.
      this.#used.set(id, cache as unknown as Cache<KubeObject>);
      this.#subscriptions.push(cache.progress.subscribe(() => this.#unpark()));
    }
    return cache;
  }

  #addAll(): void {
    for (const object of this.#reader.list(this.#spec.of)) this.#queue.add(keyOf(object));
    for (const { kind, keysAtStart } of this.#spec.watches ?? []) {
      if (!keysAtStart) continue;
      for (const object of this.#reader.list(kind)) for (const key of keysAtStart(object, this.#reader)) this.#queue.add(key);
    }
  }

  #pump(): void {
    const { concurrency = 10 } = this.#spec;
    while (this.#active < concurrency && !this.#run.signal.aborted) {
      const key = this.#queue.take();
      if (key === undefined) {
        if (this.#queue.takeOverflow()) this.#addAll();
        return;
      }
      this.#active++;
      // Not in the call stack of the cache that told of the change: its other readers come first.
      Promise.resolve()
        .then(() => this.#work(key))
        .catch((error: unknown) => this.#failed(key, error))
        .finally(() => {
          this.#active--;
          this.#queue.done(key);
          if (this.#active === 0 && this.#run.signal.aborted) this.#idle.resolve();
          this.#pump();
        });
    }
  }

  async #work(key: ObjectKey): Promise<void> {
    const pending = this.#expectations.get(key);
    if (pending?.isUncertain) await pending.clearUp(this.#run.client);
    if (pending && !pending.isMet) {
      this.#parked.add(key);
      return;
    }
    const lookup = (kind: Kind) => this.#used.get(groupResourceOf(kind));
    const expectations = new Expectations(lookup);
    this.#expectations.set(key, expectations);
    const { client, clock, random, signal } = this.#run;
    const context: ReconcileContext = {
      cache: this.#reader,
      api: recordingClient(client, expectations, lookup),
      events: this.#events,
      clock,
      random,
      log: this.#log.child({ key }),
      signal,
    };
    const object = this.#cacheOf(this.#spec.of).get(key);
    const outcome = object ? await this.#spec.reconcile(object, context) : await this.#spec.absent?.(key, context);
    if (expectations.isMet) this.#expectations.delete(key);
    this.#queue.forget(key);
    if (outcome?.afterSeconds !== undefined && !signal.aborted) this.#queue.addAfter(key, outcome.afterSeconds * 1000);
  }

  #failed(key: ObjectKey, error: unknown): void {
    if (this.#run.signal.aborted) return;
    const delayMs = this.#queue.retry(key);
    // Stale reads and races with deletion are everyday; what they need is the next look.
    if (isStatus(error, 'Conflict', 'NotFound', 'AlreadyExists')) this.#log.debug(`${key}: ${error.message}`, { delayMs });
    else
      this.#log.warn(`${key}: ${error instanceof Error ? error.message : String(error)}`, {
        delayMs,
        stack: error instanceof Error ? error.stack : undefined,
      });
  }

  #unpark(): void {
    for (const [key, expectations] of this.#expectations) {
      if (!expectations.isMet) continue;
      if (this.#parked.delete(key)) this.#queue.add(key);
    }
  }
}
