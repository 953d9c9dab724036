// The image that manifests/examples/ run: this machine's static busybox, so that they work without any registry.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { SupervisedContainerd } from '../runtime/containerd.ts';
import { buildImage } from '../runtime/images/build-image.ts';
import { importImage } from '../runtime/images/import-image.ts';

export const exampleImageName = 't8s.local/busybox:1';

const busybox = '/bin/busybox';
const applets =
  'sh ash cat cp cut date dd echo env false find grep head hostname httpd id ip kill ls mkdir mv nc nslookup ping printf ps rm sed seq sleep sort stat tail tee test top touch tr true uname wc wget which xargs yes'.split(
    ' ',
  );

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
  if (!existsSync(busybox)) {
    log.info(`there is no ${busybox}: the examples' image ${exampleImageName} is not loaded`);
    return;
  }
  const archive = await buildImage({
    name: exampleImageName,
    files: [
      { path: '/bin', directory: true },
      { path: '/bin/busybox', content: await readFile(busybox), mode: 0o755 },
      ...applets.map((applet) => ({ path: `/bin/${applet}`, linkTo: 'busybox' })),
      { path: '/etc', directory: true },
      { path: '/etc/passwd', content: 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' },
      { path: '/tmp', directory: true, mode: 0o1777 },
    ],
    config: { Env: ['PATH=/bin'], Cmd: ['sh'] },
  });
  await importImage(Readable.from([archive]), { socket: containerd.socket, clock, random });
}
