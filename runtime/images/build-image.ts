// Makes small images out of files in memory: an OCI image layout in a tar with one uncompressed layer, the same bytes
// for the same input. For our pause image, and for the images of tests.

import { createHash } from 'node:crypto';
import { arch } from 'node:process';
import { type Header, pack } from 'tar-stream';
import type { Architecture } from './pause-program.ts';

/** A file of an image: content with a mode (default 0644), a symbolic link, or a directory (mode default 0755). */
export type ImageFile =
  | { path: string; content: Uint8Array | string; mode?: number }
  | { path: string; linkTo: string }
  | { path: string; directory: true; mode?: number };

/** The part of OCI's image configuration that images of ours use. */
export interface ImageConfig {
  Entrypoint?: string[];
  Cmd?: string[];
  Env?: string[];
  WorkingDir?: string;
  User?: string;
  ExposedPorts?: Record<string, object>;
  Labels?: Record<string, string>;
  StopSignal?: string;
}

export interface ImageOptions {
  /** With registry and tag: `docker.io/library/busybox:1`. */
  name: string;
  files: ImageFile[];
  config?: ImageConfig;
  /** Default: this machine's. */
  architecture?: Architecture;
}

/** This machine's architecture in OCI's words. */
export function machineArchitecture(): Architecture {
  if (arch === 'x64') return 'amd64';
  if (arch === 'arm64') return 'arm64';
  throw new Error(`t8s makes images for x64 and arm64 machines only, this one is ${arch}`);
}

/** The image as an OCI layout in a tar: what importImage, `ctr images import` and `docker load` read. */
export async function buildImage({ name, files, config = {}, architecture = machineArchitecture() }: ImageOptions): Promise<Buffer> {
  const layer = await tar(files.map(layerEntry));
  const configBlob = json({
    architecture,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config,
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 't8s' }],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.oci.image.config.v1+json', configBlob),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar', layer)],
  });
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name.replace(/^.*:/, '') };
  const index = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      { ...descriptor('application/vnd.oci.image.manifest.v1+json', manifest), annotations, platform: { os: 'linux', architecture } },
    ],
  });
  return tar([
    { header: { name: 'oci-layout' }, content: json({ imageLayoutVersion: '1.0.0' }) },
    ...[configBlob, layer, manifest].map((blob) => ({ header: { name: `blobs/sha256/${digestOf(blob).slice(7)}` }, content: blob })),
    { header: { name: 'index.json' }, content: index },
  ]);
}

interface Entry {
  header: Partial<Header> & { name: string };
  content?: Uint8Array;
}

function layerEntry(file: ImageFile): Entry {
  const name = file.path.replace(/^\/+/, '');
  if ('linkTo' in file) return { header: { name, type: 'symlink', linkname: file.linkTo } };
  if ('directory' in file) return { header: { name: `${name}/`, type: 'directory', mode: file.mode ?? 0o755 } };
  return { header: { name, mode: file.mode ?? 0o644 }, content: Buffer.from(file.content) };
}

async function tar(entries: Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { header, content } of entries) archive.entry({ mtime: new Date(0), ...header }, Buffer.from(content ?? ''));
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function digestOf(blob: Uint8Array): string {
  return `sha256:${createHash('sha256').update(blob).digest('hex')}`;
}

function descriptor(mediaType: string, blob: Uint8Array): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: digestOf(blob), size: blob.length };
}
