// The scheduler's picture of the cluster, kept up to date from caches: nodes with the pods bound to them, and pods it
// has just bound itself (assumed) before the caches know.

import type { Node, Pod, Service } from '../api/core.ts';
import { controllerOf } from '../api/owners.ts';
import { isPodTerminal } from '../api/pods.ts';
import { NodeInfo, type Snapshot, uidOf } from './snapshot.ts';

export interface RelatedObjects {
  namespaceLabels(namespace: string): Readonly<Record<string, string>>;
  services(namespace: string): readonly Service[];
}

export class ClusterState implements Snapshot {
  readonly #infos = new Map<string, NodeInfo>();
  /** Pod uid to the node it is on. */
  readonly #placed = new Map<string, string>();
  readonly #assumed = new Set<string>();
  /** Pods whose node is not known (yet), by node name. */
  readonly #homeless = new Map<string, Map<string, Pod>>();
  readonly #related: RelatedObjects;
  #nodes: NodeInfo[] | undefined;
  #affinityPods = 0;

  constructor(related: RelatedObjects) {
    this.#related = related;
  }

  get nodes(): readonly NodeInfo[] {
    this.#nodes ??= [...this.#infos.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return this.#nodes;
  }

  /** How much is known, for metrics. */
  get sizes(): { nodes: number; pods: number; assumed_pods: number } {
    return { nodes: this.#infos.size, pods: this.#placed.size, assumed_pods: this.#assumed.size };
  }

  get podsWithAffinityExist(): boolean {
    return this.#affinityPods > 0;
  }

  nodeNamed(name: string): NodeInfo | undefined {
    return this.#infos.get(name);
  }

  namespaceLabels(namespace: string): Readonly<Record<string, string>> {
    return this.#related.namespaceLabels(namespace);
  }

  hasSiblings(pod: Pod): boolean {
    return controllerOf(pod) !== undefined || this.#servicesOf(pod).length > 0;
  }

  isSibling(pod: Pod, other: Pod): boolean {
    if (pod.metadata?.namespace !== other.metadata?.namespace) return false;
    const owner = controllerOf(pod);
    if (owner) return controllerOf(other)?.uid === owner.uid;
    return this.#servicesOf(pod).some((service) => selects(service, other));
  }

  setNode(node: Node): void {
    const name = node.metadata?.name ?? '';
    const info = this.#infos.get(name);
    if (info) {
      info.setNode(node);
      return;
    }
    const added = new NodeInfo(node);
    this.#infos.set(name, added);
    this.#nodes = undefined;
    for (const pod of this.#homeless.get(name)?.values() ?? []) added.add(pod);
    this.#homeless.delete(name);
  }

  removeNode(name: string): void {
    const info = this.#infos.get(name);
    if (!info) return;
    this.#infos.delete(name);
    this.#nodes = undefined;
    if (info.pods.size > 0) this.#homeless.set(name, new Map(info.pods));
  }

  /** What the cache says of a pod: on a node, or not (not bound, ended, gone). */
  setPod(pod: Pod): void {
    const uid = uidOf(pod);
    const nodeName = pod.spec?.nodeName;
    if (!nodeName && this.#assumed.has(uid)) return; // the cache has not seen the binding yet
    this.#assumed.delete(uid);
    if (nodeName && !isPodTerminal(pod)) this.#place(uid, pod, nodeName);
    else this.#displace(uid);
  }

  removePod(uid: string): void {
    this.#assumed.delete(uid);
    this.#displace(uid);
  }

  /** Counts `pod` on `nodeName` from now on, until the cache says so too or `forget` takes it back. */
  assume(pod: Pod, nodeName: string): void {
    const uid = uidOf(pod);
    this.#assumed.add(uid);
    this.#place(uid, { ...pod, spec: { ...pod.spec, nodeName } as NonNullable<Pod['spec']> }, nodeName);
  }

  /** The binding failed. */
  forget(uid: string): void {
    if (!this.#assumed.delete(uid)) return;
    this.#displace(uid);
  }

  isAssumed(uid: string): boolean {
    return this.#assumed.has(uid);
  }

  #place(uid: string, pod: Pod, nodeName: string): void {
    this.#displace(uid);
    this.#placed.set(uid, nodeName);
    if (hasAffinity(pod)) this.#affinityPods++;
    const info = this.#infos.get(nodeName);
    if (info) {
      info.add(pod);
      return;
    }
    const pods = this.#homeless.get(nodeName) ?? new Map<string, Pod>();
    pods.set(uid, pod);
    this.#homeless.set(nodeName, pods);
  }

  #displace(uid: string): void {
    const nodeName = this.#placed.get(uid);
    if (nodeName === undefined) return;
    this.#placed.delete(uid);
    const info = this.#infos.get(nodeName);
    const homeless = this.#homeless.get(nodeName);
    const pod = info?.pods.get(uid) ?? homeless?.get(uid);
    if (pod && hasAffinity(pod)) this.#affinityPods--;
    info?.remove(uid);
    homeless?.delete(uid);
    if (homeless?.size === 0) this.#homeless.delete(nodeName);
  }

  #servicesOf(pod: Pod): Service[] {
    return this.#related.services(pod.metadata?.namespace ?? '').filter((service) => selects(service, pod));
  }
}

const hasAffinity = (pod: Pod) => Boolean(pod.spec?.affinity?.podAffinity || pod.spec?.affinity?.podAntiAffinity);

function selects(service: Service, pod: Pod): boolean {
  const selector = Object.entries(service.spec?.selector ?? {});
  return selector.length > 0 && selector.every(([key, value]) => pod.metadata?.labels?.[key] === value);
}
