// Who depends on whom, over all kinds that the server has: metadata caches, each with an index by owner. Kinds
// come and go with discovery.

import { groupResourceOf, type Kind } from '../../api/kind.ts';
import type { KubeObject, OwnerReference } from '../../api/wire.ts';
import { type Cache, type CacheChange, type CacheSet, keyOf, type ObjectKey } from '../../client/cache.ts';
import type { DiscoveredKind } from '../../client/discovery.ts';

/** One object in the graph. */
export interface Place {
  kind: Kind;
  key: ObjectKey;
}

const ownersIndex = 'ownerUid';
const uidIndex = 'uid';

/** Nothing owns or is owned by these, and they are many. */
const ignored = new Set(['events', 'events.events.k8s.io']);

interface Member {
  kind: Kind;
  cache: Cache<KubeObject>;
  subscription: { unsubscribe(): void };
}

export class Graph {
  readonly #caches: CacheSet;
  readonly #onChange: (kind: Kind, change: CacheChange<KubeObject>) => void;
  readonly #members = new Map<string, Member>();
  #kinds: readonly DiscoveredKind[] = [];

  /** @param onChange called for each change, and once for each object of a kind that has just become known */
  constructor(caches: CacheSet, onChange: (kind: Kind, change: CacheChange<KubeObject>) => void) {
    this.#caches = caches;
    this.#onChange = onChange;
  }

  /** Follows what discovery found, and nothing else. Kinds of groups that could not be discovered stay. */
  setKinds(kinds: readonly DiscoveredKind[], stale: readonly string[]): void {
    this.#kinds = kinds;
    const wanted = new Map<string, Kind>();
    for (const { kind, verbs, isPreferred } of kinds) {
      if (isPreferred && ['list', 'watch', 'delete'].every((verb) => verbs.includes(verb))) wanted.set(groupResourceOf(kind), kind);
    }
    for (const id of ignored) wanted.delete(id);
    for (const [id, { kind, subscription }] of this.#members) {
      const next = wanted.get(id);
      if (next ? next.version === kind.version : stale.some((groupVersion) => groupVersion.startsWith(`${kind.group}/`))) continue;
      subscription.unsubscribe();
      this.#caches.drop(kind, { metadataOnly: true });
      this.#members.delete(id);
    }
    for (const [id, kind] of wanted) if (!this.#members.has(id)) this.#add(id, kind);
  }

  #add(id: string, kind: Kind): void {
    const cache = this.#caches.of(kind, { metadataOnly: true });
    cache.addIndex(ownersIndex, ({ metadata }) => (metadata?.ownerReferences ?? []).map(({ uid }) => uid));
    cache.addIndex(uidIndex, ({ metadata }) => (metadata?.uid ? [metadata.uid] : []));
    const subscription = cache.changes.subscribe((change) => this.#onChange(kind, change));
    this.#members.set(id, { kind, cache, subscription });
    for (const object of cache.list()) this.#onChange(kind, { key: keyOf(object), before: undefined, after: object });
  }

  /** Resolves when all kinds known now have been listed. */
  async synced(): Promise<void> {
    await Promise.all([...this.#members.values()].map(({ cache }) => cache.synced()));
  }

  get(kind: Kind, key: ObjectKey): KubeObject | undefined {
    return this.#members.get(groupResourceOf(kind))?.cache.get(key);
  }

  byUid(uid: string): KubeObject | undefined {
    for (const { cache } of this.#members.values()) {
      const [object] = cache.byIndex(uidIndex, uid);
      if (object) return object;
    }
    return undefined;
  }

  dependentsOf(uid: string): { place: Place; object: KubeObject }[] {
    const dependents: { place: Place; object: KubeObject }[] = [];
    for (const { kind, cache } of this.#members.values()) {
      for (const object of cache.byIndex(ownersIndex, uid)) {
        dependents.push({ place: { kind, key: keyOf(object) }, object });
      }
    }
    return dependents;
  }

  /** The kind that a reference means; undefined when the server has no such kind. */
  kindOf(reference: OwnerReference): Kind | undefined {
    const [version = '', group = ''] = reference.apiVersion.split('/').reverse();
    const named = this.#kinds.filter(({ kind }) => kind.group === group && kind.kind === reference.kind);
    return (named.find(({ kind }) => kind.version === version) ?? named[0])?.kind;
  }

  close(): void {
    for (const { subscription } of this.#members.values()) subscription.unsubscribe();
    this.#members.clear();
  }
}
