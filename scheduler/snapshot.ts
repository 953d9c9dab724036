// What a scheduling decision is made from: nodes with the pods on them, bound or assumed to be. One writer, the
// scheduler; decisions only read.

import type { Node, Pod } from '../api/core.ts';
import { type Amounts, allocatableOf, amountsOf } from './amounts.ts';

export class NodeInfo {
  node: Node;
  allocatable: Amounts;
  readonly pods = new Map<string, Pod>();
  /** Pods with required anti-affinity terms, and pods with any inter-pod affinity: most nodes have none. */
  readonly podsWithAntiAffinity = new Set<Pod>();
  readonly podsWithAffinity = new Set<Pod>();
  readonly requested: Record<string, number> = {};
  scoringCpuMilli = 0;
  scoringMemoryBytes = 0;
  /** `protocol/hostIP/port` to how many pods hold it. */
  readonly hostPorts = new Map<string, number>();

  constructor(node: Node) {
    this.node = node;
    this.allocatable = allocatableOf(node.status?.allocatable ?? node.status?.capacity);
  }

  get name(): string {
    return this.node.metadata?.name ?? '';
  }

  get labels(): Readonly<Record<string, string>> {
    return this.node.metadata?.labels ?? {};
  }

  setNode(node: Node): void {
    this.node = node;
    this.allocatable = allocatableOf(node.status?.allocatable ?? node.status?.capacity);
  }

  add(pod: Pod): void {
    this.pods.set(uidOf(pod), pod);
    this.#count(pod, 1);
    const affinity = pod.spec?.affinity;
    if (affinity?.podAffinity || affinity?.podAntiAffinity) this.podsWithAffinity.add(pod);
    if (affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.length) this.podsWithAntiAffinity.add(pod);
  }

  remove(uid: string): void {
    const pod = this.pods.get(uid);
    if (!pod) return;
    this.pods.delete(uid);
    this.#count(pod, -1);
    this.podsWithAffinity.delete(pod);
    this.podsWithAntiAffinity.delete(pod);
  }

  /** A copy that can be changed without touching this one, for trying out evictions. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.node);
    for (const pod of this.pods.values()) copy.add(pod);
    return copy;
  }

  #count(pod: Pod, sign: 1 | -1): void {
    const { requests, scoringCpuMilli, scoringMemoryBytes } = amountsOf(pod);
    for (const name in requests) this.requested[name] = (this.requested[name] ?? 0) + sign * (requests[name] as number);
    this.scoringCpuMilli += sign * scoringCpuMilli;
    this.scoringMemoryBytes += sign * scoringMemoryBytes;
    for (const port of hostPortsOf(pod)) {
      const count = (this.hostPorts.get(port) ?? 0) + sign;
      if (count > 0) this.hostPorts.set(port, count);
      else this.hostPorts.delete(port);
    }
  }
}

/** What decisions read. */
export interface Snapshot {
  /** In a stable order. */
  readonly nodes: readonly NodeInfo[];
  nodeNamed(name: string): NodeInfo | undefined;
  namespaceLabels(namespace: string): Readonly<Record<string, string>>;
  /** Whether two pods belong together (one controller, one service), to be spread over nodes and zones. */
  isSibling(pod: Pod, other: Pod): boolean;
  /** False when `pod` has neither a controller nor a service. */
  hasSiblings(pod: Pod): boolean;
  readonly podsWithAffinityExist: boolean;
}

export function uidOf(pod: Pod): string {
  return pod.metadata?.uid ?? `${pod.metadata?.namespace}/${pod.metadata?.name}`;
}

/** `TCP/0.0.0.0/80` for each host port of the pod's containers and sidecars. */
export function hostPortsOf(pod: Pod): string[] {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')];
  const ports: string[] = [];
  for (const container of containers) {
    for (const port of container.ports ?? [])
      if (port.hostPort) ports.push(`${port.protocol ?? 'TCP'}/${port.hostIP || '0.0.0.0'}/${port.hostPort}`);
  }
  return ports;
}
