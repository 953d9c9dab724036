// Mounting, by the system's own mount and umount commands; and what is mounted, from the kernel's table.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** @throws Error with the command's own words */
export async function mountTmpfs(target: string, options: string): Promise<void> {
  await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', target]);
}

/** @throws Error with the command's own words */
export async function bindMount(source: string, target: string): Promise<void> {
  await run('mount', ['--bind', source, target]);
}

/** Detached at once; gone when its last user is. */
export async function unmount(target: string): Promise<void> {
  await run('umount', ['-l', target]);
}

/** Mount points at or below `path`, deepest first. */
export async function mountsBelow(path: string): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8').catch((error: NodeJS.ErrnoException) => {
    // Without a mount table (other systems) nothing of ours is mounted.
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const points = table.split('\n').flatMap((line) => {
    const point = line.split(' ')[4];
    return point ? [point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))] : [];
  });
  return points.filter((point) => point === path || point.startsWith(`${path}/`)).sort((a, b) => b.length - a.length);
}

/** Everything mounted at or below `path` is detached. */
export async function unmountBelow(path: string): Promise<void> {
  for (const point of await mountsBelow(path)) await unmount(point);
}
