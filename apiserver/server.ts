// The API server: the filters in their order, what they lead to, and the server's beginning and end.

import Koa from 'koa';
import { customResourceDefinitions } from '../api/apiextensions.ts';
import { namespaces } from '../api/core.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { MetricsRegistry, MetricsSettings } from '../client/metrics/registry.ts';
import type { Transport } from '../client/transport.ts';
import { startCompactor } from '../store/compactor.ts';
import type { Store } from '../store/store.ts';
import { AdmissionChain, type AdmissionPlugin } from './admission/admission.ts';
import { AdmissionMetrics } from './admission/admission-metrics.ts';
import { ClusterView } from './admission/cluster-view.ts';
import { namespaceLifecycle } from './admission/namespace-lifecycle.ts';
import { Aggregator } from './aggregation/aggregator.ts';
import type { FrontProxy } from './aggregation/remote.ts';
import type { AnonymousAccess, Authenticator } from './authn/authenticator.ts';
import { type RequestHeaderOptions, requestHeaderAuthenticator } from './authn/request-header.ts';
import type { ServiceAccountTokens } from './authn/service-account-tokens.ts';
import type { Authorizer } from './authz/authorizer.ts';
import { CacheMetrics } from './cache/cache-metrics.ts';
import { StoreFeed } from './cache/store-feed.ts';
import { type ApiState, chain, type Filter } from './context.ts';
import { CustomResources } from './customresources/custom-resources.ts';
import { HttpExchange } from './exchange.ts';
import { type AuditOptions, audit } from './filters/audit.ts';
import { auditId } from './filters/audit-id.ts';
import { authenticate } from './filters/authenticate.ts';
import { authorize } from './filters/authorize.ts';
import { cors, strictTransportSecurity } from './filters/browsers.ts';
import { deadline } from './filters/deadline.ts';
import { impersonate } from './filters/impersonate.ts';
import { measure } from './filters/measure.ts';
import { priorityAndFairness } from './filters/priority-and-fairness.ts';
import { renderErrors } from './filters/render-errors.ts';
import { requestInfo } from './filters/request-info.ts';
import { shuttingDown } from './filters/shutting-down.ts';
import { flowControlDumps } from './flowcontrol/dumps.ts';
import { FlowControl } from './flowcontrol/flow-control.ts';
import { FlowMetrics } from './flowcontrol/flow-metrics.ts';
import { followConfiguration } from './flowcontrol/follow-configuration.ts';
import { maintainBootstrap, restoreBootstrap } from './flowcontrol/maintain-bootstrap.ts';
import { DiscoveryHandler } from './handlers/discovery.ts';
import { dispatch, type PathHandler } from './handlers/dispatch.ts';
import type { ServerParts } from './handlers/handler.ts';
import type { HealthCheck } from './handlers/health.ts';
import type { KubeletConnection } from './handlers/kubelet-connection.ts';
import { logPaths } from './handlers/logs.ts';
import { openApiPaths } from './handlers/openapi.ts';
import { rootPaths } from './handlers/root-paths.ts';
import { tokenIssuerPaths } from './handlers/service-account-token.ts';
import { zPages } from './handlers/zpages.ts';
import { HealthChecks } from './health-checks.ts';
import { Listeners, type ListenOptions } from './listeners.ts';
import { localTransport } from './local-transport.ts';
import { measuredAudit, measuredAuthentication, measuredAuthorizer } from './measured-access.ts';
import { measuredStore } from './measured-store.ts';
import { Metrics } from './metrics.ts';
import { apiServerUser, createBootstrapObjects } from './registry/bootstrap.ts';
import { expireEvents } from './registry/event-expiry.ts';
import { PublishedAddress } from './registry/published-address.ts';
import { Reservations } from './registry/reservations.ts';
import { ResourceTable } from './registry/resource-table.ts';
import { ServiceAllocation } from './registry/service-allocation.ts';
import type { ResourceDeclaration, UserInfo } from './resources/resource.ts';
import { pathOperationsOf } from './schema/path-operations.ts';
import { buildInfoOf, defaultVersion, type VersionInfo } from './version.ts';

