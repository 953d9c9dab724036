// The pod's directories, for volumes, plugins and logs.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { podDirectory, podLogDirectory } from '../directories.ts';
import { identityOf } from '../pods/names.ts';
import type { PodPhase } from './phase.ts';

export const directoriesPhase: PodPhase = {
  name: 'directories',
  async run({ context, pod }) {
    const identity = identityOf(pod);
    const own = podDirectory(context.directories, identity.uid);
    await Promise.all([
      mkdir(join(own, 'volumes'), { recursive: true, mode: 0o750 }),
      mkdir(join(own, 'containers'), { recursive: true, mode: 0o750 }),
      mkdir(podLogDirectory(context.directories, identity), { recursive: true, mode: 0o755 }),
    ]);
  },
};
