// A cluster in this process: the one place that constructs stores, server, controllers, scheduler, runtimes, kubelets
// and proxies and hands them to each other.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { services } from '../api/core.ts';
import { builtInAdmission } from '../apiserver/admission/built-in.ts';
import { nodeRestriction } from '../apiserver/admission/node-restriction.ts';
import { serviceAccountAdmission } from '../apiserver/admission/service-account.ts';
import { openAuditLog } from '../apiserver/audit/log-file.ts';
import { AuditPolicyError, readAuditPolicy } from '../apiserver/audit/policy.ts';
import { type Authenticator, certificateAuthenticator } from '../apiserver/authn/authenticator.ts';
import { ServiceAccountTokens } from '../apiserver/authn/service-account-tokens.ts';
import { parseTokenFile, staticTokenAuthenticator } from '../apiserver/authn/static-tokens.ts';
import { mastersAuthorizer, unionAuthorizer } from '../apiserver/authz/authorizer.ts';
import { NodeGraph, nodeAuthorizer } from '../apiserver/authz/node-authorizer.ts';
import { componentRoles } from '../apiserver/authz/rbac/component-roles.ts';
import { createRbac } from '../apiserver/authz/rbac/rbac.ts';
import type { AuditOptions } from '../apiserver/filters/audit.ts';
import { ensurePki, type Pki } from '../apiserver/pki/pki.ts';
import { allResources } from '../apiserver/resources/all.ts';
import { type ApiServer, createApiServer } from '../apiserver/server.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { CacheSet } from '../client/cache.ts';
import { createCacheSet } from '../client/cache-set.ts';
import type { Client } from '../client/client.ts';
import { createClient } from '../client/rest-client.ts';
import { startControllers } from '../controller/all.ts';
import { type Kubelet, startKubelet } from '../kubelet/kubelet.ts';
import { isNftablesUsable, Nftables } from '../proxy/nftables.ts';
import { type Proxy as ServiceProxy, startProxy } from '../proxy/proxy.ts';
import { Userspace } from '../proxy/userspace.ts';
import { type SupervisedContainerd, superviseContainerd } from '../runtime/containerd.ts';
import { connectCri } from '../runtime/cri.ts';
import { type ContainerRuntime, RuntimeError } from '../runtime/runtime.ts';
import { createSimulatedRuntime } from '../runtime/simulated.ts';
import { startScheduler } from '../scheduler/scheduler.ts';
import { openLmdbStore } from '../store/lmdb.ts';
import type { Store } from '../store/store.ts';
import type { ClusterRecord } from './cluster-record.ts';
import { type ClusterConfig, ConfigError } from './config.ts';
import { ensureExampleImage } from './example-image.ts';
import { contextName, renderKubeconfig } from './kubeconfig.ts';
import { addressIn, machineAddress, nodePodCidr } from './machine-network.ts';
import type { Steps } from './steps.ts';

export interface ClusterOptions {
  config: ClusterConfig;
  record: ClusterRecord;
  steps: Steps;
  clock: Clock;
  random: Random;
  log: Log;
}

export interface ComponentInfo {
  name: string;
  address?: string;
  pid: number;
}

export interface RunningCluster {
  /** `https://127.0.0.1:PORT` */
  server: string;
  pki: Pki;
  components(): ComponentInfo[];
  /** Ends everything in reverse order. With `stopPods` pods end too, within their grace periods. */
  stop(options: { stopPods: boolean }): Promise<void>;
}

/** Which node runs on what. */
interface NodePlan {
  name: string;
  isSimulated: boolean;
  podCidr: string;
}

const masters = { name: 'system:t8s', groups: ['system:masters'] };

/** Resolves when the API answers and every node of this process is Ready. What was begun is ended when something fails. */
export async function startCluster(options: ClusterOptions): Promise<RunningCluster> {
  const ends: ((how: { stopPods: boolean }) => Promise<void>)[] = [];
  const stop = async (how: { stopPods: boolean }) => {
    for (const end of ends.splice(0).reverse()) await end(how);
  };
  try {
    return await start(options, ends, stop);
  } catch (error) {
    await stop({ stopPods: false });
    throw error;
  }
}