export interface ApiServerOptions {
  /** Stays the caller's to close. */
  store: Store;
  clock: Clock;
  random: Random;
  log: Log;
  resources: readonly ResourceDeclaration[];
  /** Asked in order; in-process users need none. */
  authenticators: readonly Authenticator[];
  /** What may be asked for without credentials, before authorization. Default: everything. */
  anonymous?: AnonymousAccess;
  authorizer: Authorizer;
  /** What a user may do in a namespace, for SelfSubjectRulesReview. Default: it is said to be unknown. */
  rulesOf?: ServerParts['rulesOf'];
  /** The plug-ins in Kubernetes' order. A function gives all of them; before a list comes namespace lifecycle. Default: no others. */
  admission?: readonly AdmissionPlugin[] | ((view: ClusterView) => readonly AdmissionPlugin[]);
  /** Default: log, exec and the like answer with 503. */
  kubelet?: KubeletConnection;
  /** The certificate that aggregated API servers know this one by. */
  frontProxy?: FrontProxy;
  /** Absent: no proxy is believed. */
  requestHeader?: RequestHeaderOptions;
  /** Absent: service accounts have no tokens. */
  serviceAccountTokens?: ServiceAccountTokens;
  /** Services' addresses come from here. Default 10.96.0.0/12. */
  serviceClusterIpRange?: string;
  /** Where the `kubernetes` service leads: an address that pods and nodes reach. Absent: the service has no endpoints. */
  advertiseAddress?: string;
  /** Default: as of Kubernetes 1.36. */
  version?: VersionInfo;
  /** Absent: nothing is recorded. */
  audit?: AuditOptions;
  healthChecks?: readonly HealthCheck[];
  /** What the server was started with, as /flagz shows it. */
  flags?: Readonly<Record<string, string>>;
  /** Files that `/logs/` shows. Absent: there is no `/logs/`. */
  logDirectory?: string;
  /** Serve paths outside of /api and /apis. */
  paths?: readonly PathHandler[];
  /** Requests that read, and that write; their sum is the seats that priority levels share. Default 400 and 200. */
  maxRequestsInFlight?: { readOnly: number; mutating: number };
  requestTimeoutMs?: number;
  /** How long events are kept after they were last written. Default 3600. */
  eventTtlSeconds?: number;
  /** Metrics that are not shown, and labels that are not told apart. */
  metricsSettings?: MetricsSettings;
  /** Watches last from this long to twice as long, unless they ask for another time. Default 1800. */
  watchSecondsMin?: number;
  /** How long a server that is closed goes on as before, but for not being ready. Default 0. */
  shutdownDelaySeconds?: number;
  /** Of Strict-Transport-Security. Absent: no such header. */
  strictTransportSecurity?: readonly string[];
  /** Regular expressions of origins whose pages may read answers. Default none. */
  corsAllowedOrigins?: readonly string[];
  /** Called once the caches are filled; the server is ready when all have resolved. */
  begin?: readonly ((server: ServerParts) => Promise<void> | void)[];
}

export interface ApiServer {
  /** Requests without sockets, in the name of `user`. */
  transport(user: UserInfo): Transport;
  listen(options: ListenOptions): Promise<{ port: number }>;
  /** Resolves once the caches are filled and the bootstrap objects are there. */
  ready(): Promise<void>;
  readonly resources: ResourceTable;
  /** What /metrics says. */
  readonly metrics: MetricsRegistry;
  /** Ends watches, lets requests finish for `graceSeconds`, then closes connections. Idempotent. */
  close(graceSeconds?: number): Promise<void>;
}

