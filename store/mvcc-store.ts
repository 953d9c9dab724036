// The Store over a History in this process, shared by memory.ts and lmdb.ts: decides each write at once against
// the newest version, durable or not, and answers it when the log has made it durable. While one batch is being
// made durable the next one gathers, so any number of concurrent writes share one sync to disk.

import type { Observable } from 'rxjs';
import { History, type Version } from './history.ts';
import { checkKey } from './key-order.ts';
import {
  ConflictError,
  type Entry,
  FutureRevisionError,
  KeyExistsError,
  type ListOptions,
  type ListResult,
  type Store,
  StoreClosedError,
  type WatchBatch,
} from './store.ts';
import { WatchHub } from './watch-hub.ts';

/** Where versions are kept, when not only in memory. */
export interface VersionLog {
  /** Makes the versions durable, all or nothing. Called again only when the last call has settled. */
  append(versions: readonly Version[]): Promise<void>;
  /** The value of a put that has been appended and not removed. */
  readValue(version: Version): Uint8Array;
  /** Makes it durable that everything below `revision` is unreadable, before any of it is removed. */
  setCompactRevision(revision: number): Promise<void>;
  /** Removes versions; which of them are left after a crash does not matter. */
  remove(revisions: readonly number[]): Promise<void>;
  sizeBytes(): number;
  close(): Promise<void>;
}

interface Batch {
  readonly versions: Version[];
  readonly done: PromiseWithResolvers<void>;
}

/** What a store starts with. */
export interface Restored {
  readonly versions: Iterable<Version>;
  readonly revision: number;
  /** The writes after `revision`, in order, without gaps. */
  readonly writes?: Iterable<Version>;
}

export class MvccStore implements Store {
  protected readonly history: History;
  readonly #hub: WatchHub;
  readonly #log: VersionLog | undefined;
  /** By key: the newest version that is not yet durable, with its batch. */
  readonly #pending = new Map<string, { version: Version; batch: Batch }>();
  #pendingRevision: number;
  /** Collects writes while another batch is on its way to disk. */
  #gathering: Batch | undefined;
  #flushing: Promise<void> | undefined;
  #compacting: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /** @param log undefined: versions live in memory only, and writes are done at once. */
  constructor(log: VersionLog | undefined, restored?: Restored) {
    this.#log = log;
    this.history = new History((version) => {
      if (!log) throw new Error(`revision ${version.revision} of ${version.key} has lost its value`);
      return log.readValue(version);
    });
    if (restored) {
      this.history.restore(restored.versions, restored.revision);
      for (const version of restored.writes ?? []) this.history.append(version);
    }
    this.#pendingRevision = this.history.revision;
    this.#hub = new WatchHub(this.history);
  }

  async currentRevision(): Promise<number> {
    this.#checkOpen();
    return this.history.revision;
  }

  async get(key: string, revision?: number): Promise<Entry | undefined> {
    this.#checkOpen();
    return this.history.get(key, revision);
  }

  async list(prefix: string, options?: ListOptions): Promise<ListResult> {
    this.#checkOpen();
    return this.history.list(prefix, options);
  }

  async count(prefix: string): Promise<number> {
    this.#checkOpen();
    return this.history.count(prefix);
  }

  async put(key: string, value: Uint8Array, expectedRevision?: number): Promise<number> {
    this.#checkOpen();
    checkKey(key);
    const newest = this.#newest(key);
    const live = newest?.isDelete ? undefined : newest;
    if (expectedRevision !== undefined && expectedRevision !== (live?.revision ?? 0)) {
      const current = live && this.history.entry(live);
      await this.#pending.get(key)?.batch.done.promise;
      throw expectedRevision === 0 && current ? new KeyExistsError(key, current) : new ConflictError(key, current);
    }
    const revision = ++this.#pendingRevision;
    return this.#commit({ key, revision, createRevision: live?.createRevision ?? revision, isDelete: false, previous: newest, value });
  }

  async delete(key: string, expectedRevision?: number): Promise<number> {
    this.#checkOpen();
    checkKey(key);
    const newest = this.#newest(key);
    const live = newest?.isDelete ? undefined : newest;
    if (!live || (expectedRevision !== undefined && expectedRevision !== live.revision)) {
      const current = live && this.history.entry(live);
      await this.#pending.get(key)?.batch.done.promise;
      throw new ConflictError(key, current);
    }
    return this.#commit({ key, revision: ++this.#pendingRevision, createRevision: 0, isDelete: true, previous: live, value: undefined });
  }

  watch(prefix: string, afterRevision: number): Observable<WatchBatch> {
    return this.#hub.watch(prefix, afterRevision);
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen();
    if (revision > this.history.revision) throw new FutureRevisionError(revision, this.history.revision);
    const previous = this.#compacting;
    // One at a time; a failure is the failure of the call that met it, and the next one starts afresh.
    const mine = previous.then(() => this.#compact(revision));
    this.#compacting = mine.catch(() => undefined);
    await mine;
  }

  async sizeBytes(): Promise<number> {
    this.#checkOpen();
    return this.#log ? this.#log.sizeBytes() : this.history.live().reduce((sum, v) => sum + v.key.length + (v.value?.byteLength ?? 0), 0);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#flushing;
    await this.#compacting;
    this.#hub.close();
    await this.#log?.close();
  }

  #checkOpen(): void {
    if (this.#closing) throw new StoreClosedError();
  }

  #newest(key: string): Version | undefined {
    return this.#pending.get(key)?.version ?? this.history.newest(key);
  }

  async #compact(revision: number): Promise<void> {
    if (revision <= this.history.compactRevision) return;
    await this.#log?.setCompactRevision(revision);
    const forgotten = this.history.compact(revision);
    await this.#log?.remove(forgotten);
  }

  async #commit(version: Version): Promise<number> {
    if (!this.#log) {
      this.#apply([version]);
      return version.revision;
    }
    this.#gathering ??= { versions: [], done: Promise.withResolvers() };
    const batch = this.#gathering;
    batch.versions.push(version);
    this.#pending.set(version.key, { version, batch });
    this.#flushing ??= this.#flush(this.#log);
    await batch.done.promise;
    return version.revision;
  }

  async #flush(log: VersionLog): Promise<void> {
    await null; // what is written in the same turn goes together
    for (let batch = this.#gathering; batch; batch = this.#gathering) {
      this.#gathering = undefined;
      try {
        await log.append(batch.versions);
      } catch (error) {
        this.#abandon(batch, error);
        continue;
      }
      this.#apply(batch.versions);
      batch.done.resolve();
    }
    this.#flushing = undefined;
  }

  #apply(versions: readonly Version[]): void {
    for (const version of versions) {
      this.history.append(version);
      if (this.#pending.get(version.key)?.version === version) this.#pending.delete(version.key);
    }
    this.#hub.notify();
    // From here on the value is read from the log when it is asked for.
    if (this.#log) for (const version of versions) version.value = undefined;
  }

  /** Nothing of `batch` was stored, so whatever was decided on top of it is void as well. */
  #abandon(batch: Batch, error: unknown): void {
    const failure = new Error(`nothing was stored: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    const gathering = this.#gathering;
    this.#gathering = undefined;
    this.#pending.clear();
    this.#pendingRevision = this.history.revision;
    batch.done.reject(failure);
    gathering?.done.reject(failure);
  }
}
