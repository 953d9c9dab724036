// The embedded store: an MvccStore whose versions lie in one LMDB file, keyed by revision, so that a write appends one
// record and nothing else. Which keys there are is remembered in memory and read from the records at start.

import { statSync } from 'node:fs';
import { open, type RootDatabase } from 'lmdb';
import type { Version } from './history.ts';
import { type ClaimedDirectory, claimDirectory, StoreDirectoryError } from './lmdb-directory.ts';
import { decodeHeader, decodeValue, encodeRecord } from './lmdb-record.ts';
import { MvccStore, type Restored, type VersionLog } from './mvcc-store.ts';
import type { Store } from './store.ts';

export interface LmdbStoreOptions {
  /** The store's own; made when it is missing. */
  directory: string;
}

/** @throws StoreDirectoryError when another process has the directory, or what is in it is not an intact store. */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  const claimed = claimDirectory(options.directory);
  let log: LmdbLog | undefined;
  try {
    log = await LmdbLog.open(claimed);
    const { restored, leftovers } = log.load();
    const store = new MvccStore(log, restored);
    // What a crash during a compaction left behind.
    if (leftovers.length > 0) await log.remove(leftovers);
    return store;
  } catch (error) {
    await log?.close();
    claimed.release();
    if (error instanceof StoreDirectoryError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new StoreDirectoryError('Corrupt', `${claimed.dataFile} is damaged (${message.trim()}); restore it from a backup`, {
      cause: error,
    });
  }
}

/** The record that tells what the file is; revisions are the keys from 1 on. */
const metaKey = 0;
const format = 'typernetes-store';
const removedPerTransaction = 2000;

interface Meta {
  format: string;
  version: number;
  compactRevision: number;
}

class LmdbLog implements VersionLog {
  readonly #db: RootDatabase<Buffer, number>;
  readonly #claimed: ClaimedDirectory;
  #meta: Meta = { format, version: 1, compactRevision: 0 };
  /** Set when it is not known any more what the file holds. */
  #failure: Error | undefined;

  private constructor(claimed: ClaimedDirectory) {
    this.#claimed = claimed;
    // Not overlappingSync: an answered write has to be on disk, not on its way there.
    // Not eventTurnBatching: of its promises one is nobody's, and a failed commit would end the process through it.
    const durable = { overlappingSync: false, eventTurnBatching: false };
    this.#db = open<Buffer, number>({ path: claimed.dataFile, encoding: 'binary', maxDbs: 1, ...durable });
  }

  static async open(claimed: ClaimedDirectory): Promise<LmdbLog> {
    const log = new LmdbLog(claimed);
    const meta = log.#db.getBinary(metaKey);
    if (meta) log.#meta = log.#parseMeta(meta);
    else if ([...log.#db.getKeys({ limit: 1 })].length > 0) throw log.#foreign();
    else {
      await log.#writeMeta(log.#meta);
      claimed.sync();
    }
    return log;
  }

  /** Everything but the values; `leftovers` are revisions that a compaction meant to remove. */
  load(): { restored: Restored; leftovers: number[] } {
    const { compactRevision } = this.#meta;
    const newest = new Map<string, Version>();
    const compacted = new Map<string, Version>();
    const writes: Version[] = [];
    const leftovers: number[] = [];
    for (const revision of this.#db.getKeys({ start: metaKey + 1 })) {
      // Good until the next one is read, which saves copying every value: a third of the time.
      const record = this.#db.getBinaryFast(revision);
      const version = record && decodeHeader(record, revision);
      if (!version) throw new Error(`revision ${revision} is not readable`);
      if (revision > compactRevision) {
        if (revision !== compactRevision + writes.length + 1) throw new Error(`revision ${compactRevision + writes.length + 1} is missing`);
        version.previous = newest.get(version.key);
        writes.push(version);
      } else {
        const superseded = compacted.get(version.key);
        if (superseded) leftovers.push(superseded.revision);
        compacted.delete(version.key);
        if (version.isDelete) leftovers.push(revision);
        else compacted.set(version.key, version);
      }
      newest.set(version.key, version);
    }
    return { restored: { versions: compacted.values(), revision: compactRevision, writes }, leftovers };
  }

  async append(versions: readonly Version[]): Promise<void> {
    if (this.#failure) throw this.#failure;
    const first = versions[0]!.revision;
    try {
      await this.#transact(() => {
        for (const version of versions) void this.#db.put(version.revision, encodeRecord(version));
      });
    } catch (error) {
      this.#db.resetReadTxn();
      if (this.#newestRevision() >= first) {
        this.#failure = new Error('the store does not know what its last write left behind; start it again', { cause: error });
      }
      throw error;
    }
  }

  readValue(version: Version): Uint8Array {
    let record = this.#db.getBinary(version.revision);
    if (!record) {
      // The read transaction may be older than the commit.
      this.#db.resetReadTxn();
      record = this.#db.getBinary(version.revision);
    }
    const value = record && decodeValue(record);
    if (value) return value;
    const what = `revision ${version.revision} of ${version.key} in ${this.#claimed.dataFile}`;
    throw new StoreDirectoryError('Corrupt', `${what} is ${record ? 'damaged' : 'missing'}; restore the store from a backup`);
  }

  async setCompactRevision(revision: number): Promise<void> {
    const meta = { ...this.#meta, compactRevision: revision };
    await this.#writeMeta(meta);
    this.#meta = meta;
  }

  async remove(revisions: readonly number[]): Promise<void> {
    for (let start = 0; start < revisions.length; start += removedPerTransaction) {
      await this.#transact(() => {
        for (const revision of revisions.slice(start, start + removedPerTransaction)) void this.#db.remove(revision);
      });
    }
  }

  sizeBytes(): number {
    return statSync(this.#claimed.dataFile).size;
  }

  async close(): Promise<void> {
    await this.#db.close();
    this.#claimed.release();
  }

  #newestRevision(): number {
    return [...this.#db.getKeys({ reverse: true, limit: 1 })][0] ?? metaKey;
  }

  async #writeMeta(meta: Meta): Promise<void> {
    await this.#transact(() => void this.#db.put(metaKey, Buffer.from(JSON.stringify(meta))));
  }

  /** Resolves when everything `change` wrote is on disk, in one transaction. */
  async #transact(change: () => void): Promise<void> {
    try {
      await this.#db.batch(change);
    } catch (error) {
      // The reason comes separately and, left alone, as an unhandled rejection.
      const reason = error instanceof Error && 'commitError' in error ? error.commitError : undefined;
      if (!(reason instanceof Promise)) throw error;
      const turn = new Promise((resolve) => setImmediate(resolve, error));
      throw await Promise.race([reason.catch((cause: unknown) => cause), turn]);
    }
  }

  #parseMeta(bytes: Buffer): Meta {
    let meta: Partial<Meta>;
    try {
      meta = JSON.parse(bytes.toString()) as Partial<Meta>;
    } catch (error) {
      if (error instanceof SyntaxError) throw this.#foreign();
      throw error;
    }
    const { format: found, version, compactRevision } = meta;
    if (found !== format || typeof compactRevision !== 'number') throw this.#foreign();
    if (version !== 1)
      throw new StoreDirectoryError(
        'Foreign',
        `${this.#claimed.dataFile} has layout ${version}, and this program knows layout 1 only; use the program that wrote it`,
      );
    return { format, version, compactRevision };
  }

  #foreign(): StoreDirectoryError {
    return new StoreDirectoryError('Foreign', `${this.#claimed.dataFile} is an LMDB file, but not of a store; choose another directory`);
  }
}