export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { clock, random, log } = options;
  const inFlight = { readOnly: 0, mutating: 0 };
  const metrics = new Metrics(
    {
      objectCounts: () =>
        resources.all.flatMap(({ kind, cache, declaration }) => (declaration.handler ? [] : [[kind, cache.size, cache.bytes]])) as [
          never,
          number,
          number,
        ][],
      inFlight: () => inFlight,
      storeBytes: () => options.store.sizeBytes(),
      buildInfo: buildInfoOf(options.version ?? defaultVersion),
    },
    options.metricsSettings,
  );
  const store = measuredStore(options.store, clock, metrics.registry);
  const feed = new StoreFeed({ store, clock, log });
  const view = new ClusterView(() => resources, { registry: metrics.registry, clock });
  const plugins =
    typeof options.admission === 'function'
      ? options.admission(view)
      : [namespaceLifecycle((name) => view.get(namespaces, '', name)), ...(options.admission ?? [])];
  const admission = new AdmissionChain(plugins, { metrics: new AdmissionMetrics(metrics.registry), clock });
  const serviceAllocation = new ServiceAllocation({
    addresses: new Reservations(store, clock, 'serviceips'),
    ports: new Reservations(store, clock, 'servicenodeports'),
    clusterIpRange: options.serviceClusterIpRange ?? '10.96.0.0/12',
    random,
  });
  const hooks = new Map([['/v1/services', serviceAllocation]]);
  const resources: ResourceTable = new ResourceTable({ store, feed, clock, random, admission, hooks });
  const flowMetrics = new FlowMetrics(metrics.registry, clock);
  const { maxRequestsInFlight, requestTimeoutMs = 60_000, watchSecondsMin = 1800, shutdownDelaySeconds = 0 } = options;
  const flowControl = new FlowControl({
    clock,
    metrics: flowMetrics,
    seats: (maxRequestsInFlight?.readOnly ?? 400) + (maxRequestsInFlight?.mutating ?? 200),
    stored({ group, version, resource }) {
      const cache = resources.find(group, version, resource)?.cache;
      return cache && { count: cache.size, bytes: cache.bytes };
    },
  });
  const openWatches = new Set<() => void>();
  const { kubelet, serviceAccountTokens, requestHeader } = options;
  const server: ServerParts = {
    store,
    clock,
    random,
    log,
    feed,
    resources,
    admission,
    view,
    metrics,
    cacheMetrics: new CacheMetrics(metrics.registry, () => resources.all.filter(({ declaration }) => !declaration.handler)),
    openWatches,
    watchSecondsMin,
    kubelet,
    serviceAccountTokens,
    authenticators: options.authenticators,
    authorizer: options.authorizer,
    rulesOf: options.rulesOf,
  };
  serviceAccountTokens?.attach(resources);
  let address = `${options.advertiseAddress ?? '127.0.0.1'}:443`;
  /** Not ready any more, but still serving; then only finishing what was begun. */
  let isLeaving = false;
  let isClosing = false;
  const health = new HealthChecks({ store, feed, isShuttingDown: () => isLeaving, others: options.healthChecks ?? [] });

  const authenticators = [...(requestHeader ? [requestHeaderAuthenticator(requestHeader)] : []), ...options.authenticators];
  // Outermost first: what a request passes on its way in, and its answer on its way out.
  const filters: Filter[] = [
    requestInfo,
    measure(metrics, clock, resources),
    auditId(random),
    renderErrors(log),
    shuttingDown(() => isClosing),
    ...(options.strictTransportSecurity?.length ? [strictTransportSecurity(options.strictTransportSecurity)] : []),
    ...(options.corsAllowedOrigins?.length ? [cors(options.corsAllowedOrigins)] : []),
    measuredAuthentication(
      authenticate(authenticators, { anonymous: options.anonymous, proxyCa: requestHeader?.ca }),
      clock,
      metrics.registry,
    ),
    impersonate(options.authorizer),
    ...(options.audit ? [audit(measuredAudit(options.audit, metrics.registry), clock)] : []),
    deadline(clock, requestTimeoutMs),
    priorityAndFairness({ flowControl, metrics: flowMetrics, clock, inFlight, requestTimeoutMs }),
    authorize(measuredAuthorizer(options.authorizer, clock, metrics.registry)),
  ];

  const aggregator = new Aggregator(server, options.frontProxy);
  const discovery = new DiscoveryHandler({ resources, serverAddress: () => address, aggregator, registry: metrics.registry });
  const version = options.version ?? defaultVersion;
  const { logDirectory } = options;
  const pathOperations = pathOperationsOf({ issuesTokens: serviceAccountTokens !== undefined, servesLogs: logDirectory !== undefined });
  const paths = [
    openApiPaths(resources, { clock, version: version.gitVersion, pathOperations, aggregator }),
    ...(serviceAccountTokens ? [tokenIssuerPaths(serviceAccountTokens, () => address)] : []),
    ...(logDirectory ? [logPaths(logDirectory)] : []),
    zPages({ clock, random, version, flags: options.flags ?? {}, paths: () => rootPaths({ ...listed, remote: aggregator.remote }) }),
    flowControlDumps(flowControl, () => ({ wall: clock.nowMs(), monotonic: clock.monotonicMs() })),
    ...(options.paths ?? []),
  ];
  const pathNames = [
    '/openapi/v2',
    '/openapi/v3',
    '/openapi/v3/',
    '/statusz',
    '/flagz',
    ...(serviceAccountTokens ? ['/.well-known/openid-configuration', '/openid/v1/jwks'] : []),
    ...(logDirectory ? ['/logs'] : []),
  ];
  const listed = { resources, checks: health.all, others: pathNames };
  const handle = chain(filters, dispatch({ server, discovery, aggregator, checks: health.all, version, paths, pathNames }));
  const koa = new Koa<ApiState>();
  koa.use(async (ctx) => {
    ctx.state.exchange = new HttpExchange(ctx.req, ctx.res);
    await handle(ctx);
    // Written together with its headers, a large body would be copied once more.
    if (Buffer.isBuffer(ctx.body) && ctx.body.length > largeBodyBytes && !ctx.headerSent) ctx.flushHeaders();
  });
  koa.on('error', (error: Error & { code?: string }) => {
    // A client that goes away in the middle of an answer is no failure of ours.
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') {
      log.error('an answer could not be sent', { error: error.stack ?? String(error) });
    }
  });

  for (const declaration of options.resources) await resources.add(declaration);
  await feed.start();
  const customResources = resources.ofKind(customResourceDefinitions)
    ? new CustomResources({ resources, clock, log, random, view })
    : undefined;
  await customResources?.start();
  health.finished('crd-informer-synced');
  const flowConfiguration = followConfiguration(server, flowControl, localTransport(koa, handle, apiServerUser));
  const flowMaintenance = maintainBootstrap(server);
  const eventExpiry = expireEvents(server, options.eventTtlSeconds ?? 3600);
  const readiness = createBootstrapObjects(server, serviceAllocation)
    .then(() => health.finished('scheduling/bootstrap-system-priority-classes'))
    .then(() => restoreBootstrap(server))
    .then(() => health.finished('priority-and-fairness-config-producer'))
    .then(() => flowConfiguration.refresh())
    .then(() => health.finished('priority-and-fairness-config-consumer'))
    .then(() => Promise.all((options.begin ?? []).map((begin) => begin(server))))
    .then(() => {
      health.finished('rbac/bootstrap-roles');
      aggregator.start();
      health.finished('apiservice-registration-controller');
    });
  readiness.catch((error: unknown) => log.error('bootstrap objects could not be made', { error: String(error) }));
  const bookmarks = startBookmarks(server);
  const compactor = startCompactor({ store, clock, log });
  let published: PublishedAddress | undefined;
  const listeners = new Listeners({ koa, handle, clock, log, authorities: requestHeader ? [requestHeader.ca] : [] });

  return {
    transport: (user) => localTransport(koa, handle, user),
    resources,
    metrics: metrics.registry,
    ready: () => readiness,
    async listen(listening) {
      const bound = await listeners.listen(listening);
      address = `${options.advertiseAddress ?? listening.host}:${bound}`;
      const { advertiseAddress } = options;
      if (advertiseAddress === '::1' || advertiseAddress?.startsWith('127.')) {
        // Pods and other nodes would find themselves there; endpoints may not hold such addresses.
        log.warn('a loopback address is not put behind the kubernetes service', { address: advertiseAddress });
      } else if (advertiseAddress) {
        published = new PublishedAddress(server, { host: advertiseAddress, port: bound });
        await readiness.then(() => published?.publish());
      }
      return { port: bound };
    },
    async close(graceSeconds = 5) {
      if (isLeaving) return;
      isLeaving = true;
      await published?.withdraw();
      // Whoever sends requests here is to find out that this server is no longer ready, and go elsewhere.
      if (shutdownDelaySeconds > 0) await new Promise<void>((resolve) => clock.setTimer(shutdownDelaySeconds * 1000, resolve));
      isClosing = true;
      await aggregator.close();
      bookmarks.stop();
      compactor.stop();
      flowControl.close();
      flowConfiguration.close();
      flowMaintenance.close();
      eventExpiry.close();
      customResources?.close();
      await listeners.close(graceSeconds, () => {
        for (const end of [...openWatches]) end();
      });
      feed.close();
    },
  };
}

const largeBodyBytes = 256 << 10;

const bookmarkPeriodMs = 60_000;

/** Tells the watches that asked for it, once a minute, how far they have come. */
function startBookmarks(server: ServerParts): { stop(): void } {
  let timer = server.clock.setTimer(bookmarkPeriodMs, tick);
  function tick(): void {
    for (const { channels } of server.resources.all)
      for (const channel of channels.values()) if (channel.wantsBookmarks) channel.bookmark();
    timer = server.clock.setTimer(bookmarkPeriodMs, tick);
  }
  return { stop: () => timer.cancel() };
}
