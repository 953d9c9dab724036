// What plug-ins may know of the cluster: objects from the watch caches, parsed once per version and shared.

import type { Registry } from 'prom-client';
import { apiVersionOf, type Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { Clock } from '../../base/clock.ts';
import type { StoredObject } from '../registry/object-codec.ts';
import type { ResourceTable } from '../registry/resource-table.ts';

interface Listing {
  lastChange: number;
  byNamespace: Map<string, readonly KubeObject[]>;
}

/** Objects given out are shared: never mutate them. A kind that is not served has no objects. */
export class ClusterView {
  readonly #resources: () => ResourceTable;
  readonly #parsed = new WeakMap<StoredObject, KubeObject>();
  readonly #listings = new Map<string, Listing>();

  /** Where plug-ins measure what they do; undefined where nobody looks. */
  readonly measures: { readonly registry: Registry; readonly clock: Clock } | undefined;

  constructor(resources: () => ResourceTable, measures?: ClusterView['measures']) {
    this.#resources = resources;
    this.measures = measures;
  }

  get resources(): ResourceTable {
    return this.#resources();
  }

  /** From the cache, else from the store: something made a moment ago counts. */
  get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): T | undefined | Promise<T | undefined> {
    const served = this.resources.ofKind(kind);
    if (!served) return undefined;
    const found = served.cache.get(served.registry.codec.keyOf(namespace, name));
    if (found) return this.#parse(found) as T;
    return served.registry.fresh(namespace, name).then((object) => object?.parse() as T | undefined);
  }

  /** The whole list ('': of all namespaces); the same array until something of the kind changes. */
  list<T extends KubeObject>(kind: Kind<T>, namespace = ''): readonly T[] {
    const served = this.resources.ofKind(kind);
    if (!served || served.cache.size === 0) return [];
    const id = `${apiVersionOf(kind)} ${kind.plural}`;
    let listing = this.#listings.get(id);
    if (listing?.lastChange !== served.cache.lastChange) {
      listing = { lastChange: served.cache.lastChange, byNamespace: new Map() };
      this.#listings.set(id, listing);
    }
    let list = listing.byNamespace.get(namespace);
    if (!list) {
      list = served.cache.list({ namespace, name: '', labels: [], fields: [] }).map((object) => this.#parse(object));
      listing.byNamespace.set(namespace, list);
    }
    return list as readonly T[];
  }

  #parse(stored: StoredObject): KubeObject {
    let object = this.#parsed.get(stored);
    if (!object) {
      object = stored.parse();
      this.#parsed.set(stored, object);
    }
    return object;
  }
}
