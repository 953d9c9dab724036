// An image with a shell and the small tools, made on the spot of this machine's static busybox: nothing is fetched.

import { readFile } from 'node:fs/promises';
import { buildImage, type ImageConfig } from './build-image.ts';

/** The name of `busyboxImage`'s image, unless another is given. */
export const busyboxImageName = 'docker.io/library/busybox:1';

const busyboxPath = '/bin/busybox';

// Of Debian's busybox-static; its wget crashes on -T and its nc has no UDP.
const applets =
  'ash awk base64 basename cat chmod chown cp cut date dd df dirname du echo env false find free grep head hostname httpd id ip kill ln ls md5sum mkdir mknod mktemp mount mv nc netstat nproc nslookup ping printf ps pwd readlink rm rmdir route sed seq sh sha256sum sleep sort stat stty sync tail tar tee test timeout top touch tr traceroute true tty udhcpc umount uname uniq uptime vi wc wget which whoami xargs yes';

/** A reason why the image cannot be made here, or undefined: for a test's `skip`. */
export async function cannotMakeBusyboxImage(): Promise<string | undefined> {
  const program = await readFile(busyboxPath).catch((error: Error) => error);
  // A dynamic one names its loader; in an image without libraries it would not start.
  if (program instanceof Error || program.includes('/ld-linux'))
    return `needs a static ${busyboxPath} (Debian: apt-get install busybox-static)`;
  return undefined;
}

/** An OCI archive with a shell, a web server, nc and the other small tools; runs `sh` unless told otherwise. */
export async function busyboxImage({
  name = busyboxImageName,
  config = {},
}: {
  name?: string;
  config?: ImageConfig;
} = {}): Promise<Buffer> {
  return buildImage({
    name,
    files: [
      { path: '/bin', directory: true },
      { path: '/bin/busybox', content: await readFile(busyboxPath), mode: 0o755 },
      ...applets.split(' ').map((applet) => ({ path: `/bin/${applet}`, linkTo: 'busybox' })),
      { path: '/etc', directory: true },
      { path: '/etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' },
      { path: '/etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
      { path: '/root', directory: true, mode: 0o700 },
      { path: '/tmp', directory: true, mode: 0o1777 },
      { path: '/www', directory: true },
      { path: '/www/index.html', content: 'hello from busybox\n' },
    ],
    config: { Env: ['PATH=/bin'], Cmd: ['sh'], ...config },
  });
}
