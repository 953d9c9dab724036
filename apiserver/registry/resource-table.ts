// Everything that is served now: each declaration with its registry and cache. Custom resources come and go while the
// server runs.

import { apiVersionOf, type Kind } from '../../api/kind.ts';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Store } from '../../store/store.ts';
import type { AdmissionChain } from '../admission/admission.ts';
import { ConvertedFeed } from '../cache/converted-feed.ts';
import type { StoreFeed } from '../cache/store-feed.ts';
import { WatchCache } from '../cache/watch-cache.ts';
import type { WatchChannel } from '../cache/watch-channel.ts';
import type { ResourceDeclaration } from '../resources/resource.ts';
import type { ObjectNode } from '../schema/node.ts';
import { schemaOf } from '../schema/schema.ts';
import { ObjectCodec } from './object-codec.ts';
import { Registry } from './registry.ts';
import type { WriteHook } from './write-hook.ts';

export interface Served {
  readonly declaration: ResourceDeclaration;
  readonly kind: Kind;
  readonly schema: ObjectNode;
  readonly registry: Registry;
  readonly cache: WatchCache;
  /** Stands before the cache when a webhook converts to this version. */
  readonly conversion?: ConvertedFeed;
  readonly verbs: ReadonlySet<string>;
  /** Watches that are open, by what they ask for. */
  readonly channels: Map<string, WatchChannel>;
}

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

export interface ResourceTableOptions {
  store: Store;
  feed: StoreFeed;
  clock: Clock;
  random: Random;
  admission: AdmissionChain;
  /** By `group/version/plural`. */
  hooks: ReadonlyMap<string, WriteHook>;
}

export class ResourceTable {
  readonly #options: ResourceTableOptions;
  readonly #served = new Map<string, Served>();
  #generation = 0;

  constructor(options: ResourceTableOptions) {
    this.#options = options;
  }

  /** Changes whenever what is served does: whoever derives documents from the declarations may keep them until then. */
  get generation(): number {
    return this.#generation;
  }

  find(group: string, version: string, plural: string): Served | undefined {
    return this.#served.get(`${group}/${version}/${plural}`);
  }

  ofKind(kind: Kind): Served | undefined {
    return this.find(kind.group, kind.version, kind.plural);
  }

  get all(): Served[] {
    return [...this.#served.values()];
  }

  get declarations(): ResourceDeclaration[] {
    return this.all.map((served) => served.declaration);
  }

  /**
   * Serves a kind, in place of an earlier declaration of it, whose watches end; resolves once it can be read. `schema` is
   * that of a custom resource.
   */
  async add(declaration: ResourceDeclaration, schema?: ObjectNode): Promise<Served> {
    const served = await this.unlisted(declaration, schema);
    const { kind } = declaration;
    const replaced = this.ofKind(kind);
    this.#served.set(`${kind.group}/${kind.version}/${kind.plural}`, served);
    this.#generation++;
    if (replaced) this.retire(replaced);
    return served;
  }

  /** A kind that can be read and written here but is not served; whoever asked for it retires it. */
  async unlisted(declaration: ResourceDeclaration, schema?: ObjectNode): Promise<Served> {
    const { kind } = declaration;
    const node = schema ?? schemaOf(kind.group, kind.version, kind.kind);
    if (!node) throw new Error(`no schema for ${apiVersionOf(kind)} ${kind.kind}`);
    const codec = new ObjectCodec(declaration);
    const { feed, clock } = this.#options;
    const conversion = codec.isConverted ? new ConvertedFeed({ codec, feed, clock }) : undefined;
    const cache = new WatchCache(codec, conversion ?? feed);
    conversion?.lead(cache);
    const hook = this.#options.hooks.get(`${kind.group}/${kind.version}/${kind.plural}`);
    const registry = new Registry({ ...this.#options, declaration, codec, cache, hook });
    const verbs = new Set(declaration.verbs ?? allVerbs);
    const served: Served = {
      declaration,
      kind,
      schema: node,
      registry,
      cache,
      verbs,
      channels: new Map(),
      ...(conversion ? { conversion } : {}),
    };
    await feed.add(conversion ?? cache);
    return served;
  }

  /** Ends serving a kind; its watches end. What is stored stays. */
  remove(kind: Kind): void {
    const served = this.ofKind(kind);
    if (!served) return;
    this.#served.delete(`${kind.group}/${kind.version}/${kind.plural}`);
    this.#generation++;
    this.retire(served);
  }

  /** Ends a kind's watches and what follows the store for it. */
  retire(served: Served): void {
    this.#options.feed.remove(served.conversion ?? served.cache);
    served.conversion?.close();
    served.cache.expire();
  }
}
