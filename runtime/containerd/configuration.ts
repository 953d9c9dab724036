// What containerd and its CNI plugins are told, as text: pure functions of a few paths and facts about the machine.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pauseImageName } from '../images/pause.ts';
import type { ContainerdBinaries } from './find-binaries.ts';

/** Where everything of one supervised containerd lies. */
export interface ContainerdPaths {
  /** Images, layers, metadata: outlives a restart of the machine. */
  root: string;
  /** What runs now. */
  state: string;
  socket: string;
  config: string;
  cniConfigDirectory: string;
  cniAddresses: string;
  /** `<registry>/hosts.toml` files that say how to reach registries. */
  certificates: string;
  pidFile: string;
  log: string;
}

export function containerdPaths(directory: string, stateDirectory: string): ContainerdPaths {
  return {
    root: join(directory, 'containerd'),
    state: join(stateDirectory, 'containerd'),
    socket: join(stateDirectory, 'containerd.sock'),
    config: join(directory, 'containerd.toml'),
    cniConfigDirectory: join(directory, 'cni'),
    cniAddresses: join(stateDirectory, 'cni-addresses'),
    certificates: join(directory, 'certs.d'),
    pidFile: join(stateDirectory, 'containerd.pid.json'),
    log: join(directory, 'containerd.log'),
  };
}

/** The bridge of this cluster's pods on this machine: one per data directory, so that clusters live side by side. */
export function bridgeName(directory: string): string {
  return `t8s${createHash('sha256').update(directory).digest('hex').slice(0, 8)}`;
}

export interface ContainerdConfigOptions {
  paths: ContainerdPaths;
  binaries: ContainerdBinaries;
  defaultRuntime: 'runc' | 'crun';
  /** Without CAP_SYS_RESOURCE no process may lower its oom_score_adj, and a sandbox that asks for it fails to start. */
  canLowerOomScore: boolean;
}

/** config.toml in version 2: containerd 1.6 and 1.7 read it as it is, 2.x migrates it as it reads. */
export function containerdConfig({ paths, binaries, defaultRuntime, canLowerOomScore }: ContainerdConfigOptions): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  const runtimes: [string, string][] = [['runc', binaries.runc]];
  if (binaries.crun) runtimes.push(['crun', binaries.crun]);
  return `version = 2
root = ${toml(paths.root)}
state = ${toml(paths.state)}
# Snapshotters and the like that need what few kernels have; each would log an error at start.
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]

[grpc]
address = ${toml(paths.socket)}

[debug]
level = "warn"

[${cri}]
sandbox_image = ${toml(pauseImageName)}
restrict_oom_score_adj = ${!canLowerOomScore}
# Otherwise "ip netns add" by anyone on the machine makes the sandboxes' namespaces impossible to remove.
netns_mounts_under_state_dir = true
tolerate_missing_hugetlb_controller = true
stream_server_address = "127.0.0.1"
stream_server_port = "0"

[${cri}.containerd]
snapshotter = "overlayfs"
default_runtime_name = ${toml(defaultRuntime)}
${runtimes
  .map(
    ([name, binary]) => `
[${cri}.containerd.runtimes.${name}]
runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.${name}.options]
BinaryName = ${toml(binary)}
# The kubelet makes the pods' cgroups itself, through the file system.
SystemdCgroup = false
`,
  )
  .join('')}
[${cri}.cni]
bin_dir = ${toml(binaries.cniDirectory)}
conf_dir = ${toml(paths.cniConfigDirectory)}
max_conf_num = 1

[${cri}.registry]
config_path = ${toml(paths.certificates)}
`;
}

function toml(text: string): string {
  return JSON.stringify(text);
}

export interface CniConfigOptions {
  bridge: string;
  podCidr: string;
  /** Where the addresses in use are kept. */
  addresses: string;
  /** Largest packet in bytes; left out, the kernel's default. */
  mtuBytes?: number;
  /** Host ports by CNI's portmap plugin; without, they are the service proxy's. */
  portmap: boolean;
}

/**
 * The pod network of one node. No masquerade here: it would hide pods' addresses from pods on other nodes;
 * what leaves the cluster is masqueraded by the service proxy. Hairpin lets a pod reach itself through its service.
 */
export function cniConfig({ bridge, podCidr, addresses, mtuBytes, portmap }: CniConfigOptions): string {
  const plugins: object[] = [
    {
      type: 'bridge',
      bridge,
      isGateway: true,
      ipMasq: false,
      hairpinMode: true,
      ...(mtuBytes !== undefined && { mtu: mtuBytes }),
      ipam: { type: 'host-local', dataDir: addresses, ranges: [[{ subnet: podCidr }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
  ];
  if (portmap) plugins.push({ type: 'portmap', capabilities: { portMappings: true } });
  return `${JSON.stringify({ cniVersion: '1.0.0', name: 't8s', plugins }, undefined, 2)}\n`;
}
