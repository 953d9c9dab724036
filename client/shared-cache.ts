// The Cache that a reflector fills: one writer, any number of readers, frozen objects, and indices that are
// kept up to date with every write.

import { type Observable, Subject } from 'rxjs';
import type { Kind } from '../api/kind.ts';
import type { KubeObject } from '../api/wire.ts';
import { type Cache, type CacheChange, keyOf, type ObjectKey } from './cache.ts';
import type { ReflectorEvent } from './reflector.ts';
import { compareResourceVersions } from './resource-version.ts';

interface Index<T> {
  valuesOf: (object: T) => readonly string[];
  keys: Map<string, Set<ObjectKey>>;
}

const controllerUidIndex = 'controllerUid';
const namespaceIndex = 'namespace';

export class SharedCache<T extends KubeObject> implements Cache<T> {
  readonly kind: Kind<T>;
  readonly changes: Observable<CacheChange<T>>;
  readonly progress: Observable<void>;
  readonly #objects = new Map<ObjectKey, T>();
  readonly #indices = new Map<string, Index<T>>();
  readonly #changes = new Subject<CacheChange<T>>();
  readonly #progress = new Subject<void>();
  readonly #synced = Promise.withResolvers<void>();
  #resourceVersion = '';
  #isSynced = false;

  constructor(kind: Kind<T>) {
    this.kind = kind;
    this.changes = this.#changes.asObservable();
    this.progress = this.#progress.asObservable();
    this.addIndex(namespaceIndex, (object) => (object.metadata?.namespace ? [object.metadata.namespace] : []));
    this.addIndex(controllerUidIndex, (object) =>
      (object.metadata?.ownerReferences ?? []).filter((ref) => ref.controller).map((ref) => ref.uid),
    );
  }

  get resourceVersion(): string {
    return this.#resourceVersion;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  synced(): Promise<void> {
    return this.#synced.promise;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(key);
  }

  list(namespace?: string): T[] {
    return namespace ? this.byIndex(namespaceIndex, namespace) : [...this.#objects.values()];
  }

  ownedBy(uid: string): T[] {
    return this.byIndex(controllerUidIndex, uid);
  }

  /** @throws when there is no such index: a reader that asks for one it never added has a bug */
  byIndex(name: string, value: string): T[] {
    const index = this.#indices.get(name);
    if (!index) throw new Error(`cache of ${this.kind.plural} has no index ${name}`);
    const found: T[] = [];
    for (const key of index.keys.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object) found.push(object);
    }
    return found;
  }

  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void {
    if (this.#indices.has(name)) return;
    const index: Index<T> = { valuesOf, keys: new Map() };
    this.#indices.set(name, index);
    for (const [key, object] of this.#objects) insert(index, key, object);
  }

  /** For the one writer. Readers are told after the whole event is in. */
  apply(event: ReflectorEvent<T>): void {
    const changes: CacheChange<T>[] = [];
    switch (event.type) {
      case 'relist': {
        const kept = new Set(event.items.map(keyOf));
        for (const key of [...this.#objects.keys()]) if (!kept.has(key)) changes.push(this.#put(key, undefined));
        for (const item of event.items) {
          const key = keyOf(item);
          if (!isSame(this.#objects.get(key), item)) changes.push(this.#put(key, item));
        }
        break;
      }
      case 'apply':
        changes.push(this.#put(keyOf(event.object), event.object));
        break;
      case 'delete':
        if (this.#objects.has(keyOf(event.object))) changes.push(this.#put(keyOf(event.object), undefined));
        break;
      case 'bookmark':
        break;
    }
    if (compareResourceVersions(event.resourceVersion, this.#resourceVersion) > 0) this.#resourceVersion = event.resourceVersion;
    if (event.type === 'relist' && !this.#isSynced) {
      this.#isSynced = true;
      this.#synced.resolve();
    }
    for (const change of changes) this.#changes.next(change);
    this.#progress.next();
  }

  #put(key: ObjectKey, after: T | undefined): CacheChange<T> {
    const before = this.#objects.get(key);
    for (const index of this.#indices.values()) {
      if (before) remove(index, key, before);
      if (after) insert(index, key, after);
    }
    if (after) this.#objects.set(key, deepFreeze(after));
    else this.#objects.delete(key);
    return { key, before, after };
  }
}

function isSame(a: KubeObject | undefined, b: KubeObject): boolean {
  return a !== undefined && a.metadata?.uid === b.metadata?.uid && a.metadata?.resourceVersion === b.metadata?.resourceVersion;
}

function insert<T>(index: Index<T>, key: ObjectKey, object: T): void {
  for (const value of index.valuesOf(object)) {
    const keys = index.keys.get(value);
    if (keys) keys.add(key);
    else index.keys.set(value, new Set([key]));
  }
}

function remove<T>(index: Index<T>, key: ObjectKey, object: T): void {
  for (const value of index.valuesOf(object)) {
    const keys = index.keys.get(value);
    keys?.delete(key);
    if (keys?.size === 0) index.keys.delete(value);
  }
}

/** Freezes a JSON value in place, all the way down. */
export function deepFreeze<V>(value: V): V {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
