// The image that manifests/examples/ run: this machine's static busybox, so that they work without any registry.

import { Readable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { SupervisedContainerd } from '../runtime/containerd.ts';
import { busyboxImage, cannotMakeBusyboxImage } from '../runtime/images/busybox-image.ts';
import { importImage } from '../runtime/images/import-image.ts';

export const exampleImageName = 't8s.local/busybox:1';

/** Loads the image once; a machine without a static busybox goes without. */
export async function ensureExampleImage({
  containerd,
  clock,
  random,
  log,
}: {
  containerd: SupervisedContainerd;
  clock: Clock;
  random: Random;
  log: Log;
}): Promise<void> {
  if (await containerd.runtime.imageStatus(exampleImageName)) return;
  const problem = await cannotMakeBusyboxImage();
  if (problem) {
    log.info(`the examples' image ${exampleImageName} is not loaded: ${problem}`);
    return;
  }
  const archive = await busyboxImage({ name: exampleImageName });
  await importImage(Readable.from([archive]), { socket: containerd.socket, clock, random });
}
