// The nodes of this process: which there are, what they run on, and their kubelets and service proxy.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { services } from '../api/core.ts';
import type { Pki } from '../apiserver/pki/pki.ts';
import type { ApiServer } from '../apiserver/server.ts';
import { buildInfoOf, defaultVersion } from '../apiserver/version.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { CacheSet } from '../client/cache.ts';
import { createClient } from '../client/rest-client.ts';
import { type Kubelet, startKubelet } from '../kubelet/kubelet.ts';
import { KubeletMetrics } from '../kubelet/metrics/kubelet-metrics.ts';
import { isNftablesUsable, Nftables } from '../proxy/nftables.ts';
import { type Proxy as ServiceProxy, startProxy } from '../proxy/proxy.ts';
import { Userspace } from '../proxy/userspace.ts';
import { type SupervisedContainerd, superviseContainerd } from '../runtime/containerd.ts';
import { connectCri } from '../runtime/cri.ts';
import { type ContainerRuntime, RuntimeError } from '../runtime/runtime.ts';
import { createSimulatedRuntime } from '../runtime/simulated.ts';
import type { ClusterRecord } from './cluster-record.ts';
import type { ClusterConfig } from './config.ts';
import { nodePodCidr } from './machine-network.ts';
import { metricsSettings } from './measured.ts';

/** What everything is handed. */
export interface Ambient {
  clock: Clock;
  random: Random;
  log: Log;
}

/** Which node runs on what. */
export interface NodePlan {
  name: string;
  isSimulated: boolean;
  podCidr: string;
}

/** One real node, or as many simulated ones as the configuration asks for. */
export function planNodes(config: ClusterConfig, record: ClusterRecord): NodePlan[] {
  const isSimulated = config.runtime === 'simulated' || config.nodes !== undefined;
  const count = config.nodes ?? 1;
  return Array.from({ length: count }, (_, index) => ({
    name: count === 1 ? record.nodeName : `${record.nodeName}-${index + 1}`,
    isSimulated,
    podCidr: nodePodCidr(record.podCidr, index),
  }));
}

/** Finds, configures and supervises the node's containerd. */
export function startContainerd({
  config,
  record,
  plans,
  clock,
  random,
  log,
}: Ambient & { config: ClusterConfig; record: ClusterRecord; plans: NodePlan[] }): Promise<SupervisedContainerd> {
  const podCidr = plans[0]?.podCidr ?? nodePodCidr(record.podCidr, 0);
  return superviseContainerd({
    directory: join(config.dataDirectory, 'containerd'),
    stateDirectory: containerdStateDirectory(config.dataDirectory),
    podCidr,
    portmap: false, // host ports are the service proxy's
    clock,
    random,
    log: log.child({ component: 'containerd' }),
  });
}

/** On /run, and short: a socket's path has at most 107 bytes. */
export function containerdStateDirectory(dataDirectory: string): string {
  return join('/run/t8s', createHash('sha256').update(dataDirectory).digest('hex').slice(0, 12));
}

interface NodeStart extends Ambient {
  plan: NodePlan;
  config: ClusterConfig;
  record: ClusterRecord;
  pki: Pki;
  apiServer: ApiServer;
  caches: CacheSet;
  address: string;
  containerd: SupervisedContainerd | undefined;
}

/** Resolves when the node is registered and its pods are being looked after. */
export async function startNode({
  plan,
  config,
  record,
  pki,
  apiServer,
  caches,
  address,
  containerd,
  clock,
  random,
  log,
}: NodeStart): Promise<Kubelet> {
  const runtime: ContainerRuntime = plan.isSimulated
    ? createSimulatedRuntime({ clock, random, podCidr: plan.podCidr })
    : (containerd?.runtime ?? (await connectExternal(config.runtime, { clock, log })));
  const certificates = pki.kubelets[plan.name];
  if (!certificates) throw new Error(`node ${plan.name} has no certificates`);
  const metrics = new KubeletMetrics({
    nodeName: plan.name,
    clock,
    settings: metricsSettings(config),
    buildInfo: buildInfoOf(defaultVersion),
  });
  const transport = apiServer.transport({ name: `system:node:${plan.name}`, groups: ['system:nodes'] });
  return startKubelet({
    nodeName: plan.name,
    client: createClient(metrics.component.measured(transport, `127.0.0.1:${record.port}`)),
    metrics,
    caches,
    runtime,
    rootDirectory: join(config.dataDirectory, 'kubelet', plan.name),
    podLogsDirectory: join(config.dataDirectory, 'logs', plan.name),
    ...(plan.isSimulated
      ? { capacity: { cpu: '32', memory: '256Gi', pods: '110' }, mountsVolumes: false }
      : { cgroups: { driver: 'cgroupfs' as const, parent: `/t8s-${config.name}` } }),
    tls: { cert: certificates.server.certPem, key: certificates.server.keyPem, clientCa: pki.authority.certPem },
    address: plan.isSimulated ? '127.0.0.1' : '0.0.0.0',
    port: plan.isSimulated ? 0 : record.kubeletPort,
    nodeAddresses: [plan.isSimulated ? '127.0.0.1' : address],
    podCidr: plan.podCidr,
    services: caches.of(services),
    ...(plan.isSimulated ? {} : { staticPodDirectory: join(config.dataDirectory, 'manifests') }),
    clock,
    random,
    log: log.child({ component: 'kubelet', node: plan.name }),
  });
}

/** @throws RuntimeError naming the socket */
async function connectExternal(socket: string, { clock, log }: Pick<Ambient, 'clock' | 'log'>): Promise<ContainerRuntime> {
  try {
    return await connectCri({ socket, clock, log });
  } catch (error) {
    if (error instanceof RuntimeError)
      throw new RuntimeError(error.code, `the container runtime at ${socket} does not answer: ${error.message}`);
    throw error;
  }
}

/** Resolves when what the services say has been applied for the first time. */
export async function startServiceProxy({
  plan,
  config,
  record,
  caches,
  address,
  bridge,
  clock,
  random,
  log,
}: Ambient & Pick<NodeStart, 'plan' | 'config' | 'record' | 'caches' | 'address'> & { bridge: string | undefined }): Promise<ServiceProxy> {
  const proxyLog = log.child({ component: 'proxy' });
  const nodeAddresses = [...new Set([address, '127.0.0.1'])];
  const applier = (await isNftablesUsable())
    ? new Nftables({
        clusterName: config.name,
        clusterCidr: record.podCidr,
        serviceCidr: record.serviceCidr,
        nodeAddresses,
        clock,
        log: proxyLog,
        bridge: bridge ?? 'cni0',
      })
    : new Userspace({
        clock,
        random,
        log: proxyLog,
        claimAddress: (own) => loopbackAddress('add', own),
        releaseAddress: (own) => loopbackAddress('del', own),
      });
  const proxy = startProxy({
    caches,
    nodeName: plan.name,
    nodeAddresses,
    applier,
    clock,
    log: proxyLog,
    signal: new AbortController().signal,
  });
  await proxy.ready;
  return proxy;
}

/** A service's address becomes this machine's own, where no kernel rule can translate it. */
async function loopbackAddress(verb: 'add' | 'del', address: string): Promise<void> {
  await promisify(execFile)('ip', ['addr', verb, `${address}/32`, 'dev', 'lo']);
}
