// Aggregated API servers: group versions that an APIService leaves to a service. Looks after the API services (which can
// be reached, and one for each group version served here), and passes requests on.

import { customResourceDefinitions } from '../../api/apiextensions.ts';
import { type ApiService, apiServices } from '../../api/apiregistration.ts';
import { services } from '../../api/core.ts';
import { endpointSlices } from '../../api/discovery.ts';
import { isStatus, StatusError } from '../../api/status.ts';
import { timestamp } from '../../base/clock.ts';
import { type ApiContext, send } from '../context.ts';
import type { ApiResource, RemoteVersion } from '../discovery/documents.ts';
import { reportedVerb, scopeOf } from '../filters/measure.ts';
import type { ServerParts } from '../handlers/handler.ts';
import { proxyRequest } from '../handlers/proxy-request.ts';
import { apiServerUser } from '../registry/bootstrap.ts';
import type { WriteRequest } from '../registry/registry.ts';
import { customApiService } from '../resources/apiservices.ts';
import { type Address, resolveService, slicesOf } from '../service-resolver.ts';
import { registerApiServices } from './auto-register.ts';
import { type Availability, failedDiscovery, local, passed, unreachable } from './availability.ts';
import { AvailabilityMetrics } from './availability-metrics.ts';
import { ask, askFor, documentReader, type FrontProxy, identityHeaders, targetOf } from './remote.ts';
import { RemoteOpenApi } from './remote-openapi.ts';

const lookMs = 1_000;
/** What nothing has changed about is asked again so often. */
const recheckMs = 30_000;
const request: WriteRequest = { namespace: '', user: apiServerUser, dryRun: false, warn: () => {} };

export class Aggregator {
  readonly #server: ServerParts;
  readonly #frontProxy: FrontProxy | undefined;
  readonly #metrics: AvailabilityMetrics;
  /** What the servers said they have, by API service. */
  readonly #known = new Map<string, ApiResource[]>();
  #remote: readonly RemoteVersion[] = [];
  #seen = '';
  #checkedMs = 0;
  #recheckMs = recheckMs;
  #retryMs = lookMs;
  #isClosed = false;
  #cancel = () => {};
  #round: Promise<void> = Promise.resolve();
  /** What they publish of their OpenAPI. */
  readonly openApi = new RemoteOpenApi();
  /** Grows with every change of `remote`. */
  generation = 0;

  constructor(server: ServerParts, frontProxy: FrontProxy | undefined) {
    this.#server = server;
    this.#frontProxy = frontProxy;
    this.#metrics = new AvailabilityMetrics(server.metrics.registry);
  }

  /** The group versions that other servers answer for. */
  get remote(): readonly RemoteVersion[] {
    return this.#remote;
  }

