// The library: a whole cluster inside one process, for tests of operators and controllers. Memory store, in-process
// transport, simulated nodes and, unless told otherwise, a virtual clock: the same seed gives the same history.
//
//   const cluster = await Cluster.start({ nodes: 2 })
//   await cluster.client.create(pods, myPod)
//   await cluster.step({ seconds: 5 })
//   await cluster.close()

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtInAdmission } from '../apiserver/admission/built-in.ts';
import { typeCheckPolicy } from '../apiserver/admission/policies/type-check.ts';
import { certificateAuthenticator } from '../apiserver/authn/authenticator.ts';
import { mastersAuthorizer, unionAuthorizer, unionRules } from '../apiserver/authz/authorizer.ts';
import { nodeAuthorizer, nodeRuleResolver } from '../apiserver/authz/node-authorizer.ts';
import { NodeGraph } from '../apiserver/authz/node-graph.ts';
import { componentRoles } from '../apiserver/authz/rbac/component-roles.ts';
import { createRbac } from '../apiserver/authz/rbac/rbac.ts';
import { allResources } from '../apiserver/resources/all.ts';
import { type ApiServer, createApiServer } from '../apiserver/server.ts';
import { buildInfoOf, defaultVersion } from '../apiserver/version.ts';
import type { Clock } from '../base/clock.ts';
import { type Log, silentLog } from '../base/log.ts';
import { type Random, seededRandom } from '../base/random.ts';
import { settleEventLoop, VirtualClock } from '../base/virtual-clock.ts';
import type { CacheSet } from '../client/cache.ts';
import { createCacheSet } from '../client/cache-set.ts';
import type { Client } from '../client/client.ts';
import { ComponentMetrics } from '../client/metrics/component-metrics.ts';
import type { MetricsRegistry } from '../client/metrics/registry.ts';
import { createClient } from '../client/rest-client.ts';
import { startControllers } from '../controller/all.ts';
import { type Kubelet, startKubelet } from '../kubelet/kubelet.ts';
import { createSimulatedRuntime } from '../runtime/simulated.ts';
import { startScheduler } from '../scheduler/scheduler.ts';
import { SchedulerMetrics } from '../scheduler/scheduler-metrics.ts';
import { createMemoryStore, type MemorySnapshot, type MemoryStore } from '../store/memory.ts';

export interface ClusterOptions {
  /** Simulated nodes. Default 1; 0 for an API server with its controllers alone. */
  nodes?: number;
  /** Run the controllers and the scheduler. Default true. */
  controllers?: boolean;
  /** Decides everything random. Default 1. */
  seed?: number;
  /** Default a VirtualClock, which only `step` moves. */
  clock?: Clock;
  log?: Log;
  /** Begin with these objects: what `snapshot` of another cluster gave. */
  from?: MemorySnapshot;
}

const masters = { name: 'system:admin', groups: ['system:masters'] };

/** What rest_client_* call the server that has no address. */
const host = 'in-process';

export type MeasuredComponent = 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | `kubelet/${string}`;

export class Cluster {
  readonly clock: Clock;
  readonly random: Random;
  readonly apiServer: ApiServer;
  /** In the name of a cluster administrator. */
  readonly client: Client;
  readonly caches: CacheSet;
  readonly #store: MemoryStore;
  readonly #ends: (() => Promise<void>)[];
  readonly #options: ClusterOptions;
  readonly #kubelets = new Map<string, Kubelet>();
  readonly #metrics: Record<'kube-controller-manager' | 'kube-scheduler', ComponentMetrics>;

  private constructor(parts: {
    clock: Clock;
    random: Random;
    apiServer: ApiServer;
    caches: CacheSet;
    store: MemoryStore;
    ends: (() => Promise<void>)[];
    options: ClusterOptions;
    metrics: Record<'kube-controller-manager' | 'kube-scheduler', ComponentMetrics>;
  }) {
    this.clock = parts.clock;
    this.random = parts.random;
    this.apiServer = parts.apiServer;
    this.client = createClient(parts.apiServer.transport(masters));
    this.caches = parts.caches;
    this.#store = parts.store;
    this.#ends = parts.ends;
    this.#options = parts.options;
    this.#metrics = parts.metrics;
  }

  /** Resolves when the API answers and the nodes are registered. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const { nodes = 1, controllers = true, seed = 1, clock = new VirtualClock(), log = silentLog } = options;
    const random = seededRandom(seed);
    const store = createMemoryStore(options.from ? { from: options.from } : {});
    const ends: (() => Promise<void>)[] = [() => store.close()];
    const nodeGraph = new NodeGraph();
    const rbac = createRbac({ bootstrap: componentRoles });
    const authorizer = unionAuthorizer([mastersAuthorizer, nodeAuthorizer(nodeGraph), rbac.authorizer]);
    const apiServer = await createApiServer({
      store,
      clock,
      random,
      log,
      resources: allResources,
      authenticators: [certificateAuthenticator],
      authorizer,
      admission: (view) => [...builtInAdmission(view, { random, authorizer }), rbac.escalation],
      rulesOf: unionRules([nodeRuleResolver, rbac.rulesOf]),
      begin: [rbac.begin, (parts) => nodeGraph.attach(parts.resources)],
    });
    ends.push(() => apiServer.close(0));
    await apiServer.ready();
    const measured = () => new ComponentMetrics({ clock, buildInfo: buildInfoOf(defaultVersion) });
    const metrics = { 'kube-controller-manager': measured(), 'kube-scheduler': measured() };
    const reflectors = metrics['kube-controller-manager'].measured(apiServer.transport(masters), host);
    const caches = createCacheSet({ client: createClient(reflectors), clock, random, log });
    ends.push(() => caches.close());
    const cluster = new Cluster({ clock, random, apiServer, caches, store, ends, options, metrics });
    if (controllers) cluster.#startLoops(log);
    await cluster.#startNodes(nodes, log);
    return cluster;
  }

  /** The client of another user. */
  clientOf(name: string, ...groups: string[]): Client {
    return createClient(this.apiServer.transport({ name, groups }));
  }

