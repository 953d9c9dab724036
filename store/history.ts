// The memory of an MVCC store: which versions each key has had since the last compaction, and in what order they
// were written. Pure: no I/O, no waiting. Values may live elsewhere (`readValue`); every write is one revision.

import { byteOrder } from './key-order.ts';
import { SortedMap } from './sorted-map.ts';
import { CompactedError, type Entry, FutureRevisionError, type ListOptions, type ListResult, type StoreEvent } from './store.ts';

/** One write of one key. */
export interface Version {
  readonly key: string;
  readonly revision: number;
  /** The revision of the put that created the key; 0 for a deletion. */
  readonly createRevision: number;
  readonly isDelete: boolean;
  /** What this write replaced; cut when that is compacted. */
  previous: Version | undefined;
  /** Undefined for deletions, and where the value has to be read from disk. */
  value: Uint8Array | undefined;
}

export class History {
  /** The newest revision. */
  revision = 0;
  /** The lowest revision that can be read, and after which can be watched. */
  compactRevision = 0;
  /** By byteOrder(key): the newest version of each key, deletions included until they are compacted. */
  readonly #keys = new SortedMap<Version>();
  /** The writes after compactRevision, one a revision, in order. */
  #writes: Version[] = [];
  readonly #readValue: (version: Version) => Uint8Array;

  /** @param readValue finds the value of a version that does not carry it. */
  constructor(readValue: (version: Version) => Uint8Array) {
    this.#readValue = readValue;
  }

  /** The newest version of `key`, which may be a deletion. */
  newest(key: string): Version | undefined {
    return this.#keys.get(byteOrder(key));
  }

  /** Adds the write with the next revision. */
  append(version: Version): void {
    if (version.revision !== this.revision + 1) throw new Error(`revision ${version.revision} does not follow ${this.revision}`);
    this.#keys.set(byteOrder(version.key), version);
    this.#writes.push(version);
    this.revision = version.revision;
  }

  /** Starts from what a compaction at `revision` left: the newest versions at that time, no deletions. Only on an empty history. */
  restore(versions: Iterable<Version>, revision: number): void {
    for (const version of versions) this.#keys.set(byteOrder(version.key), version);
    this.revision = revision;
    this.compactRevision = revision;
  }

  /** @throws CompactedError, FutureRevisionError */
  checkReadable(revision: number): void {
    if (revision > this.revision) throw new FutureRevisionError(revision, this.revision);
    if (revision < this.compactRevision) throw new CompactedError(this.compactRevision);
  }

  /** @throws CompactedError, FutureRevisionError */
  get(key: string, revision = this.revision): Entry | undefined {
    this.checkReadable(revision);
    const version = liveAt(this.newest(key), revision);
    return version && this.entry(version);
  }

  /** @throws CompactedError, FutureRevisionError */
  list(prefix: string, options: ListOptions = {}): ListResult {
    const { revision = this.revision, limit = 0, after } = options;
    this.checkReadable(revision);
    const entries: Entry[] = [];
    let remaining = 0;
    this.#scan(prefix, after, (newest) => {
      const version = liveAt(newest, revision);
      if (!version) return;
      if (limit > 0 && entries.length >= limit) remaining++;
      else entries.push(this.entry(version));
    });
    return { entries, revision, remaining };
  }

  count(prefix: string): number {
    let count = 0;
    this.#scan(prefix, undefined, (newest) => {
      if (!newest.isDelete) count++;
    });
    return count;
  }

  /** The newest version of every key that exists, in order. */
  live(): Version[] {
    const live: Version[] = [];
    this.#scan('', undefined, (newest) => {
      if (!newest.isDelete) live.push(newest);
    });
    return live;
  }

  entry(version: Version): Entry {
    const { key, revision, createRevision, value } = version;
    return { key, value: value ?? this.#readValue(version), modRevision: revision, createRevision };
  }

  /**
   * What revisions after `after` up to and including `until` changed under `prefix`, both within what is remembered.
   * `made` carries events from one call to the next, so that watchers of the same revisions share them.
   */
  events(prefix: string, after: number, until: number, made: Map<number, StoreEvent>): StoreEvent[] {
    const events: StoreEvent[] = [];
    for (let revision = after + 1; revision <= until; revision++) {
      const version = this.#writes[revision - this.compactRevision - 1]!;
      if (!version.key.startsWith(prefix)) continue;
      let event = made.get(revision);
      if (!event) {
        event = this.#event(version);
        made.set(revision, event);
      }
      events.push(event);
    }
    return events;
  }

  /**
   * Forgets what no read at `revision` or later can see, and answers the revisions whose values are not needed any more.
   * The caller has checked that `revision` is neither in the future nor already compacted.
   */
  compact(revision: number): number[] {
    const forgotten: number[] = [];
    for (const version of this.#writes.splice(0, revision - this.compactRevision)) {
      if (version.previous && !version.previous.isDelete) forgotten.push(version.previous.revision);
      version.previous = undefined;
      if (!version.isDelete) continue;
      forgotten.push(version.revision);
      const order = byteOrder(version.key);
      if (this.#keys.get(order) === version) this.#keys.delete(order);
    }
    this.compactRevision = revision;
    return forgotten;
  }

  #event(version: Version): StoreEvent {
    const before = version.previous && !version.previous.isDelete ? this.entry(version.previous) : undefined;
    if (!version.isDelete) return { type: 'put', entry: this.entry(version), previous: before };
    if (!before) throw new Error(`revision ${version.revision} deletes ${version.key}, which did not exist`);
    return { type: 'delete', key: version.key, modRevision: version.revision, previous: before };
  }

  #scan(prefix: string, after: string | undefined, visit: (newest: Version) => void): void {
    const order = byteOrder(prefix);
    const afterOrder = after === undefined ? undefined : byteOrder(after);
    const start = afterOrder !== undefined && afterOrder > order ? afterOrder : order;
    this.#keys.scan(start, (newest, key) => {
      if (key === afterOrder) return true;
      if (!key.startsWith(order)) return false;
      visit(newest);
      return true;
    });
  }
}

/** The version that a read at `revision` sees; undefined when the key did not exist then. */
function liveAt(newest: Version | undefined, revision: number): Version | undefined {
  let version = newest;
  while (version && version.revision > revision) version = version.previous;
  return version?.isDelete ? undefined : version;
}
