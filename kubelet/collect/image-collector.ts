// Removes images that nothing uses when their disk fills up: from the high threshold down to the low one, the longest
// unused first.

import { statfs } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { type ContainerRuntime, RuntimeError } from '../../runtime/runtime.ts';

export interface ImageCollectorOptions {
  runtime: ContainerRuntime;
  clock: Clock;
  log: Log;
  /** Percent of the disk; default 85. */
  highPercent?: number;
  /** Default 80. */
  lowPercent?: number;
  /** An image is left alone until it has been unused for this long. Default 2 min. */
  ageMsMin?: number;
}

export interface DiskUse {
  capacityBytes: number;
  availableBytes: number;
}

export class ImageCollector {
  readonly #options: ImageCollectorOptions;
  /** When an image was last seen in use, or first seen. */
  readonly #lastUsedMs = new Map<string, number>();

  constructor(options: ImageCollectorOptions) {
    this.#options = options;
  }

  /** One round; `disk` undefined: that of the images. Returns the bytes freed. @throws RuntimeError */
  async collect(disk?: DiskUse): Promise<number> {
    const { highPercent = 85, lowPercent = 80 } = this.#options;
    await this.#observe();
    const use = disk ?? (await this.#diskUse());
    if (!use || use.capacityBytes === 0) return 0;
    const usedPercent = 100 - Math.floor((use.availableBytes * 100) / use.capacityBytes);
    if (usedPercent < highPercent) return 0;
    const wantedBytes = Math.ceil((use.capacityBytes * (100 - lowPercent)) / 100) - use.availableBytes;
    return this.free(wantedBytes);
  }

  /** Removes unused images until `wantedBytes` are free, or none is left. */
  async free(wantedBytes: number): Promise<number> {
    const { runtime, clock, log, ageMsMin = 120_000 } = this.#options;
    const inUse = await this.#observe();
    const nowMs = clock.nowMs();
    const candidates = (await runtime.listImages())
      .filter((image) => !image.pinned && !inUse.has(image.id ?? '') && !(image.repoTags ?? []).some((tag) => isSandboxImage(tag)))
      .sort((a, b) => (this.#lastUsedMs.get(a.id ?? '') ?? 0) - (this.#lastUsedMs.get(b.id ?? '') ?? 0));
    let freedBytes = 0;
    for (const { id = '', size = 0 } of candidates) {
      if (freedBytes >= wantedBytes) break;
      if (nowMs - (this.#lastUsedMs.get(id) ?? nowMs) < ageMsMin) continue;
      try {
        await runtime.removeImage(id);
        freedBytes += size;
        log.info('image removed to free disk space', { image: id, bytes: size });
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
        log.warn('image not removed', { image: id, error: error.message });
      }
    }
    return freedBytes;
  }

  async #observe(): Promise<Set<string>> {
    const { runtime, clock } = this.#options;
    const [images, containers] = await Promise.all([runtime.listImages(), runtime.listContainers()]);
    const used = new Set(containers.flatMap((c) => [c.imageRef ?? '', c.imageId ?? '', c.image?.image ?? '']));
    const inUse = new Set<string>();
    const nowMs = clock.nowMs();
    for (const image of images) {
      const id = image.id ?? '';
      const isUsed = [id, ...(image.repoTags ?? []), ...(image.repoDigests ?? [])].some((name) => used.has(name));
      if (isUsed) inUse.add(id);
      if (isUsed || !this.#lastUsedMs.has(id)) this.#lastUsedMs.set(id, nowMs);
    }
    const present = new Set(images.map((image) => image.id ?? ''));
    for (const id of this.#lastUsedMs.keys()) if (!present.has(id)) this.#lastUsedMs.delete(id);
    return inUse;
  }

  async #diskUse(): Promise<DiskUse | undefined> {
    const [first] = await this.#options.runtime.imageFsInfo();
    const path = first?.fsId?.mountpoint;
    if (!path) return undefined;
    try {
      const { blocks, bavail, bsize } = await statfs(path);
      return { capacityBytes: blocks * bsize, availableBytes: bavail * bsize };
    } catch (error) {
      // A simulated runtime names a file system that is not there.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** Sandboxes hold their image without a container that says so, and not every runtime pins it. */
const isSandboxImage = (tag: string) => /(^|\/)pause(:|@|$)/.test(tag);
