// Takes away what a cluster left on the machine: pods and their containerd, the proxy's rules and device, pod cgroups
// and volume mounts. Idempotent; finds nothing after a graceful end.

import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { unmountBelow } from '../kubelet/mount.ts';
import { Nftables } from '../proxy/nftables.ts';
import { superviseContainerd } from '../runtime/containerd.ts';
import type { ClusterRecord } from './cluster-record.ts';
import { nodePodCidr } from './machine-network.ts';
import { containerdStateDirectory } from './node.ts';

export interface SweepOptions {
  dataDirectory: string;
  record: ClusterRecord;
  clock: Clock;
  log: Log;
}

export async function sweep(options: SweepOptions): Promise<void> {
  if (!ownsMachine()) return;
  if (existsSync(join(options.dataDirectory, 'containerd'))) await endContainers(options);
  await sweepMachine(options);
}

/** The part of `sweep` that is left when pods and containerd have ended: rules, mounts and cgroups. */
export async function sweepMachine({ dataDirectory, record, clock, log }: SweepOptions): Promise<void> {
  if (!ownsMachine()) return;
  const { name: clusterName, podCidr: clusterCidr, serviceCidr } = record;
  await new Nftables({ clusterName, clusterCidr, serviceCidr, nodeAddresses: [], bridge: '', clock, log }).close({ remove: true });
  await unmountBelow(join(dataDirectory, 'kubelet'));
  for (const controller of cgroupRoots()) removeCgroup(join(controller, `t8s-${record.name}`));
}

/** Only root on Linux leaves anything on the machine. */
const ownsMachine = () => process.platform === 'linux' && process.getuid?.() === 0;

/** The containerd of a killed cluster may still run, with its pods. */
async function endContainers({ dataDirectory, record, clock, log }: SweepOptions): Promise<void> {
  const stateDirectory = containerdStateDirectory(dataDirectory);
  const containerd = await superviseContainerd({
    directory: join(dataDirectory, 'containerd'),
    stateDirectory,
    podCidr: nodePodCidr(record.podCidr, 0),
    portmap: false,
    clock,
    random: systemRandom,
    log,
  });
  const { runtime } = containerd;
  for (const sandbox of await runtime.listPodSandboxes()) {
    const id = sandbox.id ?? '';
    for (const container of await runtime.listContainers({ podSandboxId: id })) await runtime.stopContainer(container.id ?? '', 2);
    await runtime.stopPodSandbox(id);
    await runtime.removePodSandbox(id);
  }
  await containerd.stop();
}

function cgroupRoots(): string[] {
  const root = '/sys/fs/cgroup';
  if (!existsSync(root)) return [];
  if (existsSync(join(root, 'cgroup.controllers'))) return [root];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, entry.name));
}

/** cgroups are removed from the leaves up; one that still holds a process stays. */
function removeCgroup(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeCgroup(join(path, entry.name));
  try {
    rmdirSync(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'EBUSY' || error.code === 'ENOENT'))) throw error;
  }
}