  /**
   * Moves the virtual clock, letting everything that falls due happen.
   * @throws Error when the cluster was given a clock of another kind
   */
  async step({ seconds }: { seconds: number }): Promise<void> {
    if (!(this.clock instanceof VirtualClock)) throw new Error('only a cluster on a VirtualClock can be stepped');
    await this.clock.step(seconds * 1000);
  }

  /** Lets what is under way come to rest without moving the clock. */
  settle(): Promise<void> {
    return settleEventLoop(200);
  }

  /**
   * Steps second by second until `isSo` holds.
   * @throws Error after `seconds` of cluster time
   */
  async until(isSo: () => boolean | Promise<boolean>, { seconds = 300 } = {}): Promise<void> {
    for (let elapsed = 0; elapsed <= seconds; elapsed++) {
      await this.settle();
      if (await isSo()) return;
      await this.step({ seconds: 1 });
    }
    throw new Error(`it was not so within ${seconds} s of cluster time: ${isSo}`);
  }

  /** What a component's /metrics says, in Prometheus' text form; a kubelet's name is `kubelet/NODE`. @throws Error when there is no such node */
  metricsOf(component: MeasuredComponent): Promise<string> {
    return this.metricsRegistryOf(component).render();
  }

  metricsRegistryOf(component: MeasuredComponent): MetricsRegistry {
    if (component === 'kube-apiserver') return this.apiServer.metrics;
    if (component === 'kube-controller-manager' || component === 'kube-scheduler') return this.#metrics[component].registry;
    return this.#kubeletOf(component.slice('kubelet/'.length)).metrics.component.registry;
  }

  /** Every object as it is now. */
  snapshot(): MemorySnapshot {
    return this.#store.snapshot();
  }

  /** A cluster of its own that begins where this one is. */
  fork(options: Omit<ClusterOptions, 'from'> = {}): Promise<Cluster> {
    return Cluster.start({ ...this.#options, ...options, from: this.snapshot() });
  }

  /** The node falls silent, as when its machine loses power. @throws Error when there is no such node */
  async stopNode(name: string): Promise<void> {
    const kubelet = this.#kubeletOf(name);
    this.#kubelets.delete(name);
    await kubelet.close({ stopPods: false });
  }

  async close(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  #startLoops(log: Log): void {
    const end = new AbortController();
    const run = { caches: this.caches, clock: this.clock, random: this.random, log, signal: end.signal };
    const loops = [
      startControllers({
        ...run,
        client: this.#measuredClientOf('kube-controller-manager'),
        queueMetrics: this.#metrics['kube-controller-manager'].workQueues,
        checkPolicyTypes: (policy) => typeCheckPolicy(policy, this.apiServer.resources),
      }),
      startScheduler({
        ...run,
        client: this.#measuredClientOf('kube-scheduler'),
        metrics: new SchedulerMetrics(this.#metrics['kube-scheduler'].registry),
      }),
    ];
    this.#ends.push(async () => {
      end.abort();
      await Promise.all(loops);
    });
  }

  #kubeletOf(name: string): Kubelet {
    const kubelet = this.#kubelets.get(name);
    if (!kubelet) throw new Error(`there is no node ${name}`);
    return kubelet;
  }

  #measuredClientOf(component: 'kube-controller-manager' | 'kube-scheduler'): Client {
    const transport = this.apiServer.transport({ name: `system:${component}`, groups: [] });
    return createClient(this.#metrics[component].measured(transport, host));
  }

  async #startNodes(count: number, log: Log): Promise<void> {
    if (count === 0) return;
    const directory = await mkdtemp(join(tmpdir(), 't8s-cluster-'));
    this.#ends.push(() => rm(directory, { recursive: true, force: true }));
    this.#ends.push(
      async () => void (await Promise.all([...this.#kubelets.values()].map((kubelet) => kubelet.close({ stopPods: false })))),
    );
    for (let index = 1; index <= count; index++) {
      const nodeName = `node-${index}`;
      const podCidr = `10.${244 + Math.floor(index / 256)}.${index % 256}.0/24`;
      const starting = startKubelet({
        nodeName,
        client: this.clientOf(`system:node:${nodeName}`, 'system:nodes'),
        caches: this.caches,
        runtime: createSimulatedRuntime({ clock: this.clock, random: this.random, podCidr }),
        rootDirectory: join(directory, nodeName),
        podLogsDirectory: join(directory, nodeName, 'logs'),
        capacity: { cpu: '32', memory: '256Gi', pods: '110' },
        mountsVolumes: false,
        nodeAddresses: [`192.0.2.${index % 256}`],
        podCidr,
        clock: this.clock,
        random: this.random,
        log,
      });
      this.#kubelets.set(nodeName, await starting);
    }
  }
}
