// Which quotas have something to give back: follows the kinds that quotas count without the controller's watching them all,
// from the moment that a quota counts one.

import { Subject, type Subscription } from 'rxjs';
import { resourceQuotas } from '../../api/core.ts';
import { groupResourceOf, type Kind } from '../../api/kind.ts';
import { isQuotaFor } from '../../api/quota-usage.ts';
import type { KubeObject } from '../../api/wire.ts';
import { type Cache, type CacheSet, keyOf, type ObjectKey } from '../../client/cache.ts';

export class FreedKinds {
  /** Keys of quotas that count an object which is gone. */
  readonly keys = new Subject<ObjectKey>();
  readonly #caches: CacheSet;
  readonly #followed = new Map<string, { cache: Cache<KubeObject>; subscription: Subscription }>();

  constructor(caches: CacheSet, signal: AbortSignal) {
    this.#caches = caches;
    signal.addEventListener('abort', () => {
      for (const { subscription } of this.#followed.values()) subscription.unsubscribe();
    });
  }

  follow(kind: Kind): void {
    // The garbage collector follows the same: these caches are there already.
    const cache = this.#caches.of(kind, { metadataOnly: true });
    const id = groupResourceOf(kind);
    const known = this.#followed.get(id);
    if (known?.cache === cache) return;
    known?.subscription.unsubscribe();
    const subscription = cache.changes.subscribe(({ before, after }) => {
      if (!before || after) return;
      for (const quota of this.#caches.of(resourceQuotas).list(before.metadata?.namespace))
        if (isQuotaFor(kind, quota.spec?.hard ?? {})) this.keys.next(keyOf(quota));
    });
    this.#followed.set(id, { cache, subscription });
  }
}
