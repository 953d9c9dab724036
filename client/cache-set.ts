// The caches of one process: at most one reflector per kind and scope, started by the first who asks.

import type { Subscription } from 'rxjs';
import { groupResourceOf, type Kind } from '../api/kind.ts';
import type { KubeObject } from '../api/wire.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Cache, CacheScope, CacheSet } from './cache.ts';
import type { Client } from './client.ts';
import { reflect } from './reflector.ts';
import { SharedCache } from './shared-cache.ts';

export interface CacheSetOptions {
  client: Client;
  clock: Clock;
  random: Random;
  log: Log;
  /** Items per page of a list. Default 500. */
  pageLimit?: number;
}

export function createCacheSet(options: CacheSetOptions): CacheSet {
  const entries = new Map<string, { cache: Cache<KubeObject>; subscription: Subscription }>();
  let isClosed = false;

  return {
    of<T extends KubeObject>(kind: Kind<T>, scope: CacheScope = {}): Cache<T> {
      if (isClosed) throw new Error(`the cache set is closed: no cache of ${kind.plural}`);
      const id = idOf(kind, scope);
      // Whoever wants metadata only is served by a cache of whole objects, if there is one: one copy in memory, one watch.
      const known = entries.get(id) ?? (scope.metadataOnly ? entries.get(idOf(kind, { ...scope, metadataOnly: false })) : undefined);
      // The id holds group, version and plural, so the entry's type is the kind's.
      if (known) return known.cache as Cache<T>;
      const cache = new SharedCache(kind);
      const log = options.log.child({ reflector: groupResourceOf(kind) });
      const subscription = reflect({ ...options, kind, scope, log }).subscribe({
        next: (event) => cache.apply(event),
        error: (error) => log.error(`reflector of ${groupResourceOf(kind)} has ended: ${error}`),
      });
      entries.set(id, { cache: cache as unknown as Cache<KubeObject>, subscription });
      return cache;
    },

    drop(kind, scope = {}) {
      const id = idOf(kind, scope);
      entries.get(id)?.subscription.unsubscribe();
      entries.delete(id);
    },

    async close() {
      isClosed = true;
      for (const { subscription } of entries.values()) subscription.unsubscribe();
      entries.clear();
    },
  };
}

function idOf(kind: Kind, scope: CacheScope): string {
  const { namespace = '', fieldSelector = '', labelSelector = '', metadataOnly = false } = scope;
  return JSON.stringify([kind.group, kind.version, kind.plural, namespace, fieldSelector, labelSelector, metadataOnly]);
}
