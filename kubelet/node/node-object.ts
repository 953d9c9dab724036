// A node's object in the API: what the kubelet says of its machine. Pure.

import { type Condition, conditionOf } from '../../api/conditions.ts';
import type { Node } from '../../api/core.ts';
import { formatQuantity } from '../../api/quantity.ts';
import type * as cri from '../../runtime/cri-types.ts';
import type { MachineInfo } from './machine.ts';

type NodeStatus = NonNullable<Node['status']>;

export interface Capacity {
  cpu?: string;
  memory?: string;
  pods?: string;
  'ephemeral-storage'?: string;
}

export interface NodeFacts {
  nodeName: string;
  machine: MachineInfo;
  capacity: Capacity;
  labels: Readonly<Record<string, string>>;
  addresses: readonly string[];
  port: number;
  runtimeVersion: string;
  images: readonly cri.Image[];
  pressure: { memory: boolean; disk: boolean; pid: boolean };
  /** Why the node is not ready; undefined: it is. */
  notReady: string | undefined;
  now: string;
}

const kubeletVersion = 'v1.36.0+t8s';
const imagesMax = 50;
const namesMax = 5;

/** Labels a kubelet puts on its node; it leaves others alone. */
export function nodeLabels({ nodeName, machine, labels }: Pick<NodeFacts, 'nodeName' | 'machine' | 'labels'>): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': machine.architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': machine.architecture,
    'kubernetes.io/hostname': nodeName.toLowerCase(),
    'kubernetes.io/os': 'linux',
    ...labels,
  };
}

export function nodeCapacity(machine: MachineInfo, given: Capacity): Record<string, string> {
  const memory = formatQuantity({ nano: BigInt(Math.floor(machine.memoryBytes / 1024) * 1024) * 1_000_000_000n, format: 'BinarySI' });
  return { cpu: String(machine.cpus), memory, pods: '110', 'hugepages-1Gi': '0', 'hugepages-2Mi': '0', ...given };
}

/** `previous` keeps transition times, and what others have put into the status. */
export function nodeStatus(facts: NodeFacts, previous: NodeStatus | undefined): NodeStatus {
  const capacity = nodeCapacity(facts.machine, facts.capacity);
  const { machine } = facts;
  return {
    capacity,
    allocatable: capacity,
    addresses: [...facts.addresses.map((address) => ({ type: 'InternalIP', address })), { type: 'Hostname', address: facts.nodeName }],
    conditions: nodeConditions(facts, previous?.conditions),
    daemonEndpoints: { kubeletEndpoint: { Port: facts.port } },
    nodeInfo: {
      machineID: machine.machineId,
      systemUUID: machine.systemUuid,
      bootID: machine.bootId,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: facts.runtimeVersion,
      kubeletVersion,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: machine.architecture,
    },
    images: imageList(facts.images),
    runtimeHandlers: [{ name: '', features: { recursiveReadOnlyMounts: false, userNamespaces: false } }],
  };
}

function nodeConditions(facts: NodeFacts, previous: NodeStatus['conditions']): NonNullable<NodeStatus['conditions']> {
  const { pressure, now, notReady } = facts;
  const pressureOf = (type: string, isUnder: boolean, good: [string, string], bad: [string, string]): Condition => {
    const [reason, message] = isUnder ? bad : good;
    return { type, status: isUnder ? 'True' : 'False', reason, message };
  };
  const made: Condition[] = [
    pressureOf(
      'MemoryPressure',
      pressure.memory,
      ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
      ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
    ),
    pressureOf(
      'DiskPressure',
      pressure.disk,
      ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
      ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
    ),
    pressureOf(
      'PIDPressure',
      pressure.pid,
      ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
      ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
    ),
    notReady === undefined
      ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: notReady },
  ];
  const own = made.map((condition) => {
    const before = conditionOf(previous, condition.type);
    const lastTransitionTime = before?.status === condition.status && before.lastTransitionTime ? before.lastTransitionTime : now;
    return { ...condition, lastHeartbeatTime: now, lastTransitionTime };
  });
  return [...(previous ?? []).filter((c) => !made.some((m) => m.type === c.type)), ...own];
}

/** The largest images, with a few names each: the scheduler looks no further. */
function imageList(images: readonly cri.Image[]): { names: string[]; sizeBytes: number }[] {
  return [...images]
    .sort((a, b) => (b.size ?? 0) - (a.size ?? 0) || ((a.id ?? '') < (b.id ?? '') ? -1 : 1))
    .slice(0, imagesMax)
    .map((image) => ({ names: [...(image.repoDigests ?? []), ...(image.repoTags ?? [])].slice(0, namesMax), sizeBytes: image.size ?? 0 }))
    .filter((image) => image.names.length > 0);
}
