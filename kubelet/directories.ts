// Where a kubelet keeps what it keeps on disk; the layout is Kubernetes' own.

import { join } from 'node:path';
import type { PodIdentity } from './pods/names.ts';

export interface Directories {
  /** `/var/lib/kubelet` */
  root: string;
  /** `/var/log/pods` */
  podLogs: string;
}

export const podsDirectory = ({ root }: Directories) => join(root, 'pods');
export const podDirectory = ({ root }: Directories, uid: string) => join(root, 'pods', uid);
export const volumesDirectory = (at: Directories, uid: string) => join(podDirectory(at, uid), 'volumes');
export const subPathsDirectory = (at: Directories, uid: string) => join(podDirectory(at, uid), 'volume-subpaths');
export const hostsFilePath = (at: Directories, uid: string) => join(podDirectory(at, uid), 'etc-hosts');
/** Termination messages of one container, a file each start. */
export const containerDirectory = (at: Directories, uid: string, name: string) => join(podDirectory(at, uid), 'containers', name);
/** `kubernetes.io~empty-dir/cache` below the pod's volumes. */
export const volumePath = (at: Directories, uid: string, plugin: string, name: string) =>
  join(volumesDirectory(at, uid), `kubernetes.io~${plugin}`, name);
export const podLogDirectory = ({ podLogs }: Directories, { namespace, name, uid }: PodIdentity) =>
  join(podLogs, `${namespace}_${name}_${uid}`);
