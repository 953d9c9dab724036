// What controllers read: a local, eventually consistent copy of a kind, with one writer (its reflector) and any
// number of readers. Objects in it are frozen.

import type { Observable } from 'rxjs';
import type { Kind } from '../api/kind.ts';
import type { KubeObject } from '../api/wire.ts';

/** `namespace/name`, or `name` for cluster-scoped objects. */
export type ObjectKey = string;

export function keyOf(object: KubeObject): ObjectKey {
  const { namespace, name = '' } = object.metadata ?? {};
  return namespace ? `${namespace}/${name}` : name;
}

export interface CacheChange<T> {
  key: ObjectKey;
  /** undefined: it has just appeared. */
  before: T | undefined;
  /** undefined: it is gone. */
  after: T | undefined;
}

export interface Cache<T extends KubeObject> {
  readonly kind: Kind<T>;
  get(key: ObjectKey): T | undefined;
  list(namespace?: string): T[];
  /** Objects under `value` of the index `name` (see `addIndex`). */
  byIndex(name: string, value: string): T[];
  /** Keeps an index up to date from now on; the same name twice is one index. */
  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void;
  /** Objects whose controller owner reference has this uid. */
  ownedBy(uid: string): T[];
  /** The newest resourceVersion that this cache has seen; '' before the first list. */
  readonly resourceVersion: string;
  /** Resolves after the first complete list. */
  synced(): Promise<void>;
  readonly isSynced: boolean;
  /** What changes from now on; hot. For what is there already, read `list()` first. */
  readonly changes: Observable<CacheChange<T>>;
  /** Fires after anything that may have moved `resourceVersion`: a change, a bookmark, a relist. Hot. */
  readonly progress: Observable<void>;
}

/** Which objects of a kind a cache holds. */
export interface CacheScope {
  namespace?: string;
  fieldSelector?: string;
  labelSelector?: string;
  /** Only apiVersion, kind and metadata of each object. */
  metadataOnly?: boolean;
}

/** The caches of one process: one reflector per kind (and selector), shared by everyone who asks. */
export interface CacheSet {
  /** Starts reflecting on first use. Each scope has a cache of its own. */
  of<T extends KubeObject>(kind: Kind<T>, scope?: CacheScope): Cache<T>;
  /** Ends the reflector of one scope, and its cache with it: for kinds that the server no longer has. */
  drop(kind: Kind, scope?: CacheScope): void;
  /** Ends every reflector. */
  close(): Promise<void>;
}
