// hostPath volumes: what the type asks of the path is checked, or made.

import { mkdir, open, stat } from 'node:fs/promises';

/** @throws Error in Kubernetes' words when the path is not of its type */
export async function checkHostPath(path: string, type: string | undefined): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  const fail = (what: string) => {
    throw new Error(`hostPath type check failed: ${path} is not ${what}`);
  };
  switch (type ?? '') {
    case '':
      return;
    case 'DirectoryOrCreate':
      if (!found) await mkdir(path, { recursive: true, mode: 0o755 });
      else if (!found.isDirectory()) fail('a directory');
      return;
    case 'FileOrCreate':
      if (!found) await (await open(path, 'a', 0o644)).close();
      else if (!found.isFile()) fail('a file');
      return;
    case 'Directory':
      if (!found?.isDirectory()) fail('a directory');
      return;
    case 'File':
      if (!found?.isFile()) fail('a file');
      return;
    case 'Socket':
      if (!found?.isSocket()) fail('a socket file');
      return;
    case 'CharDevice':
      if (!found?.isCharacterDevice()) fail('a character device');
      return;
    case 'BlockDevice':
      if (!found?.isBlockDevice()) fail('a block device');
      return;
    default:
      throw new Error(`${type} is an invalid volume type`);
  }
}
