// `t8s image load`: reads an image archive (OCI layout or `docker save`, gzipped or not) into containerd through its own API. Blobs
// stream straight into the content store; the layers are unpacked by the runtime when the first container needs them.

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type Extract, extract } from 'tar-stream';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { criNamespace } from '../containerd-api.ts';
import { GrpcConnection } from '../grpc.ts';
import { ContentStore, type Descriptor } from './content-store.ts';
import { normalizeImageName } from './image-name.ts';

export interface ImportImageOptions {
  /** containerd's socket. */
  socket: string;
  clock: Clock;
  random: Random;
  /** For the images of an archive that names none. */
  name?: string;
  /** Labels of containerd's image record. */
  labels?: Record<string, string>;
}

/** containerd's own label to keep an image from the kubelet's collector; it knows it from 1.7 on. */
export const pinnedLabel = { 'io.cri-containerd.pinned': 'pinned' };

/**
 * Returns the names of the images that the archive held. They are known to CRI moments later.
 * @throws Error with the reason when it is no image archive; RuntimeError from containerd.
 */
export async function importImage(archive: Readable, options: ImportImageOptions): Promise<string[]> {
  const connection = new GrpcConnection({ ...options, headers: criNamespace });
  const store = new ContentStore(connection, `t8s-import-${options.random.uuid()}`);
  try {
    return await store.underLease(async () => {
      const files = await readArchive(archive, store);
      const images = files.index ? imagesOfLayout(files, options.name) : await imagesOfDockerSave(files, store);
      if (images.length === 0) throw new Error('the archive names no image: give one with --name');
      for (const { name, target } of images) {
        await store.keepTogether(target);
        await store.putImage(name, target, options.labels ?? {});
      }
      return images.map((image) => image.name);
    });
  } finally {
    connection.close();
  }
}

interface NamedImage {
  name: string;
  target: Descriptor;
}

/** What an archive held: the tables of contents, and where each of its other files went. */
interface ArchiveFiles {
  index?: { manifests?: (Descriptor & { annotations?: Record<string, string> })[] };
  dockerManifest?: { Config: string; RepoTags?: string[] | null; Layers: string[] }[];
  stored: Map<string, { digest: string; size: number }>;
}

/** Tables of contents and links are bounded; blobs are not held in memory. */
const tableBytesMax = 4 * 1024 * 1024;
const entriesMax = 100_000;

async function readArchive(archive: Readable, store: ContentStore): Promise<ArchiveFiles> {
  const entries = extract();
  const feeding = pipeline(await gunzipped(archive), entries);
  const fed = feeding.then(
    () => undefined,
    (error: unknown) => error,
  );
  try {
    return await readEntries(entries, store);
  } catch (error) {
    // What no tar is, or breaks off, breaks the reading with the same error; the store's are others.
    throw error === (await fed) ? new Error(`not an image archive: ${error instanceof Error ? error.message : error}`) : error;
  }
}

async function readEntries(entries: Extract, store: ContentStore): Promise<ArchiveFiles> {
  const files: ArchiveFiles = { stored: new Map() };
  const links = new Map<string, string>();
  let count = 0;
  for await (const entry of entries) {
    const { name: rawName, type, size = 0, linkname } = entry.header;
    const name = rawName.replace(/^\.\//, '');
    if (++count > entriesMax) throw new Error(`the archive has more than ${entriesMax} entries`);
    if (type === 'symlink' || type === 'link') links.set(name, resolveLink(name, linkname ?? '', type));
    if (type !== 'file') {
      entry.resume();
    } else if (name === 'index.json') {
      files.index = await readTable(entry, size);
    } else if (name === 'manifest.json') {
      files.dockerManifest = await readTable(entry, size);
    } else if (isTrifle(name)) {
      entry.resume();
    } else {
      const digest = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1];
      const blob = entry as AsyncIterable<Uint8Array>;
      files.stored.set(name, await store.write(blob, { size, ...(digest && { digest: `sha256:${digest}` }) }));
    }
  }
  if (!files.index && !files.dockerManifest) throw new Error('not an image archive: it holds neither index.json nor manifest.json');
  for (const [name, target] of links) {
    const stored = files.stored.get(target);
    if (stored) files.stored.set(name, stored);
  }
  return files;
}

/** Files of both formats that no image refers to. */
function isTrifle(name: string): boolean {
  return name === 'oci-layout' || name === 'repositories' || /(^|\/)(VERSION|json)$/.test(name);
}

function resolveLink(name: string, target: string, type: 'symlink' | 'link'): string {
  return type === 'link' ? target.replace(/^\.\//, '') : new URL(target, `file:///${name}`).pathname.slice(1);
}

/** The archive without gzip, whichever it was. */
async function gunzipped(archive: AsyncIterable<Uint8Array>): Promise<Readable> {
  const chunks = archive[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    head = Buffer.concat([head, next.value]);
    if (head.length >= 2) break;
  }
  const whole = Readable.from(chain(head, chunks), { objectMode: false });
  if (head[0] !== 0x1f || head[1] !== 0x8b) return whole;
  const gunzip = createGunzip();
  pipeline(whole, gunzip).catch((error) => gunzip.destroy(error));
  return gunzip;
}

async function* chain(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

async function readTable<T>(entry: AsyncIterable<unknown>, size: number): Promise<T> {
  if (size > tableBytesMax) throw new Error(`the archive's table of contents is ${size} bytes, more than ${tableBytesMax}`);
  const chunks: Buffer[] = [];
  for await (const chunk of entry) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as T;
}

function imagesOfLayout(files: ArchiveFiles, name: string | undefined): NamedImage[] {
  const manifests = files.index?.manifests ?? [];
  const images = manifests.flatMap(({ annotations = {}, ...target }) => {
    const own = annotations['io.containerd.image.name'];
    return own ? [{ name: normalizeImageName(own), target }] : [];
  });
  const first = manifests[0];
  if (images.length > 0 || !first) return images;
  if (name !== undefined) return [{ name: normalizeImageName(name), target: first }];
  // A `docker save` of today is an OCI layout too, and names its only image in manifest.json.
  const repoTags = files.dockerManifest?.length === 1 ? (files.dockerManifest[0]?.RepoTags ?? []) : [];
  return repoTags.map((tag) => ({ name: normalizeImageName(tag), target: first }));
}

async function imagesOfDockerSave(files: ArchiveFiles, store: ContentStore): Promise<NamedImage[]> {
  const images: NamedImage[] = [];
  for (const { Config, RepoTags, Layers } of files.dockerManifest ?? []) {
    const stored = (path: string) => {
      const found = files.stored.get(path);
      if (!found) throw new Error(`the archive's manifest.json names ${path}, which it does not hold`);
      return found;
    };
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
        config: { mediaType: 'application/vnd.docker.container.image.v1+json', ...stored(Config) },
        layers: Layers.map((path) => ({ mediaType: 'application/vnd.docker.image.rootfs.diff.tar', ...stored(path) })),
      }),
    );
    const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
    const target = {
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      ...(await store.write([manifest], { size: manifest.length, digest })),
    };
    for (const tag of RepoTags ?? []) images.push({ name: normalizeImageName(tag), target });
  }
  return images;
}
