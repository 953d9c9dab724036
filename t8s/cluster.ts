// A cluster in this process: the one place that constructs stores, server, controllers, scheduler, runtimes, kubelets
// and proxies and hands them to each other.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtInAdmission } from '../apiserver/admission/built-in.ts';
import { typeCheckPolicy } from '../apiserver/admission/policies/type-check.ts';
import { serviceAccountAdmission } from '../apiserver/admission/service-account.ts';
import { BootstrapTokens } from '../apiserver/authn/bootstrap-tokens.ts';
import { publishAuthentication } from '../apiserver/authn/request-header.ts';
import { ServiceAccountTokens } from '../apiserver/authn/service-account-tokens.ts';
import { nodeAuthorizer, nodeRuleResolver } from '../apiserver/authz/node-authorizer.ts';
import { NodeGraph } from '../apiserver/authz/node-graph.ts';
import { componentRoles } from '../apiserver/authz/rbac/component-roles.ts';
import { createRbac } from '../apiserver/authz/rbac/rbac.ts';
import { encryptedStore } from '../apiserver/encryption/encrypted-store.ts';
import { clusterAuthority } from '../apiserver/pki/cluster-authority.ts';
import { ensurePki, type Pki } from '../apiserver/pki/pki.ts';
import { allResources } from '../apiserver/resources/all.ts';
import { type ApiServer, createApiServer } from '../apiserver/server.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { CacheSet } from '../client/cache.ts';
import { createCacheSet } from '../client/cache-set.ts';
import { startControllers } from '../controller/all.ts';
import type { Kubelet } from '../kubelet/kubelet.ts';
import { startScheduler } from '../scheduler/scheduler.ts';
import { openLmdbStore } from '../store/lmdb.ts';
import type { Store } from '../store/store.ts';
import { admissionSettings } from './admission.ts';
import { openAudit } from './audit.ts';
import type { ClusterRecord } from './cluster-record.ts';
import type { ClusterConfig } from './config.ts';
import { openEncryption } from './encryption.ts';
import { ensureExampleImage } from './example-image.ts';
import { anonymousAccess, createAuthenticators, createAuthorization } from './identity.ts';
import { contextName, renderKubeconfig } from './kubeconfig.ts';
import { addressIn, machineAddress } from './machine-network.ts';
import { type ControlLoopMetrics, controlLoopMetrics, metricsSettings, serveControlLoopMetrics } from './measured.ts';
import { type Ambient, planNodes, startContainerd, startNode, startServiceProxy } from './node.ts';
import { flagsOf, servingOptions } from './serving.ts';
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
  // Its step below awaits it and tells; until then a failure must not count as unhandled.
  containerdStarting?.catch(() => {});
  const pki = await ensurePki({
    directory: join(config.dataDirectory, 'pki'),
    serverNames: [...new Set([address, ...(config.bindAddress === '0.0.0.0' ? [] : [config.bindAddress])])],
    serviceAddress: addressIn(record.serviceCidr, 1),
    nodes: Object.fromEntries(plans.map(({ name }) => [name, [address]])),
    clock,
  });
  const encryption = await openEncryption(config, { clock, random, log: log.child({ component: 'apiserver' }) });
  ends.push(async () => encryption.close());
  const store = encryptedStore(await openStore(config), encryption.transformers);
  ends.push(() => store.close());
  const audit = await openAudit(config, { clock, random, log: log.child({ component: 'apiserver' }) });
  if (audit) ends.push(async () => audit.log.close());
  const serviceAccountTokens = new ServiceAccountTokens({ key: pki.serviceAccountKey, clock, random });
  const apiServer = await steps.run(`API server on ${config.etcdServers.length > 0 ? 'etcd' : 'the embedded store'}`, async () => {
    const bootstrapTokens = new BootstrapTokens({ clock });
    const serviceAccounts = serviceAccountAdmission({ clock, random });
    const nodeGraph = new NodeGraph();
    const requestHeader = { ca: pki.frontProxyAuthority.certPem, allowedNames: ['front-proxy-client'] };
    const rbac = createRbac({ bootstrap: componentRoles });
    const ambient = { clock, random, log };
    const node = { authorizer: nodeAuthorizer(nodeGraph), rulesOf: nodeRuleResolver };
    const { authorizer, rulesOf } = await createAuthorization(config, { node, rbac }, ambient);
    const settings = await admissionSettings(config, ambient);
    const server = await createApiServer({
      store,
      clock,
      random,
      log: log.child({ component: 'apiserver' }),
      resources: allResources,
      authenticators: await createAuthenticators(config, { serviceAccountTokens, bootstrapTokens }, ambient),
      anonymous: anonymousAccess(config),
      serviceAccountTokens,
      authorizer,
      admission: (view) => [...builtInAdmission(view, { identity: [serviceAccounts], random, authorizer, settings }), rbac.escalation],
      rulesOf,
      healthChecks: encryption.healthChecks,
      begin: [
        ({ metrics }) => encryption.begin(metrics.registry),
        serviceAccounts.begin,
        rbac.begin,
        (parts) => nodeGraph.attach(parts.resources),
        (parts) => bootstrapTokens.attach(parts.resources),
        (parts) => publishAuthentication(parts, pki.authority.certPem, requestHeader),
      ],
      kubelet: { cert: pki.apiServerKubeletClient.certPem, key: pki.apiServerKubeletClient.keyPem, ca: pki.authority.certPem },
      requestHeader,
      frontProxy: { cert: pki.frontProxyClient.certPem, key: pki.frontProxyClient.keyPem },
      serviceClusterIpRange: record.serviceCidr,
      advertiseAddress: address,
      logDirectory: logDirectoryOf(config),
      eventTtlSeconds: config.eventTtl,
      metricsSettings: metricsSettings(config),
      ...servingOptions(config),
      flags: flagsOf(config),
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

  const loopMetrics = controlLoopMetrics(apiServer, server, config, { clock });
  const caches = createCacheSet({ client: loopMetrics.controllers.clientOf(masters), clock, random, log });
  ends.push(() => caches.close());
  startControlLoops({ apiServer, caches, pki, serviceAccountTokens, loopMetrics, clock, random, log }, ends);
  const tls = { cert: pki.apiServer.certPem, key: pki.apiServer.keyPem, clientCa: pki.authority.certPem };
  ends.push(...(await serveControlLoopMetrics(loopMetrics, { config, tls, ambient: { clock, random, log } })));

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

/** Where nodes of this process keep their pods' logs, and what `/logs/` shows. */
function logDirectoryOf({ dataDirectory }: ClusterConfig): string {
  const directory = join(dataDirectory, 'logs');
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  return directory;
}

async function openStore({ etcdServers, dataDirectory, name }: ClusterConfig): Promise<Store> {
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

function startControlLoops(
  {
    apiServer,
    caches,
    pki,
    serviceAccountTokens,
    loopMetrics: { controllers, scheduler, schedulerMetrics },
    clock,
    random,
    log,
  }: Ambient & {
    apiServer: ApiServer;
    caches: CacheSet;
    pki: Pki;
    serviceAccountTokens: ServiceAccountTokens;
    loopMetrics: ControlLoopMetrics;
  },
  ends: ((how: { stopPods: boolean }) => Promise<void>)[],
): void {
  const end = new AbortController();
  const shared = { caches, clock, random, signal: end.signal };
  const loops = [
    startControllers({
      ...shared,
      client: controllers.clientOf({ name: 'system:kube-controller-manager', groups: [] }),
      queueMetrics: controllers.metrics.workQueues,
      log: log.child({ component: 'controllers' }),
      rootCa: pki.authority.certPem,
      authority: clusterAuthority(pki.authority, clock),
      issueToken: (account, secret) => serviceAccountTokens.issueLegacy(account, secret),
      checkPolicyTypes: (policy) => typeCheckPolicy(policy, apiServer.resources),
    }),
    startScheduler({
      ...shared,
      client: scheduler.clientOf({ name: 'system:kube-scheduler', groups: [] }),
      metrics: schedulerMetrics,
      log: log.child({ component: 'scheduler' }),
    }),
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