async function start(
  { config, record, steps, clock, random, log }: ClusterOptions,
  ends: ((how: { stopPods: boolean }) => Promise<void>)[],
  stop: RunningCluster['stop'],
): Promise<RunningCluster> {
  const address = config.nodeAddress ?? machineAddress();
  const plans = planNodes(config, record);
  const startsContainerd = config.runtime === 'containerd' && plans.some((plan) => !plan.isSimulated);
  // The container runtime and the API server know nothing of each other: both start at once.
  const containerdStarting = startsContainerd ? startContainerd({ config, record, plans, clock, random, log }) : undefined;
  containerdStarting?.catch(() => {});
  const pki = await ensurePki({
    directory: join(config.dataDirectory, 'pki'),
    serverNames: [...new Set([address, ...(config.bindAddress === '0.0.0.0' ? [] : [config.bindAddress])])],
    serviceAddress: addressIn(record.serviceCidr, 1),
    nodes: Object.fromEntries(plans.map(({ name }) => [name, [address]])),
    clock,
  });
  const store = await openStore(config);
  ends.push(() => store.close());
  const audit = openAudit(config);
  if (audit) ends.push(async () => audit.log.close());
  const apiServer = await steps.run(`API server on ${config.etcdServers.length > 0 ? 'etcd' : 'the embedded store'}`, async () => {
    const serviceAccountTokens = new ServiceAccountTokens({ key: pki.serviceAccountKey, clock, random });
    const serviceAccounts = serviceAccountAdmission({ clock, random });
    const nodeGraph = new NodeGraph();
    const rbac = createRbac({ bootstrap: componentRoles });
    const server = await createApiServer({
      store,
      clock,
      random,
      log: log.child({ component: 'apiserver' }),
      resources: allResources,
      authenticators: [certificateAuthenticator, serviceAccountTokens.authenticator(), ...staticTokens(config)],
      serviceAccountTokens,
      authorizer: unionAuthorizer([mastersAuthorizer, nodeAuthorizer(nodeGraph), rbac.authorizer]),
      admission: (view) => [...builtInAdmission(view, { identity: [serviceAccounts, nodeRestriction], random }), rbac.escalation],
      rulesOf: rbac.rulesOf,
      begin: [serviceAccounts.begin, rbac.begin, (parts) => nodeGraph.attach(parts.resources)],
      kubelet: { cert: pki.apiServerKubeletClient.certPem, key: pki.apiServerKubeletClient.keyPem, ca: pki.authority.certPem },
      serviceClusterIpRange: record.serviceCidr,
      advertiseAddress: address,
      ...(audit ? { audit } : {}),
    });
    ends.push(() => server.close());
    await server.listen({
      host: config.bindAddress,
      port: record.port,
      tls: { cert: pki.apiServer.certPem, key: pki.apiServer.keyPem, clientCa: pki.authority.certPem },
    });
    await server.ready();
    return server;
  });
  const server = `https://127.0.0.1:${record.port}`;
  writeOwnKubeconfig(config, pki, server);

  const caches = cachesOf(apiServer, { clock, random, log });
  ends.push(() => caches.close());
  startControlLoops({ apiServer, caches, pki, clock, random, log }, ends);

  const containerd = containerdStarting && (await steps.run('containerd', () => containerdStarting));
  if (containerd) {
    ends.push(({ stopPods }) => (stopPods ? containerd.stop() : containerd.leave()));
    await ensureExampleImage({ containerd, clock, random, log });
  }
  const kubelets: Kubelet[] = [];
  if (plans.length > 0) {
    await steps.run(plans.length === 1 ? `node ${plans[0]?.name} Ready` : `${plans.length} nodes Ready`, async () => {
      const started = await Promise.all(
        plans.map((plan) => startNode({ plan, config, record, pki, apiServer, caches, address, containerd, clock, random, log })),
      );
      kubelets.push(...started);
    });
    ends.push(async (how) => void (await Promise.all(kubelets.map((kubelet) => kubelet.close(how)))));
  }
  const real = plans.find((plan) => !plan.isSimulated);
  if (real) {
    await steps.run('service proxy', async () => {
      const proxy = await startServiceProxy({
        plan: real,
        config,
        record,
        caches,
        address,
        bridge: containerd?.bridge,
        clock,
        random,
        log,
      });
      ends.push(({ stopPods }) => proxy.close({ remove: stopPods }));
    });
  }
  const pid = process.pid;
  return {
    server,
    pki,
    stop,
    components: () => [
      { name: 'apiserver', address: server, pid },
      { name: 'controllers', pid },
      { name: 'scheduler', pid },
      ...kubelets.map((kubelet) => ({ name: `kubelet/${kubelet.nodeName}`, address: `https://${address}:${kubelet.port}`, pid })),
      ...(real ? [{ name: 'proxy', pid }] : []),
      ...(containerd?.pid ? [{ name: 'containerd', address: containerd.socket, pid: containerd.pid }] : []),
    ],
  };
}

