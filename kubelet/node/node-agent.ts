// Keeps the node's object and its lease in the API: registers, reports what changed at once and everything every five
// minutes, renews the lease every ten seconds.

import { isDeepStrictEqual } from 'node:util';
import { type Lease, leases, type Node, nodes } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { type Clock, microTimestamp, sleep, type Timer, timestamp } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/events.ts';
import type { ContainerRuntime } from '../../runtime/runtime.ts';
import type { MachineInfo } from './machine.ts';
import { type Capacity, type NodeFacts, nodeLabels, nodeStatus } from './node-object.ts';

type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number];

export interface NodeAgentOptions {
  nodeName: string;
  client: Client;
  runtime: ContainerRuntime;
  clock: Clock;
  log: Log;
  events: EventRecorder;
  machine: MachineInfo;
  capacity: Capacity;
  labels: Readonly<Record<string, string>>;
  taints: readonly Taint[];
  addresses: readonly string[];
  port: number;
  podCidr: string | undefined;
  signal: AbortSignal;
  pressure(): NodeFacts['pressure'];
}

const checkMs = 10_000;
const reportMs = 300_000;
const retryMs = 500;
const leaseSeconds = 40;
const leaseNamespace = 'kube-node-lease';

export class NodeAgent {
  readonly #options: NodeAgentOptions;
  #node: Node | undefined;
  #reportedMs = Number.NEGATIVE_INFINITY;
  #runtimeVersion = '';
  #runtimeError: string | undefined;
  #timers: Timer[] = [];
  #lease: Lease | undefined;

  constructor(options: NodeAgentOptions) {
    this.#options = options;
  }

  get node(): Node | undefined {
    return this.#node;
  }

  /** Registers, trying until it works or the kubelet ends; then reports go on by themselves. */
  async start(): Promise<void> {
    const { clock, log, signal } = this.#options;
    const version = await this.#options.runtime.version();
    this.#runtimeVersion = `${version.runtimeName ?? ''}://${version.runtimeVersion ?? ''}`;
    for (;;) {
      signal.throwIfAborted();
      try {
        await this.#register();
        break;
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        log.warn('node not registered yet', { error: error.message });
        await sleep(clock, retryMs, signal);
      }
    }
    await this.#renewLease();
    this.#repeat(() => this.report());
    this.#repeat(() => this.#renewLease());
  }

