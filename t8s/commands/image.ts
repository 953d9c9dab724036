// `t8s image load FILE` and `t8s image ls`: images of the cluster's own containerd.

import { createReadStream, existsSync } from 'node:fs';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { renderColumns } from '../../kubectl/table.ts';
import { connectCri } from '../../runtime/cri.ts';
import { importImage } from '../../runtime/images/import-image.ts';
import { readRunRecord } from '../cluster-record.ts';
import { type CommandIo, UserError } from '../command-io.ts';
import { readConfig } from '../config.ts';
import { createLog } from '../log.ts';

export interface ImageOptions {
  dataDir?: string;
  name?: string;
  /** For an archive that names no image. */
  as?: string;
}

export async function loadImages(files: readonly string[], options: ImageOptions, io: CommandIo): Promise<number> {
  const socket = containerdSocket(options, io);
  for (const file of files) {
    if (file !== '-' && !existsSync(file)) throw new UserError(`there is no file ${file}`);
    const archive = file === '-' ? process.stdin : createReadStream(file);
    const names = await importImage(archive, {
      socket,
      clock: systemClock,
      random: systemRandom,
      ...(options.as ? { name: options.as } : {}),
    }).catch((error: unknown) => {
      throw new UserError(`${file} could not be loaded: ${error instanceof Error ? error.message : String(error)}`);
    });
    for (const name of names) io.out.write(`loaded ${name}\n`);
  }
  return 0;
}

export async function listImages(options: ImageOptions, io: CommandIo): Promise<number> {
  const runtime = await connectCri({ socket: containerdSocket(options, io), clock: systemClock, log: createLog(io.err, 'warn') });
  try {
    const rows = (await runtime.listImages()).flatMap((image) => {
      const names = image.repoTags?.length ? image.repoTags : [image.repoDigests?.[0] ?? '<none>'];
      return names.map((name) => [name, (image.id ?? '').replace('sha256:', '').slice(0, 12), formatBytes(image.size ?? 0)]);
    });
    io.out.write(renderColumns([['IMAGE', 'ID', 'SIZE'], ...rows.sort(([a = ''], [b = '']) => a.localeCompare(b))]));
  } finally {
    await runtime.close();
  }
  return 0;
}

function containerdSocket(options: ImageOptions, io: CommandIo): string {
  const config = readConfig({ dataDir: options.dataDir, name: options.name }, io.env, io.isRoot);
  const run = readRunRecord(config.dataDirectory);
  if (!run) throw new UserError(`no cluster is running in ${config.dataDirectory}`);
  const socket = run.components.find(({ name }) => name === 'containerd')?.address;
  if (!socket) throw new UserError('this cluster has no containerd of its own to load images into');
  return socket;
}

function formatBytes(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
