// Keeps containers' logs within bounds: a log that has grown too large is renamed and the runtime told to open a new
// one; of the renamed, the newest few are kept.

import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { type ContainerRuntime, RuntimeError } from '../../runtime/runtime.ts';

export interface LogRotationOptions {
  runtime: ContainerRuntime;
  clock: Clock;
  /** Default 10 MiB. */
  bytesMax?: number;
  /** Files kept for each container, the one being written included. Default 5. */
  filesMax?: number;
}

/** Looks at every running container's log once. @throws RuntimeError */
export async function rotateLogs({ runtime, clock, bytesMax = 10 << 20, filesMax = 5 }: LogRotationOptions): Promise<void> {
  for (const { id = '' } of await runtime.listContainers({ state: { state: 'CONTAINER_RUNNING' } })) {
    const path = (await runtime.containerStatus(id))?.logPath;
    if (!path || (await sizeOf(path)) <= bytesMax) continue;
    await removeOld(path, filesMax - 2);
    const stamp = new Date(clock.nowMs()).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
    const renamed = `${path}.${stamp}`;
    await rename(path, renamed);
    try {
      await runtime.reopenContainerLog(id);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      // The runtime still writes to the old one; under its own name it will be found again.
      await rename(renamed, path);
      throw error;
    }
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

async function removeOld(path: string, keep: number): Promise<void> {
  const prefix = `${basename(path)}.`;
  const rotated = (await readdir(dirname(path))).filter((name) => name.startsWith(prefix)).sort();
  for (const name of rotated.slice(0, Math.max(0, rotated.length - Math.max(0, keep))))
    await rm(join(dirname(path), name), { force: true });
}
