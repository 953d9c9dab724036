// Keeps the status of resource quotas: how much is used. The server charges each write itself; here is counted what is
// there, so that what is gone, or was charged and never stored, is given back.

import {
  configMaps,
  persistentVolumeClaims,
  pods,
  type ResourceQuota,
  replicationControllers,
  resourceQuotas,
  secrets,
  services,
} from '../../api/core.ts';
import { groupResourceOf, type Kind } from '../../api/kind.ts';
import { compareQuantities } from '../../api/quantity.ts';
import { isQuotaFor } from '../../api/quota-usage.ts';
import { resourceClaims } from '../../api/resource.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { KubeObject } from '../../api/wire.ts';
import { keyOf } from '../../client/cache.ts';
import { type Controller, controller, type Outcome, type ReconcileContext, settled, watching } from '../../client/controller.ts';
import { discover } from '../../client/discovery.ts';
import { FreedKinds } from './freed-kinds.ts';
import { countUsage } from './plan.ts';

const counted: readonly Kind[] = [pods, services, secrets, configMaps, replicationControllers, persistentVolumeClaims];
/** Counted by more than their number; not every server has them. */
const sometimesCounted: readonly Kind[] = [resourceClaims];
/** A write is charged a moment before it is stored; only a quota left alone for so long is lowered. */
const quietMs = 1_000;
/** Everything is counted anew so often: time alone frees some pods. */
const resyncSeconds = 300;

interface Seen {
  resourceVersion: string;
  sinceMs: number;
}

export const resourceQuotaController: Controller = {
  name: 'resourcequota',
  needs: [resourceQuotas, pods],
  run: (run) => {
    const seen = new Map<string, Seen>();
    const freed = new FreedKinds(run.caches, run.signal);
    return controller({
      name: 'resourcequota',
      queueName: 'resourcequota_primary',
      of: resourceQuotas,
      watches: counted.map((kind) =>
        watching(kind, ({ metadata }, cache, { before, after }) => {
          // What is new was charged as it came; what is gone or less is given back here.
          if (!before || (after && kind !== pods)) return [];
          return cache
            .list(resourceQuotas, metadata?.namespace)
            .filter(({ spec }) => isQuotaFor(kind, spec?.hard ?? {}))
            .map(keyOf);
        }),
      ),
      stirred: freed.keys,
      reconcile: (quota, context) => count(quota, context, { seen, freed }),
      async absent(key) {
        seen.delete(key);
        return settled;
      },
    }).run(run);
  },
};

interface Memory {
  seen: Map<string, Seen>;
  freed: FreedKinds;
}

async function count(cached: ResourceQuota, context: ReconcileContext, { seen, freed }: Memory): Promise<Outcome> {
  const { api, clock } = context;
  const { namespace = '', name = '' } = cached.metadata ?? {};
  // Newest first, then what it counts: a charge after this read makes the write below a conflict.
  const quota = await api.get(resourceQuotas, { namespace, name });
  const resourceVersion = quota.metadata?.resourceVersion ?? '';
  const objects: [Kind, KubeObject[]][] = [];
  const named = otherKinds(quota);
  const others = named.size ? await findKinds(named, context) : [];
  for (const kind of others) freed.follow(kind);
  for (const kind of [...counted, resourceQuotas, ...others])
    if (isQuotaFor(kind, quota.spec?.hard ?? {})) objects.push([kind, (await api.list(kind, { namespace })).items]);
  const status = countUsage(quota, objects, clock.nowMs());
  const again = { afterSeconds: resyncSeconds };
  if (semanticEqual(status, quota.status ?? {})) return again;
  if (isLowered(quota, status)) {
    const key = keyOf(quota);
    const last = seen.get(key);
    const sinceMs = last?.resourceVersion === resourceVersion ? last.sinceMs : clock.monotonicMs();
    seen.set(key, { resourceVersion, sinceMs });
    const leftMs = sinceMs + quietMs - clock.monotonicMs();
    if (leftMs > 0) return { afterSeconds: leftMs / 1000 };
  }
  await api.updateStatus(resourceQuotas, { ...quota, ...(status ? { status } : {}) });
  return again;
}

function isLowered(quota: ResourceQuota, status: ResourceQuota['status']): boolean {
  const used = quota.status?.used ?? {};
  return Object.keys(used).some((name) => compareQuantities(status?.used?.[name] ?? '0', used[name] as string) < 0);
}

/** Of what the quota counts, the resources that are not watched here. */
function otherKinds({ spec }: ResourceQuota): Set<string> {
  const known = new Set([...counted, resourceQuotas].map(groupResourceOf));
  const named = Object.keys(spec?.hard ?? {}).filter((name) => name.startsWith('count/'));
  const measured = sometimesCounted.filter((kind) => isQuotaFor(kind, spec?.hard ?? {})).map(groupResourceOf);
  return new Set([...measured, ...named.map((name) => name.slice('count/'.length)).filter((name) => !known.has(name))]);
}

async function findKinds(names: ReadonlySet<string>, { api }: ReconcileContext): Promise<Kind[]> {
  const { kinds } = await discover(api.transport);
  return kinds.map(({ kind }) => kind).filter((kind) => kind.namespaced && names.has(groupResourceOf(kind)));
}