/** People and programs that the operator names in a file. */
function staticTokens({ tokenAuthFile }: ClusterConfig): Authenticator[] {
  return tokenAuthFile ? [staticTokenAuthenticator(parseTokenFile(readFileSync(tokenAuthFile, 'utf8')))] : [];
}

function planNodes(config: ClusterConfig, record: ClusterRecord): NodePlan[] {
  const isSimulated = config.runtime === 'simulated' || config.nodes !== undefined;
  const count = config.nodes ?? 1;
  return Array.from({ length: count }, (_, index) => ({
    name: count === 1 ? record.nodeName : `${record.nodeName}-${index + 1}`,
    isSimulated,
    podCidr: nodePodCidr(record.podCidr, index),
  }));
}

async function openStore(config: ClusterConfig): Promise<Store> {
  const file = config.encryptionProviderConfig;
  if (file === undefined) return openPlainStore(config);
  const [{ readEncryptionConfiguration, EncryptionConfigurationError }, { encryptedStore }] = await Promise.all([
    import('../apiserver/encryption/configuration.ts'),
    import('../apiserver/encryption/encrypted-store.ts'),
  ]);
  try {
    const rules = readEncryptionConfiguration(readFileSync(file, 'utf8'));
    return encryptedStore(await openPlainStore(config), rules);
  } catch (error) {
    if (error instanceof EncryptionConfigurationError || (error instanceof Error && 'code' in error)) {
      throw new ConfigError(`--encryption-provider-config ${file}: ${error.message}`);
    }
    throw error;
  }
}

function openAudit({ auditPolicyFile, auditLogPath }: ClusterConfig): AuditOptions | undefined {
  if (auditPolicyFile === undefined || auditLogPath === undefined) return undefined;
  try {
    return { policy: readAuditPolicy(readFileSync(auditPolicyFile, 'utf8')), log: openAuditLog({ path: auditLogPath }) };
  } catch (error) {
    if (error instanceof AuditPolicyError || (error instanceof Error && 'code' in error)) {
      throw new ConfigError(`--audit-policy-file ${auditPolicyFile}: ${error.message}`);
    }
    throw error;
  }
}

async function openPlainStore({ etcdServers, dataDirectory, name }: ClusterConfig): Promise<Store> {
  if (etcdServers.length > 0) {
    // Its client is large, and most clusters need none.
    const { openEtcdStore } = await import('../store/etcd.ts');
    return openEtcdStore({ endpoints: etcdServers, prefix: `/${name}` });
  }
  const directory = join(dataDirectory, 'store');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return openLmdbStore({ directory });
}

/** The data directory's own copy. */
function writeOwnKubeconfig(config: ClusterConfig, pki: Pki, server: string): void {
  const text = renderKubeconfig({
    name: contextName(config.name),
    server,
    caPem: pki.authority.certPem,
    certPem: pki.admin.certPem,
    keyPem: pki.admin.keyPem,
  });
  writeFileSync(join(config.dataDirectory, 'kubeconfig'), text, { mode: 0o600 });
}

interface Ambient {
  clock: Clock;
  random: Random;
  log: Log;
}

function cachesOf(apiServer: ApiServer, ambient: Ambient): CacheSet {
  return createCacheSet({ client: createClient(apiServer.transport(masters)), ...ambient });
}

function clientOf(apiServer: ApiServer, name: string, groups: string[] = []): Client {
  return createClient(apiServer.transport({ name, groups }));
}

function startControlLoops(
  { apiServer, caches, pki, clock, random, log }: Ambient & { apiServer: ApiServer; caches: CacheSet; pki: Pki },
  ends: ((how: { stopPods: boolean }) => Promise<void>)[],
): void {
  const end = new AbortController();
  const shared = { caches, clock, random, signal: end.signal };
  const loops = [
    startControllers({
      ...shared,
      client: clientOf(apiServer, 'system:kube-controller-manager'),
      log: log.child({ component: 'controllers' }),
      rootCa: pki.authority.certPem,
    }),
    startScheduler({ ...shared, client: clientOf(apiServer, 'system:kube-scheduler'), log: log.child({ component: 'scheduler' }) }),
  ];
  for (const loop of loops)
    loop.catch((error: unknown) =>
      log.error('a control loop has ended', { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  ends.push(async () => {
    end.abort();
    await Promise.allSettled(loops);
  });
}

function startContainerd({
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

async function startNode({
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
  return startKubelet({
    nodeName: plan.name,
    client: clientOf(apiServer, `system:node:${plan.name}`, ['system:nodes']),
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

async function startServiceProxy({
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
