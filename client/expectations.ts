// Read-your-writes: what a reconcile wrote, held against what the caches have seen, so that the next one never
// decides on a state from before its own writes. It waits for facts, never for time: for a resourceVersion to
// come by, for a deleted uid to go or be terminating.

import { groupResourceOf, type Kind } from '../api/kind.ts';
import { isStatus, StatusError } from '../api/status.ts';
import type { KubeObject } from '../api/wire.ts';
import type { Cache, ObjectKey } from './cache.ts';
import type { Client } from './client.ts';
import { compareResourceVersions } from './resource-version.ts';

/** The cache in which writes to a kind come back; undefined when nobody reads that kind. */
export type CacheLookup = (kind: Kind) => Cache<KubeObject> | undefined;

interface Deleted {
  kind: Kind;
  key: ObjectKey;
}

/** A write whose answer was lost: it may have happened. */
interface Uncertain {
  kind: Kind;
  namespace: string | undefined;
  deleted: { name: string; uid: string } | undefined;
}

/** What one key's last reconciles wrote and has not come back yet. */
export class Expectations {
  readonly #lookup: CacheLookup;
  readonly #versions = new Map<string, { kind: Kind; resourceVersion: string }>();
  readonly #deleted = new Map<string, Deleted>();
  readonly #uncertain: Uncertain[] = [];

  constructor(lookup: CacheLookup) {
    this.#lookup = lookup;
  }

  /** A create, update or patch was answered with `object`. */
  wrote(kind: Kind, object: KubeObject): void {
    const { resourceVersion } = object.metadata ?? {};
    if (!resourceVersion || !this.#lookup(kind)) return;
    const id = groupResourceOf(kind);
    const known = this.#versions.get(id);
    if (!known || compareResourceVersions(known.resourceVersion, resourceVersion) < 0) this.#versions.set(id, { kind, resourceVersion });
  }

  /** The object with `uid` was deleted, or found to be gone. */
  deleted(kind: Kind, key: ObjectKey, uid: string): void {
    if (this.#lookup(kind)) this.#deleted.set(uid, { kind, key });
  }

  /** A write failed in a way that leaves open whether it happened. */
  unsure(uncertain: Uncertain): void {
    if (this.#lookup(uncertain.kind)) this.#uncertain.push(uncertain);
  }

  /** Whether the caches have seen everything. False as long as there are writes to be cleared up. */
  get isMet(): boolean {
    if (this.#uncertain.length > 0) return false;
    for (const [id, { kind, resourceVersion }] of this.#versions) {
      const cache = this.#lookup(kind);
      if (cache && compareResourceVersions(cache.resourceVersion, resourceVersion) < 0) return false;
      this.#versions.delete(id);
    }
    for (const [uid, { kind, key }] of this.#deleted) {
      const present = this.#lookup(kind)?.get(key);
      if (present?.metadata?.uid === uid && !present.metadata.deletionTimestamp) return false;
      this.#deleted.delete(uid);
    }
    return true;
  }

  get isUncertain(): boolean {
    return this.#uncertain.length > 0;
  }

  /** Asks the server what became of the writes whose answers were lost. @throws StatusError when it cannot say */
  async clearUp(client: Client): Promise<void> {
    for (let lost = this.#uncertain[0]; lost; lost = this.#uncertain[0]) {
      if (lost.deleted) await this.#clearUpDelete(client, lost, lost.deleted);
      else await this.#clearUpWrites(client, lost);
      this.#uncertain.shift();
    }
  }

  async #clearUpDelete(client: Client, { kind, namespace }: Uncertain, { name, uid }: { name: string; uid: string }): Promise<void> {
    const key = namespace ? `${namespace}/${name}` : name;
    try {
      const found = await client.get(kind, { namespace, name });
      if (found.metadata?.uid === uid && !found.metadata.deletionTimestamp) return;
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
    this.deleted(kind, key, uid);
  }

  // The newest object there is bounds whatever was written before: the cache must come as far.
  async #clearUpWrites(client: Client, { kind, namespace }: Uncertain): Promise<void> {
    const list = await client.list(kind, { ...(namespace ? { namespace } : {}), metadataOnly: true });
    for (const object of list.items) this.wrote(kind, object);
  }
}

/** Whether a failed write may have happened all the same. */
export function isUncertain(error: unknown): boolean {
  if (!(error instanceof StatusError)) return true;
  return error.code >= 500;
}

/** `client`, with every write recorded in `expectations`. */
export function recordingClient(client: Client, expectations: Expectations, lookup: CacheLookup): Client {
  async function write<T extends KubeObject>(kind: Kind<T>, namespace: string | undefined, call: Promise<T>): Promise<T> {
    try {
      const written = await call;
      expectations.wrote(kind, written);
      return written;
    } catch (error) {
      if (isUncertain(error)) expectations.unsure({ kind, namespace, deleted: undefined });
      throw error;
    }
  }
  return {
    ...client,
    create: (kind, object, query) =>
      query?.dryRun ? client.create(kind, object, query) : write(kind, object.metadata?.namespace, client.create(kind, object, query)),
    update: (kind, object, query) => write(kind, object.metadata?.namespace, client.update(kind, object, query)),
    updateStatus: (kind, object) => write(kind, object.metadata?.namespace, client.updateStatus(kind, object)),
    patch: (kind, at, type, patch, query) => write(kind, at.namespace, client.patch(kind, at, type, patch, query)),
    async delete(kind, at, query) {
      const key = at.namespace ? `${at.namespace}/${at.name}` : at.name;
      const uid = query?.preconditions?.uid ?? lookup(kind)?.get(key)?.metadata?.uid;
      try {
        const answer = await client.delete(kind, at, query);
        if (uid) expectations.deleted(kind, key, uid);
        return answer;
      } catch (error) {
        // Gone already, or replaced by another of its name: either way that uid is not coming back.
        const isGone = isStatus(error, 'NotFound') || (isStatus(error, 'Conflict') && !query?.preconditions?.resourceVersion);
        if (uid && isGone) expectations.deleted(kind, key, uid);
        else if (uid && isUncertain(error)) expectations.unsure({ kind, namespace: at.namespace, deleted: { name: at.name, uid } });
        throw error;
      }
    },
  };
}
