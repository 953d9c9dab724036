// Our own pause image, which holds the namespaces of every pod: made on the spot, so that a cluster boots without a registry.

import { buildImage, machineArchitecture } from './build-image.ts';
import { type Architecture, pauseProgram } from './pause-program.ts';

/** The name under which the runtime is told to find it; no registry answers to it. */
export const pauseImageName = 't8s.local/pause:1';

/** The image as an OCI layout in a tar. */
export function pauseImage(architecture: Architecture = machineArchitecture()): Promise<Buffer> {
  return buildImage({
    name: pauseImageName,
    architecture,
    files: [{ path: '/pause', content: pauseProgram(architecture), mode: 0o755 }],
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
  });
}
