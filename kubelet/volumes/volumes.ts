// A pod's volumes on its node: set up before its containers start, kept up to date while they run, taken down after
// them. Every step may be repeated.

import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../api/core.ts';
import { quantityValue } from '../../api/quantity.ts';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { ReferencedObjects } from '../containers/environment.ts';
import type { PodFacts } from '../containers/field-ref.ts';
import { type Directories, podDirectory, subPathsDirectory, volumePath, volumesDirectory } from '../directories.ts';
import { mountsBelow, mountTmpfs, unmountBelow } from '../mount.ts';
import { identityOf } from '../pods/names.ts';
import { writeAtomically } from './atomic-writer.ts';
import { checkHostPath } from './host-path.ts';
import { setVolumeOwnership } from './ownership.ts';
import { payloadOf, type TokenSource } from './payload.ts';

type Volume = NonNullable<NonNullable<Pod['spec']>['volumes']>[number];

export interface VolumesOptions {
  directories: Directories;
  clock: Clock;
  random: Random;
  objects: ReferencedObjects;
  tokens: TokenSource;
  /** false: what should lie in memory lies on disk, so that nothing is mounted. Default true. */
  mounts?: boolean;
}

/** A volume as containers mount it. */
export interface PreparedVolume {
  hostPath: string;
  isReadOnly: boolean;
  /** May be anything on the node, and is made by the runtime when missing. */
  isHostPath: boolean;
}

/** A volume that could not be set up; the message is the event's. */
export class VolumeError extends Error {
  override name = 'VolumeError';
  readonly volume: string;
  constructor(volume: string, message: string) {
    super(message);
    this.volume = volume;
  }
}

export class Volumes {
  readonly #options: VolumesOptions;
  constructor(options: VolumesOptions) {
    this.#options = options;
  }

  /** By name. @throws VolumeError */
  async setUp(pod: Pod, facts: PodFacts): Promise<Map<string, PreparedVolume>> {
    const volumes = pod.spec?.volumes ?? [];
    const prepared = await Promise.all(
      volumes.map(async (volume): Promise<[string, PreparedVolume]> => {
        try {
          return [volume.name, await this.#setUp(pod, volume, facts)];
        } catch (error) {
          throw new VolumeError(volume.name, error instanceof Error ? error.message : String(error));
        }
      }),
    );
    return new Map(prepared);
  }

  /** Writes what has changed in the objects that the pod's volumes show. @throws VolumeError */
  async refresh(pod: Pod, facts: PodFacts): Promise<void> {
    for (const volume of pod.spec?.volumes ?? []) {
      if (!isProjection(volume)) continue;
      try {
        await this.#setUp(pod, volume, facts);
      } catch (error) {
        throw new VolumeError(volume.name, error instanceof Error ? error.message : String(error));
      }
    }
  }

  /** Unmounts and removes all that lies below the pod's directory. */
  async tearDown(uid: string): Promise<void> {
    const { directories } = this.#options;
    await unmountBelow(podDirectory(directories, uid));
    for (const directory of [volumesDirectory(directories, uid), subPathsDirectory(directories, uid)]) {
      await rm(directory, { recursive: true, force: true });
    }
  }

  async #setUp(pod: Pod, volume: Volume, facts: PodFacts): Promise<PreparedVolume> {
    if (volume.hostPath) {
      await checkHostPath(volume.hostPath.path, volume.hostPath.type);
      return { hostPath: volume.hostPath.path, isReadOnly: false, isHostPath: true };
    }
    if (volume.emptyDir) return this.#emptyDir(pod, volume);
    const { directories, clock, random, objects, tokens } = this.#options;
    const payload = await payloadOf(volume, { pod, facts, objects, tokens });
    if (!payload)
      throw new Error(
        `no volume plugin matched: ${Object.keys(volume)
          .filter((key) => key !== 'name')
          .join(', ')}`,
      );
    const plugin = volume.configMap ? 'configmap' : volume.secret ? 'secret' : volume.downwardAPI ? 'downward-api' : 'projected';
    const path = volumePath(directories, identityOf(pod).uid, plugin, volume.name);
    await mkdir(path, { recursive: true, mode: 0o755 });
    // Secrets stay off the disk.
    if (volume.secret || hasSecrets(volume)) await this.#ensureTmpfs(path, 'size=16m,mode=0755');
    const fsGroup = pod.spec?.securityContext?.fsGroup;
    await writeAtomically(path, payload, { clock, random, ...(fsGroup === undefined ? {} : { fsGroup }) });
    return { hostPath: path, isReadOnly: false, isHostPath: false };
  }

  async #emptyDir(pod: Pod, volume: Volume): Promise<PreparedVolume> {
    const path = volumePath(this.#options.directories, identityOf(pod).uid, 'empty-dir', volume.name);
    const isNew = await stat(path).then(
      () => false,
      () => true,
    );
    await mkdir(path, { recursive: true });
    if (volume.emptyDir?.medium === 'Memory') {
      const limit = volume.emptyDir.sizeLimit ? quantityValue(volume.emptyDir.sizeLimit) : 0;
      await this.#ensureTmpfs(path, limit > 0 ? `size=${limit},mode=0777` : 'mode=0777');
    }
    if (isNew) await chmod(path, 0o777);
    const fsGroup = pod.spec?.securityContext?.fsGroup;
    if (isNew && fsGroup !== undefined) {
      await setVolumeOwnership(path, fsGroup, pod.spec?.securityContext?.fsGroupChangePolicy ?? 'Always');
    }
    return { hostPath: path, isReadOnly: false, isHostPath: false };
  }

  async #ensureTmpfs(path: string, options: string): Promise<void> {
    if (this.#options.mounts === false || (await mountsBelow(path)).includes(path)) return;
    await mountTmpfs(path, options);
  }
}

const isProjection = (volume: Volume) => Boolean(volume.configMap || volume.secret || volume.downwardAPI || volume.projected);
const hasSecrets = (volume: Volume) => (volume.projected?.sources ?? []).some((s) => s.secret || s.serviceAccountToken);

/** Uids that have a directory. */
export async function podDirectoriesPresent(directories: Directories): Promise<string[]> {
  return readdir(join(directories.root, 'pods')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}
