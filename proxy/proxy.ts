// The service proxy of one node: watches services, endpoint slices and the node's own pods, plans what they mean, and has
// an applier make it so. Levels, not edges: a change only marks what to look at again; what is applied is the whole plan.

import { type Node, nodes, type Pod, pods, services } from '../api/core.ts';
import { type EndpointSlice, endpointSlices } from '../api/discovery.ts';
import { backoffMs } from '../base/backoff.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { type CacheSet, keyOf } from '../client/cache.ts';
import type { Applier } from './applier.ts';
import { HealthChecks } from './health-check.ts';
import { type Frontend, type Plan, type PlanNode, planHealthChecks, planHostPorts, planOf, planService, serviceKeyOf } from './plan.ts';

export interface ProxyOptions {
  caches: CacheSet;
  nodeName: string;
  /** IPv4 addresses at which node ports and host ports answer; the first is the node's primary one. */
  nodeAddresses: readonly string[];
  applier: Applier;
  clock: Clock;
  log: Log;
  /** Ends the watching; then call `close`. */
  signal: AbortSignal;
  /** How often what is really there is looked at. Default 60 s. */
  reconcileMs?: number;
  /** Host ports of this node's pods; false leaves them to a CNI plugin. Default true. */
  hostPorts?: boolean;
}

export interface Proxy {
  /** Resolves when what the caches say has been applied for the first time. */
  readonly ready: Promise<void>;
  /** Resolves when everything that the caches said at the time of the call has been applied. */
  settled(): Promise<void>;
  /** The plan as it was last applied. */
  readonly plan: Plan;
  close(options?: { remove?: boolean }): Promise<void>;
}

export function startProxy(options: ProxyOptions): Proxy {
  return new RunningProxy(options);
}

const serviceIndex = 'service';

