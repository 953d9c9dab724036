// Serves what custom resource definitions define: follows the definitions in the cache, gives them their names, adds and
// removes their resources in the table, and empties those that are being deleted. Works from the state, one pass at a
// time, so that any number of servers may do it side by side.

import {
  type CustomResourceDefinition,
  type CustomResourceVersion,
  customResourceCleanupFinalizer,
  customResourceDefinitions,
} from '../../api/apiextensions.ts';
import { conditionOf, isConditionTrue, withCondition } from '../../api/conditions.ts';
import { stringifyJson } from '../../api/json.ts';
import { everything } from '../../api/labels.ts';
import { isStatus } from '../../api/status.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { KubeObject, ObjectMeta } from '../../api/wire.ts';
import { type Clock, type Timer, timestamp } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { ClusterView } from '../admission/cluster-view.ts';
import { WebhookClient } from '../admission/webhooks/webhook-client.ts';
import type { WriteRequest } from '../registry/registry.ts';
import type { ResourceTable, Served } from '../registry/resource-table.ts';
import { acceptNames } from './accepted-names.ts';
import { conversionWebhook } from './conversion-webhook.ts';
import { type CustomResourceOptions, customResource } from './custom-resource.ts';

export interface CustomResourcesOptions {
  resources: ResourceTable;
  clock: Clock;
  log: Log;
  random: Random;
  /** Where conversion webhooks' services are found. */
  view: ClusterView;
}

const retryDelayMs = 1000;
const user = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };
const request: WriteRequest = { namespace: '', user, dryRun: false, warn: () => undefined };

export class CustomResources {
  readonly #resources: ResourceTable;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #random: Random;
  readonly #view: ClusterView;
  readonly #webhooks: WebhookClient;
  readonly #leave: () => void;
  /** What is served of each definition, by its name: the state it was made from, and the versions. */
  readonly #served = new Map<string, { state: string; versions: Served[] }>();
  readonly #terminating = new Set<string>();
  readonly #due = new Set<string>();
  readonly #definitions: Served;
  #running: Promise<void> | undefined;
  #retry: Timer | undefined;
  #isClosed = false;

