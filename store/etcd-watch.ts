// Watches over etcd. One stream of every key's changes serves all watchers of this process: it keeps them in order among
// each other, and each change anywhere is progress for everybody. Recent changes are kept, so that a watcher is a position
// in them; one that begins earlier catches up on a stream of its own until it has come that far.

import type { IEvent, IKeyValue, IWatchResponse } from 'etcd3';
import { Observable, type Subscriber } from 'rxjs';
import { backoffMs } from '../base/backoff.ts';
import { sleep } from '../base/clock.ts';
import type { EtcdClient } from './etcd-client.ts';
import { CompactedError, type Entry, type StoreEvent, type WatchBatch } from './store.ts';

export interface EtcdWatchOptions {
  /** What our keys begin with in etcd; events and prefixes here are without it. */
  prefix: string;
  currentRevision: () => Promise<number>;
  /** How long the stream may be broken before the watchers are told. Default 30,000. */
  brokenMsMax?: number;
}

const recentEventsMax = 10_000;
const recentBytesMax = 16 * 2 ** 20;
const reconnectBackoff = { baseMs: 50, capMs: 2000, jitter: 0.5 };

interface Change {
  readonly revision: number;
  readonly bytes: number;
  /** undefined: of a key that is not ours */
  readonly event: StoreEvent | undefined;
  readonly key: string;
}

interface Watcher {
  readonly prefix: string;
  readonly subscriber: Subscriber<WatchBatch>;
  position: number;
  /** Being delivered to further up the stack, or not yet begun, or catching up. */
  isBusy: boolean;
  /** Aborts when the subscriber has gone. */
  readonly gone: AbortController;
}

export class EtcdWatchHub {
  readonly #client: EtcdClient;
  readonly #options: EtcdWatchOptions;
  readonly #watchers = new Set<Watcher>();
  /** All changes after `#base` up to `#position`, in order. */
  #recent: Change[] = [];
  #recentBytes = 0;
  #base = 0;
  #position = 0;
  /** The newest compaction made through this store: below it no watch begins, though recent changes may reach further back. */
  #compactRevision = 0;
  /** Set from the first watch until the stream fails for good. */
  #started: Promise<void> | undefined;

  constructor(client: EtcdClient, options: EtcdWatchOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** As Store.watch. Nothing is delivered before subscribe() has returned. */
  watch(prefix: string, afterRevision: number): Observable<WatchBatch> {
    return new Observable((subscriber) => {
      if (this.#client.isClosed) {
        subscriber.complete();
        return undefined;
      }
      const watcher: Watcher = { prefix, subscriber, position: afterRevision, isBusy: true, gone: new AbortController() };
      this.#watchers.add(watcher);
      this.#begin(watcher);
      return () => {
        this.#watchers.delete(watcher);
        watcher.gone.abort();
      };
    });
  }

  /** Refuses watches from below `revision` from now on; those under way go on. */
  compacted(revision: number): void {
    this.#compactRevision = Math.max(this.#compactRevision, revision);
  }

  /** Completes every watch. Idempotent. */
  close(): void {
    for (const watcher of [...this.#watchers]) watcher.subscriber.complete();
  }

  async #begin(watcher: Watcher): Promise<void> {
    try {
      this.#started ??= this.#start();
      await this.#started;
    } catch (error) {
      this.#started = undefined;
      watcher.subscriber.error(error);
      return;
    }
    if (watcher.position < this.#compactRevision) {
      watcher.subscriber.error(new CompactedError(this.#compactRevision));
      return;
    }
    await this.#join(watcher);
  }

  async #start(): Promise<void> {
    await this.#reset();
    void this.#follow();
  }

  /** Begins with the present, knowing nothing of the past. */
  async #reset(): Promise<void> {
    const revision = await this.#options.currentRevision();
    this.#position = revision;
    // Nothing ever happened at etcd's revision 1, so a watcher could not be seen to have come that far.
    this.#base = revision === 1 ? 0 : revision;
    this.#recent = [];
    this.#recentBytes = 0;
  }

  /** Keeps the shared stream going, and its place in it, over any break that is not too long. */
  async #follow(): Promise<void> {
    const { clock, random, closed } = this.#client;
    const { brokenMsMax = 30_000 } = this.#options;
    let attempt = 0;
    let brokenSinceMs: number | undefined;
    let lost: CompactedError | undefined;
    const onChanges = (changes: readonly Change[], revision: number) => {
      attempt = 0;
      brokenSinceMs = undefined;
      this.#take(changes, revision);
    };
    for (; !closed.aborted; attempt++) {
      try {
        if (lost) await this.#startOver(lost);
        lost = undefined;
        await this.#stream(this.#position, onChanges, closed);
      } catch (error) {
        if (closed.aborted) return;
        if (error instanceof CompactedError) lost = error;
        brokenSinceMs ??= clock.monotonicMs();
        if (clock.monotonicMs() - brokenSinceMs > brokenMsMax) {
          this.#started = undefined;
          const reason = this.#client.unavailable(error, false);
          for (const watcher of [...this.#watchers]) watcher.subscriber.error(reason);
          return;
        }
        await sleep(clock, backoffMs(attempt, reconnectBackoff, random), closed).catch(() => undefined);
      }
    }
  }

  /** The shared stream's place has been compacted away, which is the end of those watchers only that had come no further. */
  async #startOver(lost: CompactedError): Promise<void> {
    await this.#reset();
    for (const watcher of [...this.#watchers]) {
      if (watcher.isBusy) continue;
      if (watcher.position < lost.compactRevision) watcher.subscriber.error(lost);
      else {
        watcher.isBusy = true;
        void this.#join(watcher);
      }
    }
  }

  /** Streams every change after `after` until `signal` aborts. @throws when the stream ends otherwise */
  async #stream(after: number, onChanges: (changes: Change[], revision: number) => void, signal: AbortSignal): Promise<void> {
    const ended = Promise.withResolvers<void>();
    const onAbort = () => ended.resolve();
    if (signal.aborted) return;
    signal.addEventListener('abort', onAbort, { once: true });
    // From `after` itself, not from the next one: only so does etcd refuse a watcher when `after` has been compacted away.
    const cancel = await this.#client.watchAll(
      Math.max(after, 1),
      (response) => {
        if (response.canceled) {
          const compactRevision = Number(response.compact_revision);
          ended.reject(
            compactRevision > 0 ? new CompactedError(compactRevision) : new Error(response.cancel_reason || 'etcd cancelled the watch'),
          );
        } else if (response.created) onChanges([], 0);
        else onChanges(...this.#changes(response, after));
      },
      ended.reject,
    );
    try {
      await ended.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      cancel();
    }
  }

  #changes(response: IWatchResponse, after: number): [Change[], number] {
    const changes: Change[] = [];
    for (const event of response.events) {
      const change = this.#change(event);
      if (change.revision > after) changes.push(change);
    }
    // Without events it is etcd's own progress notice, which says how far this stream has come.
    return [changes, changes.at(-1)?.revision ?? (response.events.length === 0 ? Number(response.header.revision) : 0)];
  }

  #change({ type, kv, prev_kv: previousKv }: IEvent): Change {
    const { prefix } = this.#options;
    const revision = Number(kv.mod_revision);
    const fullKey = kv.key.toString();
    if (!fullKey.startsWith(prefix)) return { revision, bytes: 0, event: undefined, key: '' };
    const key = fullKey.slice(prefix.length);
    const previous = previousKv ? entryOf(previousKv, key) : undefined;
    const bytes = kv.value.byteLength + (previous?.value.byteLength ?? 0) + key.length;
    if (type === 'Put' || (type as unknown) === 'PUT')
      return { revision, bytes, event: { type: 'put', entry: entryOf(kv, key), previous }, key };
    // etcd leaves the previous value out only when it has been compacted, and then it also refuses the watch.
    const gone = previous ?? { key, value: new Uint8Array(), modRevision: 0, createRevision: 0 };
    return { revision, bytes, event: { type: 'delete', key, modRevision: revision, previous: gone }, key };
  }

