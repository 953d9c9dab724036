// containerd's content store and image records, as far as an import needs them: write a blob as it streams by, tie
// the blobs of an image together against containerd's collector, and give the image its name.

import { once } from 'node:events';
import { containerdApi } from '../containerd-api.ts';
import { type GrpcConnection, runtimeError } from '../grpc.ts';
import { RuntimeError } from '../runtime.ts';

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

const { content, images, leases } = containerdApi;
const callMs = 30_000;
/** Under gRPC's limit for a message, with room. */
const chunkBytes = 1024 * 1024;
/** A manifest or an index is a page of JSON; nothing larger is read into memory. */
const manifestBytesMax = 4 * 1024 * 1024;

export class ContentStore {
  readonly #connection: GrpcConnection;
  readonly #lease: string;
  readonly #headers: Record<string, string>;
  #writes = 0;

  /** @param lease a name for what is written until it is tied to an image; unique to this import. */
  constructor(connection: GrpcConnection, lease: string) {
    this.#connection = connection;
    this.#lease = lease;
    this.#headers = { 'containerd-lease': lease };
  }

  /** Runs `work` while nothing it writes can be collected. The lease lapses by itself should we die. */
  async underLease<Result>(work: () => Promise<Result>): Promise<Result> {
    const dayFromNow = new Date(this.#connection.nowMs() + 24 * 3600_000).toISOString();
    await this.#connection.unary(
      leases.create,
      { id: this.#lease, labels: { 'containerd.io/gc.expire': dayFromNow } },
      { deadlineMs: callMs },
    );
    try {
      return await work();
    } finally {
      await this.#connection.unary(leases.delete, { id: this.#lease }, { deadlineMs: callMs });
    }
  }

  /** Stores a blob; one that is there already is fine. Without `digest` the store works it out. @throws RuntimeError */
  async write(
    blob: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    { size, digest = '' }: { size: number; digest?: string },
  ): Promise<{ digest: string; size: number }> {
    const ref = `${this.#lease}-${this.#writes++}`;
    const call = this.#connection.duplex(content.write, this.#headers);
    let committedDigest = '';
    const finished = new Promise<void>((resolve, reject) => {
      call.on('data', (answer: { action: string; digest: string }) => {
        if (answer.action === 'COMMIT') committedDigest = answer.digest;
      });
      call.on('error', (error) => reject(runtimeError(error)));
      call.on('end', resolve);
    });
    // Awaited below; until then a failure shows as a stream that takes no more.
    let failure: unknown;
    finished.catch((error) => {
      failure = error;
    });
    let offset = 0;
    for await (const piece of blob) {
      for (let at = 0; at < piece.length && failure === undefined; at += chunkBytes) {
        const data = piece.subarray(at, at + chunkBytes);
        const hasRoom = call.write({ action: 'WRITE', ref, total: size, expected: digest, offset, data });
        offset += data.length;
        if (!hasRoom) await Promise.race([once(call, 'drain'), finished.catch(() => undefined)]);
      }
    }
    if (failure === undefined) call.write({ action: 'COMMIT', ref, total: size, expected: digest, offset });
    call.end();
    try {
      await finished;
    } catch (error) {
      const isThere = error instanceof RuntimeError && error.code === 'AlreadyExists';
      if (!isThere) throw error;
      return { digest: digest || (/sha256:[0-9a-f]{64}/.exec(error.message)?.[0] ?? ''), size };
    }
    return { digest: committedDigest || digest, size };
  }

  /** Labels an image's blobs so that each is kept as long as the one above it: index, manifests, configuration and layers. */
  async keepTogether(target: Descriptor): Promise<void> {
    const blob = await this.#read(target);
    if (!blob) return;
    const manifest = JSON.parse(blob.toString('utf8')) as { manifests?: Descriptor[]; config?: Descriptor; layers?: Descriptor[] };
    for (const child of manifest.manifests ?? []) await this.keepTogether(child);
    const labels: Record<string, string> = {};
    manifest.manifests?.forEach(({ digest }, i) => {
      labels[`containerd.io/gc.ref.content.m.${i}`] = digest;
    });
    if (manifest.config) labels['containerd.io/gc.ref.content.config'] = manifest.config.digest;
    manifest.layers?.forEach(({ digest }, i) => {
      labels[`containerd.io/gc.ref.content.l.${i}`] = digest;
    });
    await this.#connection.unary(
      content.update,
      { info: { digest: target.digest, labels }, updateMask: { paths: Object.keys(labels).map((name) => `labels.${name}`) } },
      { deadlineMs: callMs },
    );
  }

  /** Creates the image's record, or points the one of that name at `target`. @throws RuntimeError */
  async putImage(name: string, { mediaType, digest, size }: Descriptor, labels: Record<string, string>): Promise<void> {
    const image = { name, labels, target: { mediaType, digest, size } };
    try {
      await this.#connection.unary(images.create, { image }, { deadlineMs: callMs });
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code !== 'AlreadyExists') throw error;
      await this.#connection.unary(images.update, { image, updateMask: { paths: ['target'] } }, { deadlineMs: callMs });
    }
  }

  /** undefined: the archive left it out, as it may other platforms' manifests. */
  async #read({ digest, size }: Descriptor): Promise<Buffer | undefined> {
    if (size > manifestBytesMax) throw new Error(`manifest ${digest} is ${size} bytes, more than ${manifestBytesMax}`);
    const chunks: Buffer[] = [];
    try {
      for await (const { data } of this.#connection.serverStream(content.read, { digest })) chunks.push(data as Buffer);
    } catch (error) {
      const failure = runtimeError(error);
      if (failure instanceof RuntimeError && failure.code === 'NotFound') return undefined;
      throw failure;
    }
    return Buffer.concat(chunks);
  }
}
