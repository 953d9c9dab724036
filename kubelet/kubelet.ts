// A node's agent: registers the node, runs the pods that are its own, tells how they are, and serves what the API
// server asks of it. This file puts the parts together and starts and ends them in order.

import { mkdir, rm } from 'node:fs/promises';
import { type Node, nodes, type Pod, type Service } from '../api/core.ts';
import { quantityValue } from '../api/quantity.ts';
import { isAbortError } from '../base/abort.ts';
import { type Clock, systemClock, type Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { type Random, systemRandom } from '../base/random.ts';
import type { Cache, CacheSet } from '../client/cache.ts';
import type { Client } from '../client/client.ts';
import { DelegatedAccess } from '../client/delegated-access.ts';
import { createEventRecorder } from '../client/events.ts';
import type { ContainerRuntime } from '../runtime/runtime.ts';
import { createPodCgroups, noCgroups } from './cgroups/pod-cgroups.ts';
import { Collector } from './collect/collector.ts';
import { Eviction } from './collect/eviction.ts';
import { ImageCollector } from './collect/image-collector.ts';
import type { ClusterDns } from './containers/dns.ts';
import type { KubeletContext } from './context.ts';
import { type Directories, podDirectory, podLogDirectory, podsDirectory } from './directories.ts';
import { ImagePuller, type ImagePullOptions } from './images/image-puller.ts';
import { rotateLogs } from './logs/log-rotation.ts';
import { KubeletMetrics } from './metrics/kubelet-metrics.ts';
import { measuredRuntime } from './metrics/measured-runtime.ts';
import { primaryAddress, readMachine } from './node/machine.ts';
import { NodeAgent } from './node/node-agent.ts';
import { type Capacity, nodeCapacity } from './node/node-object.ts';
import { ObjectWatch } from './objects/referenced-objects.ts';
import { Tokens } from './objects/tokens.ts';
import { identityOf } from './pods/names.ts';
import { PodStateReader } from './pods/pod-state.ts';
import { PodWorkers } from './pods/pod-workers.ts';
import { RuntimeWatch } from './pods/runtime-watch.ts';
import { probeOnce } from './probes/probe-once.ts';
import { Probes } from './probes/probes.ts';
import { startKubeletServer } from './server/server.ts';
import { createApiSource } from './sources/api-source.ts';
import { StaticSource } from './sources/static-source.ts';
import { StatusWriter } from './status/status-writer.ts';
import { Volumes } from './volumes/volumes.ts';

type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number];

export interface KubeletOptions {
  nodeName: string;
  client: Client;
  caches: CacheSet;
  runtime: ContainerRuntime;
  /** Default `/var/lib/kubelet`. */
  rootDirectory?: string;
  /** Default `/var/log/pods`. */
  podLogsDirectory?: string;
  /** Absent: pods have no cgroups of their own. */
  cgroups?: { driver: 'cgroupfs' | 'systemd'; parent: string; podPidsMax?: number };
  /** false: no file system is mounted for volumes, as nobody but a simulation sees them. Default true. */
  mountsVolumes?: boolean;
  /** PEM. Absent: no server. `clientCa` signs those who may ask. */
  tls?: { cert: string; key: string; clientCa: string };
  /** Where the server listens; default all addresses. */
  address?: string;
  /** Default 10250; 0 takes any. */
  port?: number;
  /** The node's addresses; default: the machine's first. */
  nodeAddresses?: string[];
  nodeLabels?: Record<string, string>;
  nodeTaints?: Taint[];
  podCidr?: string;
  clusterDns?: ClusterDns;
  /** For environment variables. */
  services?: Cache<Service>;
  staticPodDirectory?: string;
  /** What is not given is the machine's. */
  capacity?: Capacity;
  imagePull?: ImagePullOptions;
  /** When unused images go. */
  imageCollection?: { highPercent?: number; lowPercent?: number; ageMsMin?: number };
  /** When pods are evicted. */
  eviction?: { memoryAvailableBytesMin?: number; diskAvailablePercentMin?: number };
  /** When containers' logs are rotated. */
  logs?: { bytesMax?: number; filesMax?: number };
  clock?: Clock;
  random?: Random;
  log: Log;
  /** Default: some of its own. */
  metrics?: KubeletMetrics;
  /** Ends the kubelet as `close({ stopPods: false })` does. */
  signal?: AbortSignal;
}