class RunningProxy implements Proxy {
  readonly ready: Promise<void>;
  plan: Plan = new Map();
  readonly #options: ProxyOptions;
  readonly #stop = new AbortController();
  readonly #healthChecks: HealthChecks;
  /** What each service or pod adds, kept until it changes. */
  readonly #frontendsOf = new Map<string, readonly Frontend[]>();
  #dirty = new Set<string>();
  #running: Promise<void> | undefined;
  #failures = 0;
  #timers = new Set<Timer>();

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#healthChecks = new HealthChecks(options.log);
    this.ready = this.#start();
    // Whoever awaits `ready` sees the failure; nobody has to.
    this.ready.catch(() => undefined);
  }

  get #services() {
    return this.#options.caches.of(services);
  }

  get #slices() {
    return this.#options.caches.of(endpointSlices);
  }

  get #pods() {
    return this.#options.caches.of(pods, { fieldSelector: `spec.nodeName=${this.#options.nodeName}` });
  }

  get #nodes() {
    return this.#options.caches.of(nodes, { fieldSelector: `metadata.name=${this.#options.nodeName}` });
  }

  async #start(): Promise<void> {
    const { signal, hostPorts = true, reconcileMs = 60_000 } = this.#options;
    signal.addEventListener('abort', () => this.#stop.abort(signal.reason), { once: true });
    this.#slices.addIndex(serviceIndex, (slice: EndpointSlice) => [serviceKeyOf(slice) ?? ''].filter(Boolean));
    await Promise.all([this.#services.synced(), this.#slices.synced(), this.#nodes.synced(), hostPorts ? this.#pods.synced() : undefined]);
    if (this.#stop.signal.aborted) return;
    const subscription = this.#services.changes.subscribe(({ key }) => {
      this.#mark(key);
      this.#wake();
    });
    subscription.add(
      this.#slices.changes.subscribe(({ before, after }) => {
        // Both: a slice can be moved to another service.
        for (const slice of [before, after]) this.#mark(slice && serviceKeyOf(slice));
        this.#wake();
      }),
    );
    subscription.add(
      this.#nodes.changes.subscribe(({ before, after }) => {
        if (zoneOf(before) === zoneOf(after)) return;
        this.#markAll();
        this.#wake();
      }),
    );
    if (hostPorts) {
      subscription.add(
        this.#pods.changes.subscribe(({ key, before, after }) => {
          if (!hasHostPort(before) && !hasHostPort(after)) return;
          this.#mark(`pod ${key}`);
          this.#wake();
        }),
      );
    }
    this.#stop.signal.addEventListener('abort', () => subscription.unsubscribe(), { once: true });
    this.#markAll();
    this.#wake();
    this.#every(reconcileMs, () => this.#reconcile());
    await this.settled();
  }

  async settled(): Promise<void> {
    while ((this.#running || this.#dirty.size > 0) && !this.#stop.signal.aborted) {
      await (this.#running ?? new Promise((resolve) => setImmediate(resolve)));
    }
  }

  async close({ remove = false } = {}): Promise<void> {
    this.#stop.abort();
    for (const timer of this.#timers) timer.cancel();
    await this.#running;
    this.#healthChecks.close();
    await this.#options.applier.close({ remove });
  }

  #mark(key: string | undefined): void {
    if (key) this.#dirty.add(key);
  }

  #markAll(): void {
    for (const service of this.#services.list()) this.#mark(keyOf(service));
    if (this.#options.hostPorts ?? true) for (const pod of this.#pods.list()) if (hasHostPort(pod)) this.#mark(`pod ${keyOf(pod)}`);
    // Even an empty cluster's rules have to be laid down once.
    this.#mark('base');
  }

  /** Runs `#sync` until nothing is marked; whatever comes meanwhile is taken up by the next round. */
  #wake(): void {
    if (this.#running || this.#dirty.size === 0 || this.#stop.signal.aborted) return;
    this.#running = this.#sync().finally(() => {
      this.#running = undefined;
      if (this.#failures === 0) this.#wake();
    });
  }

  async #sync(): Promise<void> {
    // Let the rest of a burst of changes arrive.
    await new Promise((resolve) => setImmediate(resolve));
    const dirty = this.#dirty;
    this.#dirty = new Set();
    const { applier, clock, log } = this.#options;
    try {
      for (const key of dirty) this.#replan(key);
      const plan = planOf(this.#allFrontends());
      await applier.apply(plan);
      this.plan = plan;
      this.#healthChecks.apply(planHealthChecks(this.#services.list(), (key) => this.#slices.byIndex(serviceIndex, key), this.#node));
      this.#failures = 0;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      log.error('could not apply the service rules; trying again', { applier: applier.name, error: error.message });
      for (const key of dirty) this.#dirty.add(key);
      this.#later(clock, backoffMs(this.#failures++, { baseMs: 200, capMs: 30_000 }), () => {
        this.#wake();
      });
    }
  }

  #replan(key: string): void {
    let frontends: readonly Frontend[] = [];
    if (key.startsWith('pod ')) {
      const pod = this.#pods.get(key.slice(4));
      if (pod) frontends = planHostPorts(pod, this.#node);
    } else {
      const service = this.#services.get(key);
      if (service) frontends = planService(service, this.#slices.byIndex(serviceIndex, key), this.#node);
    }
    if (frontends.length > 0) this.#frontendsOf.set(key, frontends);
    else this.#frontendsOf.delete(key);
  }

  *#allFrontends(): Iterable<Frontend> {
    for (const frontends of this.#frontendsOf.values()) yield* frontends;
  }

  get #node(): PlanNode {
    const { nodeName, nodeAddresses } = this.#options;
    return { name: nodeName, addresses: nodeAddresses, zone: zoneOf(this.#nodes.get(nodeName)) };
  }

  #reconcile(): void {
    if (this.#running || this.#stop.signal.aborted) return;
    this.#running = this.#options.applier
      .reconcile()
      .then(
        () => undefined,
        (error: Error) => this.#options.log.error('could not check the service rules', { error: error.message }),
      )
      .finally(() => {
        this.#running = undefined;
        this.#wake();
      });
  }

  #every(ms: number, fire: () => void): void {
    this.#later(this.#options.clock, ms, () => {
      fire();
      this.#every(ms, fire);
    });
  }

  #later(clock: Clock, ms: number, fire: () => void): void {
    const timer = clock.setTimer(ms, () => {
      this.#timers.delete(timer);
      if (!this.#stop.signal.aborted) fire();
    });
    this.#timers.add(timer);
  }
}

function zoneOf(node: Node | undefined): string | undefined {
  return node?.metadata?.labels?.['topology.kubernetes.io/zone'];
}

function hasHostPort(pod: Pod | undefined): boolean {
  return (pod?.spec?.containers ?? []).concat(pod?.spec?.initContainers ?? []).some((c) => c.ports?.some((p) => p.hostPort));
}