  #take(changes: readonly Change[], revision: number): void {
    if (revision <= this.#position) return;
    this.#position = revision;
    for (const change of changes) {
      this.#recent.push(change);
      this.#recentBytes += change.bytes;
    }
    for (const watcher of this.#watchers) {
      if (!watcher.isBusy) this.#deliver(watcher);
    }
    this.#forget();
  }

  /** Drops the oldest changes beyond the bounds, whole revisions at a time. */
  #forget(): void {
    let dropped = 0;
    let bytes = this.#recentBytes;
    while (dropped < this.#recent.length && (this.#recent.length - dropped > recentEventsMax || bytes > recentBytesMax)) {
      const { revision } = this.#recent[dropped]!;
      for (; this.#recent[dropped]?.revision === revision; dropped++) bytes -= this.#recent[dropped]!.bytes;
      this.#base = revision;
    }
    if (dropped === 0) return;
    this.#recent.splice(0, dropped);
    this.#recentBytes = bytes;
  }

  #deliver(watcher: Watcher): void {
    const { subscriber, prefix } = watcher;
    watcher.isBusy = true;
    while (!subscriber.closed && watcher.position < this.#position) {
      const events = ourEvents(this.#recent.slice(firstAfter(this.#recent, watcher.position)), prefix);
      watcher.position = this.#position;
      subscriber.next({ events, revision: watcher.position });
    }
    watcher.isBusy = false;
  }

  /** Brings a watcher as far as what is remembered, and from then on it goes with the others. */
  async #join(watcher: Watcher): Promise<void> {
    const { subscriber, prefix, gone } = watcher;
    const { clock, random, closed } = this.#client;
    let attempt = 0;
    while (watcher.position < this.#base && !gone.signal.aborted && !closed.aborted) {
      const caughtUp = new AbortController();
      const onChanges = (changes: readonly Change[], revision: number) => {
        if (revision <= watcher.position || caughtUp.signal.aborted || subscriber.closed) return;
        attempt = 0;
        const events = ourEvents(changes, prefix);
        watcher.position = revision;
        const isCaughtUp = revision >= this.#base;
        if (events.length > 0 || isCaughtUp) subscriber.next({ events, revision });
        if (isCaughtUp) caughtUp.abort();
      };
      try {
        await this.#stream(watcher.position, onChanges, AbortSignal.any([caughtUp.signal, gone.signal, closed]));
      } catch (error) {
        if (error instanceof CompactedError || attempt >= catchUpAttemptsMax) {
          subscriber.error(error instanceof CompactedError ? error : this.#client.unavailable(error, false));
          return;
        }
        await sleep(clock, backoffMs(attempt++, reconnectBackoff, random), closed).catch(() => undefined);
      }
    }
    this.#deliver(watcher);
  }
}

const catchUpAttemptsMax = 10;

function ourEvents(changes: readonly Change[], prefix: string): StoreEvent[] {
  const events: StoreEvent[] = [];
  for (const { event, key } of changes) if (event && key.startsWith(prefix)) events.push(event);
  return events;
}

function firstAfter(changes: readonly Change[], revision: number): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (changes[middle]!.revision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Values are copied: in the message they would keep all that came with them in memory. */
export function entryOf(kv: IKeyValue, key: string): Entry {
  return {
    key,
    value: Uint8Array.prototype.slice.call(kv.value),
    modRevision: Number(kv.mod_revision),
    createRevision: Number(kv.create_revision),
  };
}