export interface Kubelet {
  nodeName: string;
  /** The server's. */
  port: number;
  /** What /metrics says. */
  readonly metrics: KubeletMetrics;
  /** With `stopPods` their containers are ended first, each with its grace period. */
  close(options: { stopPods: boolean }): Promise<void>;
}

const collectMs = 60_000;
const imageCollectMs = 300_000;
const rotateMs = 10_000;
const evictionMs = 10_000;
/** Grace at the shutdown of a node, however long a pod may ask for. */
const shutdownGraceSecondsMax = 30;

/** Resolves when the node is registered and its pods are being looked after. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { nodeName, client, caches, log, clock = systemClock, random = systemRandom } = options;
  const metrics = options.metrics ?? new KubeletMetrics({ nodeName, clock });
  const runtime = measuredRuntime(options.runtime, metrics);
  const end = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, end.signal]) : end.signal;
  const directories: Directories = {
    root: options.rootDirectory ?? '/var/lib/kubelet',
    podLogs: options.podLogsDirectory ?? '/var/log/pods',
  };
  await Promise.all([mkdir(podsDirectory(directories), { recursive: true, mode: 0o750 }), mkdir(directories.podLogs, { recursive: true })]);
  const [machine, version] = await Promise.all([readMachine(), runtime.version()]);
  const capacity = nodeCapacity(machine, options.capacity ?? {});
  const hostIps = options.nodeAddresses ?? [primaryAddress()];
  const events = createEventRecorder({ client, clock, random, log, component: 'kubelet', host: nodeName });
  const source = createApiSource(caches, nodeName, (pod, isGone) => statics?.observeMirror(pod, isGone));
  const nodeCache = caches.of(nodes, { fieldSelector: `metadata.name=${nodeName}` });

  const objects = new ObjectWatch({
    client,
    clock,
    signal,
    onChange: (kind, namespace, name) => refreshUsers(kind.plural, namespace, name),
  });
  const context: KubeletContext = {
    nodeName,
    client,
    runtime,
    runtimeName: version.runtimeName || 'containerd',
    clock,
    random,
    log,
    events,
    metrics,
    directories,
    cgroups: options.cgroups ? await createPodCgroups({ ...options.cgroups, log }) : noCgroups,
    images: new ImagePuller({ runtime, clock, events, ...options.imagePull }),
    objects,
    volumes: new Volumes({
      directories,
      clock,
      random,
      objects,
      tokens: new Tokens(client, clock),
      mounts: options.mountsVolumes ?? true,
    }),
    probes: new Probes({
      clock,
      random,
      log,
      events,
      metrics,
      probe: (input) => probeOnce(runtime, clock, input),
      onChange: (uid) => workers.get(uid)?.wake(),
    }),
    statuses: new StatusWriter({ client, clock, log, signal }),
    states: new PodStateReader(runtime),
    clusterDns: options.clusterDns,
    hostIps,
    nodeMemoryBytes: quantityValue(capacity['memory'] ?? '0'),
    node: () => nodeCache.get(nodeName) ?? agent.node,
    services: () => options.services?.list() ?? [],
    otherPods: (uid) => workers.active(uid),
    async removePodDirectories(pod) {
      await rm(podDirectory(directories, pod.metadata?.uid ?? ''), { recursive: true, force: true });
      await rm(podLogDirectory(directories, identityOf(pod)), { recursive: true, force: true });
    },
    signal,
  };
  const statics = options.staticPodDirectory
    ? new StaticSource({
        directory: options.staticPodDirectory,
        nodeName,
        nodeUid: () => agent.node?.metadata?.uid ?? '',
        client,
        clock,
        log,
      })
    : undefined;
  const apiPod = (pod: Pod) => (statics?.isStatic(pod.metadata?.uid ?? '') ? statics.mirrorOf(pod) : pod);
  const workers = new PodWorkers({ context, apiPod });
  metrics.readFrom({
    runningPods: () => workers.all().filter(({ state }) => state.sandboxes[0]?.isReady).length,
    containers() {
      const counts = new Map<string, number>();
      for (const { state } of workers.all().flatMap((worker) => worker.state.containers)) counts.set(state, (counts.get(state) ?? 0) + 1);
      return counts;
    },
    desired: () => workers.all().map(({ uid, isActive }) => ({ isStatic: statics?.isStatic(uid) ?? false, isActive })),
  });
  const server = options.tls
    ? await startKubeletServer({
        context,
        workers,
        access: new DelegatedAccess({ client, clock, tokenSeconds: 120, allowedSeconds: 300, deniedSeconds: 30 }),
        tls: options.tls,
        address: options.address,
        port: options.port ?? 10250,
      })
    : undefined;
  const port = server?.port ?? options.port ?? 10250;
  const agent = new NodeAgent({
    nodeName,
    client,
    runtime,
    clock,
    log,
    events,
    machine,
    capacity: options.capacity ?? {},
    labels: options.nodeLabels ?? {},
    taints: options.nodeTaints ?? [],
    addresses: hostIps,
    port,
    podCidr: options.podCidr,
    signal,
    pressure: () => eviction?.pressure() ?? { memory: false, disk: false, pid: false },
  });
  const runtimeWatch = new RuntimeWatch({
    runtime,
    states: context.states,
    clock,
    log,
    metrics,
    onPod: (uid) => workers.get(uid)?.wake(),
    onHealth: (error) => agent.setRuntimeError(error),
  });
  const imageCollector = new ImageCollector({ runtime, clock, log, ...options.imageCollection });
  // Without cgroups there are no real processes to end for the sake of the machine.
  const eviction = options.cgroups
    ? new Eviction({
        runtime,
        workers,
        images: imageCollector,
        clock,
        log,
        metrics,
        rootDirectory: directories.root,
        ...options.eviction,
        onPressure: () => void agent.report(),
      })
    : undefined;
  let areSourcesReady = false;
  const collector = new Collector({ context, workers, areSourcesReady: () => areSourcesReady });

  function refreshUsers(plural: string, namespace: string, name: string): void {
    for (const worker of workers.all()) {
      if (worker.pod.metadata?.namespace === namespace && mentions(worker.pod, plural, name)) worker.refreshVolumes();
    }
  }

  await agent.start();
  await Promise.all([runtimeWatch.start(), source.synced(), nodeCache.synced()]);
  source.start(workers);
  await statics?.start(workers);
  areSourcesReady = true;
  await collector.endOrphans();
  const periodic = [
    repeat(clock, collectMs, log, () => collector.collect()),
    repeat(clock, imageCollectMs, log, async () => void (await imageCollector.collect())),
    repeat(clock, rotateMs, log, () => rotateLogs({ runtime, clock, ...options.logs })),
    ...(eviction ? [repeat(clock, evictionMs, log, () => eviction.check())] : []),
  ];

  let closing: Promise<void> | undefined;
  async function close({ stopPods }: { stopPods: boolean }): Promise<void> {
    source.close();
    statics?.close();
    for (const timer of periodic) timer.cancel();
    await workers.stop();
    if (stopPods) {
      await Promise.all(
        workers.all().map((w) => w.kill(Math.min(shutdownGraceSecondsMax, w.pod.spec?.terminationGracePeriodSeconds ?? 30))),
      );
    }
    context.probes.close();
    runtimeWatch.close();
    agent.close();
    await server?.close();
    await context.statuses.flushAll();
    await events.close();
    end.abort();
  }
  const closeOnce = (how: { stopPods: boolean }) => {
    closing ??= close(how);
    return closing;
  };
  options.signal?.addEventListener('abort', () => void closeOnce({ stopPods: false }), { once: true });
  return { nodeName, port, metrics, close: closeOnce };
}

function mentions(pod: Pod, plural: string, name: string): boolean {
  const key = plural === 'secrets' ? 'secret' : 'configMap';
  return (pod.spec?.volumes ?? []).some((volume) => {
    if (volume.configMap?.name === name && key === 'configMap') return true;
    if (volume.secret?.secretName === name && key === 'secret') return true;
    return (volume.projected?.sources ?? []).some((s) => s[key]?.name === name);
  });
}

/** Calls `work` every `periodMs`, each time after the last has ended. */
function repeat(clock: Clock, periodMs: number, log: Log, work: () => Promise<void>): Timer {
  let timer: Timer;
  let isCancelled = false;
  const next = () => {
    timer = clock.setTimer(periodMs, () => {
      work()
        .catch((error: unknown) => {
          if (!isAbortError(error)) log.warn('periodic work failed', { error: String(error) });
        })
        .finally(() => {
          if (!isCancelled) next();
        });
    });
  };
  next();
  return {
    cancel() {
      isCancelled = true;
      timer.cancel();
    },
  };
}
