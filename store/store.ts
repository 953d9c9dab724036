// The store: keys, bytes and revisions with etcd's MVCC semantics. It knows no kind. Implementations: lmdb
// (embedded default), etcd, memory; store/contract.ts is the suite that all three pass.

import type { Observable } from 'rxjs';

export interface Entry {
  readonly key: string;
  /** Never mutated by either side after it has been handed over. */
  readonly value: Uint8Array;
  /** The revision of the write that made this value: the object's resourceVersion. */
  readonly modRevision: number;
  /** The revision of the write that created the key. */
  readonly createRevision: number;
  /** In a watch: there is a value that cannot be read, and `value` is empty. */
  readonly unreadable?: UnreadableValueError;
}

export interface ListOptions {
  /** Read as of this revision; default the newest. @throws CompactedError, FutureRevisionError */
  revision?: number;
  /** At most so many entries; 0 or absent: all. */
  limit?: number;
  /** Only keys greater than this one (the last key of the previous page). */
  after?: string;
}

export interface ListResult {
  /** In byte order of their keys. */
  entries: Entry[];
  /** The revision that was read: `options.revision`, or the newest at the time. */
  revision: number;
  /** How many keys under the prefix, beyond those returned, are still to come. */
  remaining: number;
}

export type StoreEvent =
  | { readonly type: 'put'; readonly entry: Entry /** undefined: this put created the key. */; readonly previous: Entry | undefined }
  | { readonly type: 'delete'; readonly key: string; readonly modRevision: number; readonly previous: Entry };

/**
 * Everything that one or more whole revisions changed, in order. An empty `events` is progress: everything up to
 * and including `revision` has been delivered.
 */
export interface WatchBatch {
  readonly events: readonly StoreEvent[];
  readonly revision: number;
}

export interface Store {
  /** The newest revision. 0 only when nothing has ever been written to a memory or lmdb store. */
  currentRevision(): Promise<number>;
  /** @throws CompactedError, FutureRevisionError when `revision` is given */
  get(key: string, revision?: number): Promise<Entry | undefined>;
  /** Everything whose key starts with `prefix`. */
  list(prefix: string, options?: ListOptions): Promise<ListResult>;
  /** How many keys start with `prefix` now. */
  count(prefix: string): Promise<number>;
  /**
   * Compare-and-put: writes if the key's modRevision is `expectedRevision` (0: the key must not exist;
   * undefined: whatever is there). Answers when the write is durable, with its revision.
   * @throws KeyExistsError when 0 was expected and the key exists; ConflictError when another revision was found,
   * with what is there now.
   */
  put(key: string, value: Uint8Array, expectedRevision?: number): Promise<number>;
  /**
   * Compare-and-delete; returns the deletion's revision.
   * @throws ConflictError when the key's revision is not the expected one, or the key does not exist (`current` undefined).
   */
  delete(key: string, expectedRevision?: number): Promise<number>;
  /**
   * Every change under `prefix` with a revision greater than `afterRevision`, without gap or duplicate, first what
   * has happened and then what happens. Ends with CompactedError when `afterRevision` was compacted away, and with
   * SlowWatcherError when the subscriber's buffer overflows. Unsubscribing ends it.
   */
  watch(prefix: string, afterRevision: number): Observable<WatchBatch>;
  /** Forgets history at and below `revision`: only the newest value of each key stays readable. */
  compact(revision: number): Promise<void>;
  /** Whether the key's value should be written again although it says nothing new: it is kept in a form that is given up. */
  isOutdated?(key: string): Promise<boolean>;
  /** Size on disk (or in memory) in bytes, for metrics. */
  sizeBytes(): Promise<number>;
  /** Ends every watch and releases files, sockets and locks. Idempotent. */
  close(): Promise<void>;
}

/** The put expected no key, and there is one. */
export class KeyExistsError extends Error {
  override name = 'KeyExistsError';
  readonly key: string;
  readonly current: Entry;
  constructor(key: string, current: Entry) {
    super(`key ${key} already exists at revision ${current.modRevision}`);
    this.key = key;
    this.current = current;
  }
}

/** The key's revision is not the expected one. */
export class ConflictError extends Error {
  override name = 'ConflictError';
  readonly key: string;
  /** What is there instead; undefined: nothing. */
  readonly current: Entry | undefined;
  constructor(key: string, current: Entry | undefined) {
    super(current ? `key ${key} is at revision ${current.modRevision}` : `key ${key} does not exist`);
    this.key = key;
    this.current = current;
  }
}

/** The revision asked for has been compacted; list again. */
export class CompactedError extends Error {
  override name = 'CompactedError';
  /** The lowest revision that can still be read or watched from. */
  readonly compactRevision: number;
  constructor(compactRevision: number) {
    super(`required revision has been compacted; the oldest available is ${compactRevision}`);
    this.compactRevision = compactRevision;
  }
}

/** The revision asked for has not happened yet. */
export class FutureRevisionError extends Error {
  override name = 'FutureRevisionError';
  readonly currentRevision: number;
  constructor(asked: number, currentRevision: number) {
    super(`revision ${asked} is in the future; the newest is ${currentRevision}`);
    this.currentRevision = currentRevision;
  }
}

/** A watcher did not keep up and was cut; it must list again. */
export class SlowWatcherError extends Error {
  override name = 'SlowWatcherError';
  constructor(bufferedMax: number) {
    super(`the watcher fell more than ${bufferedMax} batches behind`);
  }
}

/** There is a value that cannot be read, by a store that keeps its values in a form of its own: encrypted, with a key that is lost. */
export class UnreadableValueError extends Error {
  override name = 'UnreadableValueError';
  readonly key: string;
  constructor(key: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.key = key;
  }
}

/** The store has been closed. */
export class StoreClosedError extends Error {
  override name = 'StoreClosedError';
  constructor() {
    super('the store is closed');
  }
}

/** The store's server cannot be reached or does not answer in time. */
export class StoreUnavailableError extends Error {
  override name = 'StoreUnavailableError';
  /** A write may have been done although it was not answered: read before writing again. */
  readonly outcomeUnknown: boolean;
  constructor(message: string, options: { outcomeUnknown: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.outcomeUnknown = options.outcomeUnknown;
  }
}