  /** What the runtime's state adds to readiness. */
  setRuntimeError(error: string | undefined): void {
    const isChanged = (error === undefined) !== (this.#runtimeError === undefined);
    this.#runtimeError = error;
    if (isChanged && this.#node) void this.report();
  }

  /** Our object as the API has it now. */
  observe(node: Node): void {
    this.#node = node;
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
  }

  #repeat(work: () => Promise<void>): void {
    const { clock, signal } = this.#options;
    const index = this.#timers.length;
    const next = () => {
      if (signal.aborted) return;
      this.#timers[index] = clock.setTimer(checkMs, () => void work().then(next));
    };
    next();
  }

  async #register(): Promise<void> {
    const { client, nodeName, taints, podCidr, events } = this.#options;
    const facts = await this.#facts();
    const fresh: Node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: nodeName,
        labels: nodeLabels(facts),
        annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
      },
      spec: {
        ...(podCidr ? { podCIDR: podCidr, podCIDRs: [podCidr] } : {}),
        ...(taints.length ? { taints: [...taints] } : {}),
      },
      status: nodeStatus(facts, undefined),
    };
    try {
      this.#node = await client.create(nodes, fresh);
      events.record(this.#about(), 'Normal', 'RegisteredNode', `Node ${nodeName} registered itself`);
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
      this.#node = await this.#adopt(fresh);
    }
    await this.report();
    events.record(this.#about(), 'Normal', 'NodeReady', `Node ${nodeName} status is now: NodeReady`);
  }

  /** The object of an earlier life: our labels are put right, what others added stays. */
  async #adopt(fresh: Node): Promise<Node> {
    const { client, nodeName } = this.#options;
    const current = await client.get(nodes, { name: nodeName });
    const labels = { ...current.metadata?.labels, ...fresh.metadata?.labels };
    if (isDeepStrictEqual(labels, current.metadata?.labels)) return current;
    return client.patch(nodes, { name: nodeName }, 'merge', { metadata: { labels: fresh.metadata?.labels } });
  }

  /** Writes the status when it changed, or is due. Never fails. */
  async report(): Promise<void> {
    const { client, clock, nodeName, log } = this.#options;
    try {
      const facts = await this.#facts();
      const before = this.#node?.status;
      const status = nodeStatus(facts, before);
      const isDue = clock.monotonicMs() - this.#reportedMs >= reportMs;
      if (!isDue && isDeepStrictEqual(withoutHeartbeats(status), withoutHeartbeats(before ?? {}))) return;
      const own = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'];
      const patch = {
        status: {
          ...status,
          addresses: [...(status.addresses ?? []), { $patch: 'replace' }],
          conditions: status.conditions?.filter((c) => own.includes(c.type)),
        },
      };
      this.#node = await client.patch(nodes, { name: nodeName }, 'strategic', patch, { subresource: 'status' });
      this.#reportedMs = clock.monotonicMs();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      log.warn('node status not written', { error: error.message });
      // Deleted by someone: a node that lives comes back.
      if (isStatus(error, 'NotFound'))
        await this.#register().catch((again: unknown) => log.warn('node not registered again', { error: String(again) }));
    }
  }

  async #facts(): Promise<NodeFacts> {
    const { runtime, clock, nodeName, machine, capacity, labels, addresses, port, pressure } = this.#options;
    let images: NodeFacts['images'] = [];
    let notReady = this.#runtimeError && `container runtime is down: ${this.#runtimeError}`;
    try {
      const [listed, status] = await Promise.all([runtime.listImages(), runtime.status()]);
      images = listed;
      const bad = (status.status?.conditions ?? []).filter((c) => c.status === false);
      if (bad.length && !notReady) {
        const problems = bad.map(
          (c) =>
            `${c.type === 'NetworkReady' ? 'container runtime network not ready' : 'container runtime not ready'}: ${c.type}=false reason:${c.reason ?? ''} message:${c.message ?? ''}`,
        );
        notReady = problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`;
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      notReady = `container runtime is down: ${error.message}`;
    }
    const runtimeVersion = this.#runtimeVersion;
    return {
      nodeName,
      machine,
      capacity,
      labels,
      addresses,
      port,
      runtimeVersion,
      images,
      pressure: pressure(),
      notReady,
      now: timestamp(clock),
    };
  }

  async #renewLease(): Promise<void> {
    const { client, clock, nodeName, log } = this.#options;
    const renewTime = microTimestamp(clock);
    try {
      if (this.#lease) {
        this.#lease = await client.update(leases, { ...this.#lease, spec: { ...this.#lease.spec, renewTime } });
        return;
      }
      this.#lease = await this.#claimLease(renewTime);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // Read again next time, whatever it was.
      this.#lease = undefined;
      log.warn('node lease not renewed', { node: nodeName, error: error.message });
    }
  }

  async #claimLease(renewTime: string): Promise<Lease> {
    const { client, nodeName } = this.#options;
    const spec = { holderIdentity: nodeName, leaseDurationSeconds: leaseSeconds, renewTime };
    const uid = this.#node?.metadata?.uid ?? '';
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid }];
    try {
      const current = await client.get(leases, { namespace: leaseNamespace, name: nodeName });
      return await client.update(leases, { ...current, metadata: { ...current.metadata, ownerReferences }, spec });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
      return client.create(leases, { metadata: { name: nodeName, namespace: leaseNamespace, ownerReferences }, spec });
    }
  }

  #about(): Node {
    return { apiVersion: 'v1', kind: 'Node', metadata: { name: this.#options.nodeName, uid: this.#options.nodeName } };
  }
}

function withoutHeartbeats(status: NonNullable<Node['status']>): unknown {
  const { capacity, allocatable, addresses, daemonEndpoints, nodeInfo, images, conditions = [] } = status;
  const settled = conditions.map(({ lastHeartbeatTime: _, ...rest }) => rest).sort((a, b) => (a.type < b.type ? -1 : 1));
  return { capacity, allocatable, addresses, daemonEndpoints, nodeInfo, images, conditions: settled };
}
