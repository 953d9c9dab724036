// Empties a namespace that is being deleted, kind by kind as the server discovers them, pods first, and then
// takes its finalizer off.

import { isDeepStrictEqual } from 'node:util';
import { type Namespace, namespaces, pods } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { timestamp } from '../../base/clock.ts';
import { controller, type Outcome, type ReconcileContext, settled, watching } from '../../client/controller.ts';
import { type DiscoveredKind, discover } from '../../client/discovery.ts';
import { deletionConditions, isEmptied, nextLookSeconds, type Progress, type Remaining } from './plan.ts';

const finalizer = 'kubernetes';

export const namespaceController = controller({
  name: 'namespace',
  of: namespaces,
  // Pods are what one waits for most: the last one's end is the next look.
  watches: [
    watching(pods, ({ metadata }, cache, { after }) =>
      after ? [] : terminating(cache.get(namespaces, { name: metadata?.namespace ?? '' })),
    ),
  ],
  async reconcile(namespace, context) {
    const { metadata, spec } = namespace;
    if (!metadata?.deletionTimestamp || !spec?.finalizers?.includes(finalizer)) return settled;
    return empty(namespace, context);
  },
});

function terminating(namespace: Namespace | undefined): string[] {
  return namespace?.metadata?.deletionTimestamp ? [namespace.metadata.name ?? ''] : [];
}

async function empty(namespace: Namespace, context: ReconcileContext): Promise<Outcome> {
  const { api, clock } = context;
  const name = namespace.metadata?.name ?? '';
  const { kinds, stale } = await discover(api.transport);
  const deletable = kinds.filter(
    ({ kind, verbs, isPreferred }) => isPreferred && kind.namespaced && verbs.includes('delete') && verbs.includes('list'),
  );
  const isPods = ({ kind }: DiscoveredKind) => kind.group === '' && kind.plural === 'pods';
  const progress = await deleteAll(deletable.filter(isPods), name, context);
  if (isEmptied(progress)) {
    // What pods need to end well (secrets, network policies) outlives them.
    const rest = await deleteAll(
      deletable.filter((each) => !isPods(each)),
      name,
      context,
    );
    progress.deleteErrors.push(...rest.deleteErrors);
    progress.remaining.push(...rest.remaining);
  }
  const told = { ...progress, stale };
  const status = {
    ...namespace.status,
    phase: 'Terminating',
    conditions: deletionConditions(namespace.status?.conditions, told, timestamp(clock)),
  };
  const current = isDeepStrictEqual(status, namespace.status) ? namespace : await api.updateStatus(namespaces, { ...namespace, status });
  if (progress.deleteErrors.length) throw new Error(`namespace ${name}: ${progress.deleteErrors.join(', ')}`);
  if (!isEmptied(told)) return { afterSeconds: nextLookSeconds(progress.remaining) };
  const finalizers = current.spec?.finalizers?.filter((each) => each !== finalizer) ?? [];
  await api.update(namespaces, { ...current, spec: { ...current.spec, finalizers } }, { subresource: 'finalize' });
  return settled;
}

async function deleteAll(kinds: readonly DiscoveredKind[], namespace: string, { api }: ReconcileContext) {
  const progress: Progress & { deleteErrors: string[]; remaining: Remaining[] } = { stale: [], deleteErrors: [], remaining: [] };
  for (const { kind, verbs } of kinds) {
    try {
      if (verbs.includes('deletecollection')) await api.deleteCollection(kind, { namespace, propagationPolicy: 'Background' });
      const { items } = await api.list(kind, { namespace, metadataOnly: kind.kind !== 'Pod' });
      if (!verbs.includes('deletecollection'))
        for (const { metadata } of items) await api.delete(kind, { namespace, name: metadata?.name ?? '' });
      progress.remaining.push({ kind, objects: items });
    } catch (error) {
      // A kind that has gone since discovery has nothing left to delete.
      if (isStatus(error, 'NotFound', 'MethodNotAllowed')) continue;
      if (!(error instanceof Error)) throw error;
      progress.deleteErrors.push(error.message);
    }
  }
  return progress;
}
