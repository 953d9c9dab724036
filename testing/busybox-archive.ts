// The busybox image as a file, for scenarios that load or push it.

import { writeFile } from 'node:fs/promises';
import { busyboxImage, busyboxImageName } from '../runtime/images/busybox-image.ts';

/** Writes an OCI archive; returns the name of the image in it. */
export async function writeBusyboxArchive(file: string): Promise<string> {
  await writeFile(file, await busyboxImage());
  return busyboxImageName;
}