  /** The table serves definitions already. */
  constructor({ resources, clock, log, random, view }: CustomResourcesOptions) {
    this.#resources = resources;
    this.#clock = clock;
    this.#log = log;
    this.#random = random;
    this.#view = view;
    this.#webhooks = new WebhookClient({ view, clock, random });
    const served = resources.ofKind(customResourceDefinitions);
    if (!served) throw new Error('custom resource definitions are not served');
    this.#definitions = served;
    const { cache } = served;
    this.#leave = cache.listen({
      change: ({ after, before }) => this.#mark((after ?? before)?.name),
      expired: () => this.#markAll(),
    });
  }

  /** Serves everything that is defined now; resolves once that is so. */
  async start(): Promise<void> {
    for (const { name } of this.#all()) this.#due.add(name);
    await this.#run();
  }

  close(): void {
    this.#isClosed = true;
    this.#leave();
    this.#retry?.cancel();
  }

  #all() {
    return this.#definitions.cache.list({ namespace: '', name: '', labels: everything, fields: [] });
  }

  #mark(name: string | undefined): void {
    if (name === undefined || this.#isClosed) return;
    this.#due.add(name);
    this.#kick();
  }

  #markAll(): void {
    // Told before the cache is filled anew: the work begins when it is.
    for (const name of this.#served.keys()) this.#due.add(name);
    this.#retryLater();
  }

  #kick(): void {
    this.#run().catch((error: unknown) => this.#log.error('custom resources could not be served', { error: String(error) }));
  }

  #run(): Promise<void> {
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
      if (this.#due.size > 0 && !this.#retry) this.#kick();
    });
    return this.#running;
  }

  async #work(): Promise<void> {
    for (let name = first(this.#due); name !== undefined && !this.#isClosed; name = first(this.#due)) {
      this.#due.delete(name);
      try {
        await this.#settle(name);
      } catch (error) {
        if (this.#isClosed) return;
        this.#log.warn('a custom resource definition is tried again', { name, error: String(error) });
        this.#due.add(name);
        this.#retryLater();
        return;
      }
    }
  }

  #retryLater(): void {
    this.#retry ??= this.#clock.setTimer(retryDelayMs, () => {
      this.#retry = undefined;
      for (const { name } of this.#all()) this.#due.add(name);
      this.#kick();
    });
  }

  async #settle(name: string): Promise<void> {
    const { cache, registry } = this.#definitions;
    const stored = cache.get(registry.codec.keyOf('', name));
    if (!stored) {
      this.#stop(name);
      this.#reconsider(name);
      return;
    }
    const definition = stored.parse() as CustomResourceDefinition;
    const status = acceptNames(definition, this.#view.list(customResourceDefinitions), timestamp(this.#clock));
    const isAccepted = semanticEqual(status, definition.status ?? {});
    if (!isAccepted) {
      // The resource is served before it says that it is, so that whoever waits for that finds it.
      await this.#serve({ ...definition, status });
      await this.#writeStatus(name, status);
      if (!semanticEqual(status.acceptedNames, definition.status?.acceptedNames)) this.#reconsider(name);
      return;
    }
    await this.#serve(definition);
    if (definition.metadata?.deletionTimestamp && definition.metadata.finalizers?.includes(customResourceCleanupFinalizer))
      await this.#empty(definition);
  }

  /** Names in the group of `changed` may have become free: whoever wanted them is looked at again. */
  #reconsider(changed: string): void {
    const group = changed.slice(changed.indexOf('.') + 1);
    for (const { metadata, spec, status } of this.#view.list(customResourceDefinitions))
      if (spec.group === group && metadata?.name !== changed && !isConditionTrue(status?.conditions, 'NamesAccepted'))
        this.#due.add(metadata?.name ?? '');
  }

  async #writeStatus(name: string, status: NonNullable<CustomResourceDefinition['status']>): Promise<void> {
    const { registry } = this.#definitions;
    try {
      await registry.update(
        name,
        request,
        (old) => ({ ...(old as KubeObject), status: { ...(old as CustomResourceDefinition).status, ...status } }),
        {
          strategy: registry.statusStrategy,
        },
      );
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }

  async #serve(definition: CustomResourceDefinition): Promise<void> {
    const name = definition.metadata?.name as string;
    if (!isConditionTrue(definition.status?.conditions, 'Established')) {
      this.#stop(name);
      return;
    }
    const { spec, status, metadata } = definition;
    // That it is being deleted ends no watch: whoever watches is told of the objects that go.
    if (metadata?.deletionTimestamp) this.#terminating.add(name);
    else this.#terminating.delete(name);
    const state = stringifyJson([spec, status?.acceptedNames, metadata?.uid]);
    const before = this.#served.get(name);
    if (before?.state === state) return;
    const versions: Served[] = [];
    const options = this.#optionsOf(definition);
    for (const version of spec.versions.filter(({ served }) => served)) {
      const { declaration, schema } = customResource(definition, version, options);
      versions.push(await this.#resources.add(declaration, schema));
    }
    for (const { kind } of before?.versions ?? []) {
      const isStillServed = versions.some((served) => served.kind.version === kind.version && served.kind.plural === kind.plural);
      if (!isStillServed) this.#resources.remove(kind);
    }
    this.#served.set(name, { state, versions });
  }

  #stop(name: string): void {
    for (const { kind } of this.#served.get(name)?.versions ?? []) this.#resources.remove(kind);
    this.#served.delete(name);
    this.#terminating.delete(name);
  }

  /** Deletes the objects of a definition that is being deleted; when none are left the definition may go. */
  async #empty(definition: CustomResourceDefinition): Promise<void> {
    const name = definition.metadata?.name as string;
    if (
      !isConditionTrue(definition.status?.conditions, 'Terminating') ||
      conditionOf(definition.status?.conditions, 'Terminating')?.reason === 'InstanceDeletionPending'
    )
      await this.#writeStatus(
        name,
        terminating(definition, 'InstanceDeletionInProgress', 'CustomResource deletion is in progress', this.#clock),
      );
    if (isConditionTrue(definition.status?.conditions, 'Established') && (await this.#deleteInstances(definition)) > 0) {
      this.#retryLater();
      return;
    }
    const { registry } = this.#definitions;
    try {
      await registry.update(name, request, (old) => {
        const meta = (old as KubeObject).metadata as ObjectMeta;
        meta.finalizers = (meta.finalizers ?? []).filter((finalizer) => finalizer !== customResourceCleanupFinalizer);
        return old as KubeObject;
      });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }

  /** How many there are left. They are deleted in the stored version, which is served for that alone when nobody else is. */
  async #deleteInstances(definition: CustomResourceDefinition): Promise<number> {
    const name = definition.metadata?.name as string;
    const stored = definition.spec.versions.find(({ storage }) => storage);
    const listed = this.#served.get(name)?.versions.find(({ kind }) => kind.version === stored?.name);
    if (!stored) return 0;
    const served = listed ?? (await this.#unlisted(definition, stored));
    let left = 0;
    try {
      await served.conversion?.caughtUp(this.#definitions.cache.revision);
      for (const { namespace, name: each } of served.cache.list({ namespace: '', name: '', labels: everything, fields: [] })) {
        try {
          const { isGone } = await served.registry.delete(each, { ...request, namespace }, {});
          if (!isGone) left++;
        } catch (error) {
          if (!isStatus(error, 'NotFound')) throw error;
        }
      }
    } catch (error) {
      const why = `could not list instances: ${error instanceof Error ? error.message : String(error)}`;
      await this.#writeStatus(name, terminating(definition, 'InstanceDeletionFailed', why, this.#clock));
      throw error;
    } finally {
      if (!listed) this.#resources.retire(served);
    }
    return left;
  }

  async #unlisted(definition: CustomResourceDefinition, version: CustomResourceVersion): Promise<Served> {
    const { declaration, schema } = customResource(definition, version, this.#optionsOf(definition));
    return this.#resources.unlisted(declaration, schema);
  }

  #optionsOf(definition: CustomResourceDefinition): CustomResourceOptions {
    const name = definition.metadata?.name ?? '';
    const convert = this.#converterOf(definition);
    return { isTerminating: () => this.#terminating.has(name), ...(convert ? { convert } : {}) };
  }

  #converterOf(definition: CustomResourceDefinition) {
    if (definition.spec.conversion?.strategy !== 'Webhook') return undefined;
    return conversionWebhook(definition, { client: this.#webhooks, random: this.#random });
  }
}

function terminating({ status }: CustomResourceDefinition, reason: string, message: string, clock: Clock) {
  const condition = { type: 'Terminating', status: 'True', reason, message, lastTransitionTime: timestamp(clock) };
  return { ...status, conditions: withCondition(status?.conditions, condition) };
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  for (const item of set) return item;
  return undefined;
}
