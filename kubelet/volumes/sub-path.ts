// subPath mounts that cannot be led out of their volume: the path is resolved, walked part by part without following
// links, and what was walked to is bind-mounted from its open descriptor, so that a later swap changes nothing.

import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { bindMount, mountsBelow } from '../mount.ts';

/**
 * Mounts `subPath` of the volume at `volumeRoot` onto `target`, making the directory when there is nothing.
 * @throws Error when the path leads out of the volume
 */
export async function mountSubPath(volumeRoot: string, subPath: string, target: string): Promise<void> {
  if ((await mountsBelow(target)).includes(target)) return;
  const root = await realpath(volumeRoot);
  await makeWithin(root, subPath);
  const resolved = await realpath(join(root, subPath));
  if (!isWithin(root, resolved)) throw new Error(`subpath "${subPath}" not within volume path "${volumeRoot}"`);
  const handle = await openWithin(root, relative(root, resolved));
  try {
    const isDirectory = (await handle.stat()).isDirectory();
    await mkdir(isDirectory ? target : dirname(target), { recursive: true, mode: 0o750 });
    if (!isDirectory) await writeFile(target, '', { flag: 'a' });
    await bindMount(`/proc/${process.pid}/fd/${handle.fd}`, target);
  } finally {
    await handle.close();
  }
}

const isWithin = (root: string, path: string) => path === root || path.startsWith(`${root}/`);

/** Makes the directories that are missing, each below one that was seen to lie in the volume. */
async function makeWithin(root: string, subPath: string): Promise<void> {
  const { mode } = await stat(root);
  let at = root;
  for (const part of subPath.split('/').filter((p) => p !== '' && p !== '.')) {
    if (part === '..') throw new Error('subpath must not contain backsteps');
    const next = join(at, part);
    const found = await lstat(next).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (!found) await mkdir(next, { mode: mode & 0o7777 });
    at = await realpath(next);
    if (!isWithin(root, at)) throw new Error(`subpath "${subPath}" not within volume path "${root}"`);
  }
}

/** Opens a path below `root` through each of its parts, none of which may be a link by now. */
async function openWithin(root: string, path: string): Promise<FileHandle> {
  const pathOnly = 0o10000000;
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | pathOnly;
  let handle = await open(root, flags);
  for (const part of path.split('/').filter((p) => p !== '')) {
    const parent = handle;
    try {
      handle = await open(`/proc/self/fd/${parent.fd}/${part}`, flags);
    } finally {
      await parent.close();
    }
    if ((await handle.stat()).isSymbolicLink()) {
      await handle.close();
      throw new Error(`unexpected symlink found ${part}`);
    }
  }
  return handle;
}