  start(): void {
    if (this.#isClosed || !this.#server.resources.ofKind(apiServices)) return;
    const look = () => {
      this.#round = this.#look()
        .catch((error: unknown) => this.#server.log.warn('API services could not be looked after', { error: String(error) }))
        .finally(() => {
          if (!this.#isClosed) this.#cancel = this.#timer(look);
        });
    };
    this.#cancel = this.#timer(look);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#round;
  }

  /** Passes a request on to the server that answers for its group version; false: there is none. */
  async serve(ctx: ApiContext): Promise<boolean> {
    const { info, query, user } = ctx.state;
    const [, group, named] = /^(?:\/openapi\/v3)?\/apis\/([^/]+)(?:\/([^/]+)|$)/.exec(info.path) ?? [];
    // A group's own document is any of its servers' to give.
    const version = named ?? (info.path.startsWith('/openapi/') ? this.#remote.find((each) => each.group === group)?.version : undefined);
    if (group === undefined || version === undefined) return false;
    const { view, random, resources } = this.#server;
    if (!resources.ofKind(apiServices)) return false;
    const found = view.get(apiServices, '', `${version}.${group}`);
    const apiService = found instanceof Promise ? await found : found;
    const service = apiService?.spec?.service;
    if (!apiService || !service) return false;
    try {
      if (conditionOf(apiService)?.status !== 'True') throw unavailable();
      const reference = { namespace: service.namespace ?? '', name: service.name ?? '', port: service.port ?? 443 };
      const address = await resolveService(view, random, reference).catch((error: unknown) => {
        throw error instanceof StatusError ? unavailable() : error;
      });
      const target = targetOf(apiService, address, `${info.path}${query.size ? `?${query}` : ''}`, this.#frontProxy);
      await proxyRequest(ctx, target, { identity: identityHeaders(user), refusesRedirects: true });
    } catch (error) {
      if (!(error instanceof StatusError) || ctx.headerSent) throw error;
      // In plain text, as Kubernetes says it: the answer is none of an API.
      ctx.set('X-Content-Type-Options', 'nosniff');
      send(ctx, 503, 'text/plain; charset=utf-8', `${error.message}\n`);
      this.#server.metrics.requestTerminated({ ...info, verb: reportedVerb(ctx.method, info), scope: scopeOf(info) }, 'aggregator', 503);
    }
    return true;
  }

  #timer(run: () => void): () => void {
    const timer = this.#server.clock.setTimer(lookMs, run);
    return () => timer.cancel();
  }

  async #look(): Promise<void> {
    const { resources, clock, view } = this.#server;
    const changes = [apiServices, services, endpointSlices].map((kind) => resources.ofKind(kind)?.cache.lastChange);
    const seen = [resources.generation, ...changes].join();
    const isDue = clock.monotonicMs() - this.#checkedMs >= this.#recheckMs;
    if (seen === this.#seen && !isDue) return;
    this.#seen = seen;
    this.#checkedMs = clock.monotonicMs();
    await this.#registerCustom();
    const checked = await Promise.all(
      view.list(apiServices).map(async (apiService) => [apiService.metadata?.name ?? '', await this.#check(apiService)] as const),
    );
    this.#metrics.set(new Map(checked));
    // What cannot be reached is tried again soon, and then less and less often.
    const isWhole = checked.every(([, isAvailable]) => isAvailable);
    if (isWhole) this.#retryMs = lookMs;
    this.#recheckMs = isWhole ? recheckMs : this.#retryMs;
    this.#retryMs = Math.min(recheckMs, this.#retryMs * 2);
    this.#publish();
  }

  /** Every group version of custom resources has its API service; those that have gone lose theirs. */
  async #registerCustom(): Promise<void> {
    const { resources, view } = this.#server;
    const registry = resources.ofKind(apiServices)?.registry;
    if (!registry) return;
    const served = view
      .list(customResourceDefinitions)
      .filter(({ metadata, status }) => !metadata?.deletionTimestamp && status?.conditions?.some(isEstablished))
      .flatMap(({ spec }) => spec.versions.filter(({ served }) => served).map(({ name }) => customApiService(spec.group, name)));
    const desired = [...new Map(served.map((service) => [service.metadata?.name, service])).values()];
    await registerApiServices(registry, view.list(apiServices), { desired, management: 'true', request });
  }

  /** Whether it is available. */
  async #check(apiService: ApiService): Promise<boolean> {
    const found = apiService.spec?.service ? await this.#availabilityOf(apiService) : local;
    const isAvailable = found.status === 'True';
    const before = conditionOf(apiService);
    if (before && before.status === found.status && before.reason === found.reason && before.message === found.message) return isAvailable;
    if (!isAvailable && before?.status === 'True') this.#metrics.lost(apiService.metadata?.name ?? '', found.reason);
    const { clock, resources } = this.#server;
    const registry = resources.ofKind(apiServices)?.registry;
    const lastTransitionTime = before?.status === found.status ? before.lastTransitionTime : timestamp(clock);
    const condition = { type: 'Available', ...found, lastTransitionTime };
    const produce = (current: ApiService | undefined) => {
      const others = (current?.status?.conditions ?? []).filter(({ type }) => type !== 'Available');
      return { ...current, status: { ...current?.status, conditions: [...others, condition] } };
    };
    const strategy = registry?.statusStrategy;
    await registry?.update(apiService.metadata?.name ?? '', request, produce, strategy ? { strategy } : {}).catch((error: unknown) => {
      if (!isStatus(error, 'NotFound')) throw error;
    });
    return isAvailable;
  }

  async #availabilityOf(apiService: ApiService): Promise<Availability> {
    const { view, random } = this.#server;
    const { group = '', version = '', service } = apiService.spec ?? {};
    const reference = { namespace: service?.namespace ?? '', name: service?.name ?? '', port: service?.port ?? 443 };
    const problem = unreachable(apiService, await view.get(services, reference.namespace, reference.name), slicesOf(view, reference));
    if (problem) return problem;
    try {
      const address = await resolveService(view, random, reference);
      const answer = await askFor(targetOf(apiService, address, `/apis/${group}/${version}`, this.#frontProxy));
      this.#known.set(apiService.metadata?.name ?? '', resourcesIn(answer));
      await this.#readDocuments(apiService, address);
      return passed;
    } catch (error) {
      return failedDiscovery(error instanceof Error ? error.message : String(error));
    }
  }

  /** A server without documents, or one that is slow to give them, is available all the same. */
  async #readDocuments(apiService: ApiService, address: Address): Promise<void> {
    const { group = '', version = '' } = apiService.spec ?? {};
    const at = (path: string, etag?: string) => ask(targetOf(apiService, address, path, this.#frontProxy), { user: documentReader, etag });
    try {
      await this.openApi.refresh(apiService.metadata?.name ?? '', { group, version }, at);
    } catch (error) {
      this.#server.log.debug('an API service publishes no OpenAPI', { name: apiService.metadata?.name, error: String(error) });
    }
  }

  #publish(): void {
    const remote = this.#server.view
      .list(apiServices)
      .filter(({ spec }) => spec?.service)
      .map((apiService): RemoteVersion => {
        const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0 } = apiService.spec ?? {};
        const resources = this.#known.get(apiService.metadata?.name ?? '') ?? [];
        const isCurrent = conditionOf(apiService)?.status === 'True';
        return { group, version, groupPriority: groupPriorityMinimum, versionPriority, resources, isCurrent };
      });
    this.openApi.keepOnly(new Set(remote.map(({ group, version }) => `${version}.${group}`)));
    if (JSON.stringify(remote) === JSON.stringify(this.#remote)) return;
    this.#remote = remote;
    this.generation++;
  }
}

const unavailable = () => new StatusError('ServiceUnavailable', 'service unavailable');
const isEstablished = ({ type, status }: { type: string; status: string }) => type === 'Established' && status === 'True';
const conditionOf = ({ status }: ApiService) => status?.conditions?.find(({ type }) => type === 'Available');

/** The resources of an APIResourceList; none where the answer is something else. */
function resourcesIn(answer: unknown): ApiResource[] {
  const { resources } = (typeof answer === 'object' && answer !== null ? answer : {}) as { resources?: unknown };
  if (!Array.isArray(resources)) return [];
  return resources.filter(
    (each: Partial<ApiResource> | null) => typeof each?.name === 'string' && typeof each.kind === 'string' && Array.isArray(each.verbs),
  ) as ApiResource[];
}
