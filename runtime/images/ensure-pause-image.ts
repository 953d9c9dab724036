// Sees to it that the runtime has our pause image before the first pod needs it.

import { Readable } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { type ContainerRuntime, RuntimeError } from '../runtime.ts';
import { importImage, pinnedLabel } from './import-image.ts';
import { pauseImage, pauseImageName } from './pause.ts';

const knownMsMax = 10_000;

/** @throws RuntimeError when the runtime is not a containerd, or does not take the image. */
export async function ensurePauseImage(
  runtime: Pick<ContainerRuntime, 'imageStatus'>,
  options: { socket: string; clock: Clock; random: Random },
): Promise<void> {
  if (await runtime.imageStatus(pauseImageName)) return;
  await importImage(Readable.from([await pauseImage()]), { ...options, labels: pinnedLabel });
  await untilImageIsKnown(runtime, pauseImageName, options.clock);
}

/** CRI hears of an imported image by an event, moments later. @throws RuntimeError 'DeadlineExceeded' */
export async function untilImageIsKnown(runtime: Pick<ContainerRuntime, 'imageStatus'>, name: string, clock: Clock): Promise<void> {
  const untilMs = clock.monotonicMs() + knownMsMax;
  for (let delayMs = 1; !(await runtime.imageStatus(name)); delayMs = Math.min(delayMs * 2, 50)) {
    if (clock.monotonicMs() > untilMs) {
      throw new RuntimeError('DeadlineExceeded', `the runtime does not know image ${name} ${knownMsMax / 1000} s after its import`);
    }
    await new Promise<void>((resolve) => clock.setTimer(delayMs, resolve));
  }
}
