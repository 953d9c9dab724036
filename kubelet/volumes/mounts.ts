// A container's mounts: its volumes, its pod's hosts file, and the file for its termination message.

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import type { Container, Pod } from '../../api/core.ts';
import type * as cri from '../../runtime/cri-types.ts';
import { configError, StartFailure } from '../containers/config-error.ts';
import { expandStrictly } from '../containers/expansion.ts';
import { containerDirectory, type Directories, hostsFilePath, subPathsDirectory } from '../directories.ts';
import { identityOf } from '../pods/names.ts';
import { mountSubPath } from './sub-path.ts';
import type { PreparedVolume } from './volumes.ts';

export interface MountsInput {
  pod: Pod;
  container: Container;
  volumes: ReadonlyMap<string, PreparedVolume>;
  env: ReadonlyMap<string, string>;
  directories: Directories;
  /** Distinguishes this start from others: the message file's name. */
  startId: string;
}

const propagations: Record<string, cri.MountPropagation> = {
  None: 'PROPAGATION_PRIVATE',
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
};

/** @throws StartFailure */
export async function containerMounts(input: MountsInput): Promise<cri.Mount[]> {
  const { pod, container, directories } = input;
  const { uid } = identityOf(pod);
  const mounts: cri.Mount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = input.volumes.get(mount.name);
    if (!volume) throw configError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
    mounts.push({
      containerPath: isAbsolute(mount.mountPath) ? mount.mountPath : `/${mount.mountPath}`,
      hostPath: await pathOf(input, mount, index, volume),
      readonly: mount.readOnly === true || volume.isReadOnly,
      propagation: propagations[mount.mountPropagation ?? 'None'] ?? 'PROPAGATION_PRIVATE',
    });
  }
  const isOwnHosts = mounts.some((m) => m.containerPath === '/etc/hosts');
  if (!isOwnHosts) {
    const hosts = hostsFilePath(directories, uid);
    mounts.push({ containerPath: '/etc/hosts', hostPath: hosts, readonly: container.securityContext?.readOnlyRootFilesystem === true });
  }
  const messagePath = container.terminationMessagePath ?? '/dev/termination-log';
  const messageFile = join(containerDirectory(directories, uid, container.name), input.startId);
  await mkdir(dirname(messageFile), { recursive: true, mode: 0o750 });
  // Made here: a missing source would become a directory.
  await writeFile(messageFile, '', { flag: 'a' });
  await chmod(messageFile, 0o666);
  mounts.push({ containerPath: messagePath, hostPath: messageFile });
  return mounts;
}

type VolumeMount = NonNullable<Container['volumeMounts']>[number];

async function pathOf(input: MountsInput, mount: VolumeMount, index: number, volume: PreparedVolume): Promise<string> {
  const { pod, container, env, directories } = input;
  let subPath = mount.subPath ?? '';
  if (mount.subPathExpr) {
    try {
      subPath = expandStrictly(mount.subPathExpr, (name) => env.get(name));
    } catch (error) {
      throw configError(error instanceof Error ? error.message : String(error));
    }
  }
  if (!subPath) return volume.hostPath;
  if (isAbsolute(subPath)) throw configError(`error SubPath \`${subPath}\` must not be an absolute path`);
  if (subPath.split('/').includes('..')) throw configError(`unable to provision SubPath \`${subPath}\`: must not contain '..'`);
  const target = join(subPathsDirectory(directories, identityOf(pod).uid), mount.name, container.name, String(index));
  try {
    await mountSubPath(volume.hostPath, subPath, target);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartFailure(
      'CreateContainerConfigError',
      `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}": ${why}`,
    );
  }
  return target;
}
