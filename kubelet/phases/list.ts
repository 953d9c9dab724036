// The order in which a pod and its containers are started. Phases of one row do not need one another and run at once.

import { cgroupsPhase } from './cgroups.ts';
import { createPhase } from './create.ts';
import { directoriesPhase } from './directories.ts';
import { hostsFilePhase } from './hosts-file.ts';
import { imagePhase } from './image.ts';
import type { ContainerPhase, PodPhase } from './phase.ts';
import { postStartPhase } from './post-start.ts';
import { sandboxPhase } from './sandbox.ts';
import { startPhase } from './start.ts';
import { volumesPhase } from './volumes.ts';

export const podPhases: readonly (readonly PodPhase[])[] = [
  [directoriesPhase, cgroupsPhase],
  [volumesPhase],
  [sandboxPhase],
  [hostsFilePhase],
];

export const containerPhases: readonly ContainerPhase[] = [imagePhase, createPhase, startPhase, postStartPhase];
