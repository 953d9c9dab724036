// Writes a directory of files so that readers see either all of the old or all of the new: a timestamped directory
// behind the symbolic link `..data`, and a link to it for each name, as Kubernetes' projected volumes have them.

import { chmod, chown, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { nameSuffix, type Random } from '../../base/random.ts';

export interface PayloadFile {
  data: Uint8Array;
  mode: number;
  /** The owner, where it is not root. */
  uid?: number;
}

/** Relative path to content. */
export type Payload = ReadonlyMap<string, PayloadFile>;

export interface AtomicWriterOptions {
  clock: Clock;
  random: Random;
  fsGroup?: number;
}

const dataLink = '..data';

/** Makes `directory` hold just `payload`; false when it did already. @throws Error for a path that leads out */
export async function writeAtomically(directory: string, payload: Payload, options: AtomicWriterOptions): Promise<boolean> {
  for (const path of payload.keys()) checkPath(path);
  const current = await readlink(join(directory, dataLink)).catch(ignoreMissing);
  if (current !== undefined && (await isSame(join(directory, current), payload))) {
    await linkNames(directory, payload);
    return false;
  }
  const stamp = new Date(options.clock.nowMs()).toISOString().slice(0, 19).replaceAll('-', '_').replace('T', '_').replaceAll(':', '_');
  const fresh = `..${stamp}.${nameSuffix(options.random, 10)}`;
  await mkdir(join(directory, fresh), { mode: 0o755 });
  await chmod(join(directory, fresh), 0o755);
  for (const [path, file] of payload) await writePayloadFile(join(directory, fresh, path), file, options.fsGroup);
  const temporary = join(directory, '..data_tmp');
  await rm(temporary, { force: true });
  await symlink(fresh, temporary);
  await rename(temporary, join(directory, dataLink));
  await linkNames(directory, payload);
  if (current !== undefined) await rm(join(directory, current), { recursive: true, force: true });
  return true;
}

function checkPath(path: string): void {
  const isBad = path === '' || path.startsWith('/') || path.split('/').some((part) => part === '..') || path.startsWith('..');
  if (isBad) throw new Error(`invalid path: ${JSON.stringify(path)} must be relative and must not contain '..'`);
}

async function writePayloadFile(path: string, file: PayloadFile, fsGroup: number | undefined): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(path, file.data);
  if (fsGroup !== undefined || file.uid !== undefined) await chown(path, file.uid ?? -1, fsGroup ?? -1);
  // After the write, and whatever the process' umask.
  await chmod(path, fsGroup === undefined ? file.mode : file.mode | 0o440);
}

/** The directory holds the same files with the same content and mode. */
async function isSame(directory: string, payload: Payload): Promise<boolean> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(ignoreMissing);
  const files = (entries ?? [])
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
  if (files.length !== payload.size) return false;
  for (const [path, file] of payload) {
    const full = join(directory, path);
    const [content, stat] = await Promise.all([readFile(full).catch(ignoreMissing), lstat(full).catch(ignoreMissing)]);
    if (!content || !stat || Buffer.compare(content, file.data) !== 0 || (stat.mode & file.mode) !== file.mode) return false;
  }
  return true;
}

/** A link for every first part of a path, and none that points to nothing. */
async function linkNames(directory: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split('/')[0] as string));
  for (const name of await readdir(directory)) {
    if (name.startsWith('..')) continue;
    if (wanted.has(name)) wanted.delete(name);
    else await rm(join(directory, name), { recursive: true, force: true });
  }
  for (const name of wanted) await symlink(join(dataLink, name), join(directory, name));
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
