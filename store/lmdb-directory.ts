// The directory of an lmdb store: one process at a time may have it, and LMDB sees the file only after it has
// been found sound.

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { checkLmdbFile } from './lmdb-check.ts';

/** Why a directory cannot be opened as a store. */
export class StoreDirectoryError extends Error {
  override name = 'StoreDirectoryError';
  readonly reason: 'InUse' | 'Foreign' | 'Corrupt';
  constructor(reason: 'InUse' | 'Foreign' | 'Corrupt', message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export interface ClaimedDirectory {
  /** Where LMDB keeps the data; may not exist yet. */
  readonly dataFile: string;
  /** Makes the names of new files in the directory durable. */
  sync(): void;
  /** Lets another process have the directory. Idempotent. */
  release(): void;
}

const dataName = 'data.mdb';
const ownNames = new Set([dataName, `${dataName}-lock`, 'lock', 'lock-journal', 'owner']);

/**
 * Makes the directory if there is none, and keeps every other store, in this process or another, out of it.
 * @throws StoreDirectoryError
 */
export function claimDirectory(directory: string): ClaimedDirectory {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const dataFile = join(directory, dataName);
  const strangers = readdirSync(directory).filter((name) => !ownNames.has(name));
  if (strangers.length > 0 && !existsSync(dataFile)) {
    throw new StoreDirectoryError(
      'Foreign',
      `${directory} is not a store: it holds ${strangers.slice(0, 3).join(', ')}; choose an empty directory`,
    );
  }
  const lock = takeLock(directory);
  try {
    checkDataFile(dataFile);
  } catch (error) {
    lock.close();
    throw error;
  }
  return {
    dataFile,
    sync() {
      const handle = openSync(directory, 'r');
      fsyncSync(handle);
      closeSync(handle);
    },
    release() {
      if (!lock.isOpen) return;
      rmSync(join(directory, 'owner'), { force: true });
      lock.close();
    },
  };
}

/**
 * Node has no flock. SQLite takes a lock in the kernel, which ends with the process however that dies, and which a
 * second connection in the same process respects too; nothing is ever written to that database.
 */
function takeLock(directory: string): DatabaseSync {
  const ownerFile = join(directory, 'owner');
  const lock = new DatabaseSync(join(directory, 'lock'), { timeout: 0 });
  try {
    lock.exec('PRAGMA journal_mode = OFF; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    const owner = existsSync(ownerFile) ? `process ${readFileSync(ownerFile, 'utf8').trim()}` : 'another process';
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === sqliteBusy) {
      throw new StoreDirectoryError('InUse', `${directory} is in use by ${owner}; stop it first or choose another directory`, { cause });
    }
    throw new StoreDirectoryError(
      'Corrupt',
      `${join(directory, 'lock')} is not a lock file of a store; if no process uses the store, remove it`,
      { cause },
    );
  }
  writeFileSync(ownerFile, `${process.pid}\n`);
  return lock;
}

const sqliteBusy = 5;

function checkDataFile(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return;
  const handle = openSync(file, 'r');
  try {
    const verdict = checkLmdbFile(handle, size);
    if (verdict.is === 'foreign')
      throw new StoreDirectoryError('Foreign', `${file} is not a store's data file, or its beginning is damaged`);
    if (verdict.is === 'damaged') throw new StoreDirectoryError('Corrupt', `${file} is damaged (${verdict.why}); restore it from a backup`);
    // Pages at the end that were used and given back within one transaction are never written. Nothing refers to them.
    if (size < verdict.neededBytes) truncateSync(file, verdict.neededBytes);
  } finally {
    closeSync(handle);
  }
}
