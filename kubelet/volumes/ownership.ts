// fsGroup: a volume's files belong to the pod's group and its members may use them.

import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Gives everything below `root` to `fsGroup`. 'OnRootMismatch' looks at the root only, and spares large volumes. */
export async function setVolumeOwnership(root: string, fsGroup: number, policy: string, isReadOnly = false): Promise<void> {
  const mask = isReadOnly ? 0o440 : 0o660;
  if (policy === 'OnRootMismatch') {
    const { gid, mode } = await lstat(root);
    if (gid === fsGroup && (mode & 0o2000) !== 0 && (mode & mask) === mask) return;
  }
  // The root last: it tells whether the walk was finished.
  await change(root, fsGroup, mask);
}

async function change(path: string, gid: number, mask: number): Promise<void> {
  const stat = await lstat(path);
  if (stat.isSymbolicLink()) {
    await lchown(path, stat.uid, gid);
    return;
  }
  if (stat.isDirectory()) for (const name of await readdir(path)) await change(join(path, name), gid, mask);
  await lchown(path, stat.uid, gid);
  const extra = stat.isDirectory() ? 0o2000 | 0o110 : 0;
  await chmod(path, (stat.mode & 0o7777) | mask | extra);
}
