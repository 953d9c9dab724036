// The store for clusters with more than one API server: etcd 3.4 and later, whose revisions are the store's. Each write is
// one etcd transaction that compares the key's mod_revision.

import type { Etcd3, IKeyValue, IResponseHeader, ITxnRequest } from 'etcd3';
import type { Observable } from 'rxjs';
import { EtcdClient, type EtcdClientOptions } from './etcd-client.ts';
import { EtcdWatchHub, entryOf } from './etcd-watch.ts';
import { checkKey } from './key-order.ts';
import {
  CompactedError,
  ConflictError,
  type Entry,
  FutureRevisionError,
  KeyExistsError,
  type ListOptions,
  type ListResult,
  type Store,
  type WatchBatch,
} from './store.ts';

export interface EtcdStoreOptions extends EtcdClientOptions {
  /** What keys begin with in etcd, so that clusters can share one. Default: nothing. */
  prefix?: string;
  /** How long etcd may be away before watches end with StoreUnavailableError. Default 30,000. */
  watchBrokenMsMax?: number;
}

/** @throws StoreUnavailableError when no endpoint answers */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<Store> {
  const store = new EtcdStore(options);
  try {
    await store.currentRevision();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

/** Entries in one answer; a longer list is read in several, all at one revision. */
const pageEntries = 500;

class EtcdStore implements Store {
  readonly #client: EtcdClient;
  readonly #hub: EtcdWatchHub;
  readonly #prefix: string;

  constructor(options: EtcdStoreOptions) {
    const { prefix = '', watchBrokenMsMax } = options;
    this.#prefix = prefix;
    this.#client = new EtcdClient(options);
    this.#hub = new EtcdWatchHub(this.#client, {
      prefix,
      currentRevision: () => this.currentRevision(),
      ...(watchBrokenMsMax !== undefined && { brokenMsMax: watchBrokenMsMax }),
    });
  }

  async currentRevision(): Promise<number> {
    const { header } = await this.#client.call('read', (etcd) => etcd.kv.range({ key: this.#key(''), count_only: true }));
    return revisionOf(header);
  }

  async get(key: string, revision?: number): Promise<Entry | undefined> {
    const { kvs } = await this.#read(revision, (etcd) => etcd.kv.range({ key: this.#key(key), ...at(revision) }));
    return kvs[0] && this.#entry(kvs[0]);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    const { limit = 0, after } = options;
    const end = rangeEnd(this.#key(prefix));
    const entries: Entry[] = [];
    let { revision } = options;
    let start = this.#key(prefix);
    if (after !== undefined) {
      const next = keyAfter(this.#key(after));
      if (Buffer.compare(next, start) > 0) start = next;
    }
    if (!end.equals(zero) && Buffer.compare(start, end) >= 0) return { entries, revision: await this.#readable(revision), remaining: 0 };
    for (;;) {
      const wanted = limit > 0 ? Math.min(limit - entries.length, pageEntries) : pageEntries;
      const page = { key: start, range_end: end, limit: wanted, ...at(revision) };
      const { header, kvs, count } = await this.#read(revision, (etcd) => etcd.kv.range(page));
      revision ??= revisionOf(header);
      for (const kv of kvs) entries.push(this.#entry(kv));
      const remaining = Number(count) - kvs.length;
      if (remaining === 0 || kvs.length === 0 || entries.length === limit) return { entries, revision, remaining };
      start = keyAfter(kvs.at(-1)!.key);
    }
  }

  async count(prefix: string): Promise<number> {
    const key = this.#key(prefix);
    const { count } = await this.#client.call('read', (etcd) => etcd.kv.range({ key, range_end: rangeEnd(key), count_only: true }));
    return Number(count);
  }

  async put(key: string, value: Uint8Array, expectedRevision?: number): Promise<number> {
    checkKey(key);
    const request_put = { key: this.#key(key), value: asBuffer(value) };
    if (expectedRevision === undefined) return revisionOf((await this.#client.call('write', (etcd) => etcd.kv.put(request_put))).header);
    const { revision, current } = await this.#transact(key, expectedRevision, { request_put });
    if (revision !== undefined) return revision;
    throw expectedRevision === 0 && current ? new KeyExistsError(key, current) : new ConflictError(key, current);
  }

  async delete(key: string, expectedRevision?: number): Promise<number> {
    checkKey(key);
    const request_delete_range = { key: this.#key(key) };
    if (expectedRevision === undefined) {
      const { header, deleted } = await this.#client.call('write', (etcd) => etcd.kv.deleteRange(request_delete_range));
      if (Number(deleted) === 0) throw new ConflictError(key, undefined);
      return revisionOf(header);
    }
    // A key that is expected not to be there cannot be deleted either; no key has this revision.
    const { revision, current } = await this.#transact(key, expectedRevision || Number.MAX_SAFE_INTEGER, { request_delete_range });
    if (revision === undefined) throw new ConflictError(key, current);
    return revision;
  }

  watch(prefix: string, afterRevision: number): Observable<WatchBatch> {
    return this.#hub.watch(prefix, afterRevision);
  }

  async compact(revision: number): Promise<void> {
    try {
      await this.#client.call('read', (etcd) => etcd.kv.compact({ revision }));
    } catch (error) {
      if (hasMessage(error, futureMessage)) throw new FutureRevisionError(revision, await this.currentRevision());
      // Compacted already, this far or further.
      if (!hasMessage(error, compactedMessage)) throw error;
    }
    this.#hub.compacted(revision);
  }

  async sizeBytes(): Promise<number> {
    return Number((await this.#client.call('read', (etcd) => etcd.maintenance.status())).dbSize);
  }

  async close(): Promise<void> {
    this.#client.close();
    this.#hub.close();
  }

  async #transact(
    key: string,
    expectedRevision: number,
    change: NonNullable<ITxnRequest['success']>[number],
  ): Promise<{ revision?: number; current?: Entry | undefined }> {
    const compared = { key: this.#key(key), target: 'Mod', result: 'Equal', mod_revision: expectedRevision } as const;
    const request: ITxnRequest = { compare: [compared], success: [change], failure: [{ request_range: { key: compared.key } }] };
    const { header, succeeded, responses } = await this.#client.call('write', (etcd) => etcd.kv.txn(request));
    if (succeeded) return { revision: revisionOf(header) };
    const found = responses[0]?.response_range.kvs[0];
    return { current: found && this.#entry(found) };
  }

  async #read<T>(revision: number | undefined, run: (etcd: Etcd3) => Promise<T>): Promise<T> {
    try {
      return await this.#client.call('read', run);
    } catch (error) {
      if (hasMessage(error, compactedMessage)) throw new CompactedError(await this.#client.compactRevision());
      if (hasMessage(error, futureMessage)) throw new FutureRevisionError(revision ?? 0, await this.currentRevision());
      throw error;
    }
  }

  #entry(kv: IKeyValue): Entry {
    return entryOf(kv, kv.key.toString().slice(this.#prefix.length));
  }

  #key(key: string): Buffer {
    const full = Buffer.from(this.#prefix + key);
    return full.byteLength > 0 ? full : zero;
  }

  /** Answers `revision`, or the newest, where it can be read. */
  async #readable(revision: number | undefined): Promise<number> {
    const { header } = await this.#read(revision, (etcd) => etcd.kv.range({ key: zero, count_only: true, ...at(revision) }));
    return revision ?? revisionOf(header);
  }
}

/** The least key; as the end of a range: no end. */
const zero = Buffer.from([0]);

const compactedMessage = 'required revision has been compacted';
const futureMessage = 'required revision is a future revision';

function hasMessage(error: unknown, message: string): boolean {
  return error instanceof Error && error.message.includes(message);
}

function at(revision: number | undefined): { revision?: number } {
  return revision === undefined ? {} : { revision };
}

function revisionOf(header: IResponseHeader): number {
  return Number(header.revision);
}

function keyAfter(key: Buffer): Buffer {
  return Buffer.concat([key, zero]);
}

/** The first key that does not start with `prefix`. */
function rangeEnd(prefix: Buffer): Buffer {
  if (prefix.equals(zero)) return zero;
  const end = Buffer.from(prefix);
  for (let last = end.byteLength - 1; last >= 0; last--) {
    if (end[last]! < 0xff) {
      end[last]!++;
      return end.subarray(0, last + 1);
    }
  }
  return zero;
}

function asBuffer(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
