// The container's image is on the machine, or a pull is under way that will wake the worker.

import type { ContainerPhase } from './phase.ts';

export const imagePhase: ContainerPhase = {
  name: 'image',
  async run(start) {
    const outcome = await start.image;
    if (outcome === 'pulling') return 'later';
    const { image } = outcome;
    start.imageRef = image.id ?? '';
    start.imageUser = { uid: image.uid?.value, username: image.username };
    return undefined;
  },
};
