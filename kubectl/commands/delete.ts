// `delete`: by name, by selector or by manifest; waits until the objects are gone unless told not to.

import { filter, firstValueFrom, merge, timer } from 'rxjs';
import type { Kind } from '../../api/kind.ts';
import { isStatus } from '../../api/status.ts';
import { type KubectlContext, KubectlError } from '../context.ts';
import type { DiscoveredKind } from '../discovery.ts';
import { readManifests } from '../manifests.ts';
import { parseTargets } from '../targets.ts';
import { fetchObjects } from './get.ts';

export interface DeleteOptions {
  filename?: string[];
  recursive?: boolean;
  selector?: string;
  all?: boolean;
  gracePeriod?: string;
  cascade?: string;
  ignoreNotFound?: boolean;
  wait?: boolean;
  now?: boolean;
  force?: boolean;
}

const policies: Record<string, 'Background' | 'Foreground' | 'Orphan'> = {
  background: 'Background',
  foreground: 'Foreground',
  orphan: 'Orphan',
};
/** How long one look at a watch lasts before the object is read again. */
const lookMs = 30_000;

interface Doomed {
  kind: DiscoveredKind;
  namespace: string;
  name: string;
}

export async function deleteCommand(args: readonly string[], options: DeleteOptions, context: KubectlContext): Promise<void> {
  const policy = policies[options.cascade ?? 'background'];
  if (!policy) throw new KubectlError(`invalid cascade value (${options.cascade}). Must be "background", "foreground", or "orphan"`);
  const grace = options.now
    ? 1
    : options.force && options.gracePeriod === undefined
      ? 0
      : options.gracePeriod === undefined
        ? undefined
        : Number(options.gracePeriod);
  if (grace !== undefined && (!Number.isInteger(grace) || grace < -1))
    throw new KubectlError(`invalid grace period ${JSON.stringify(options.gracePeriod)}`);
  const waiting: (Doomed & { uid: string | undefined })[] = [];
  for (const doomed of await doomedObjects(args, options, context)) {
    const { kind, namespace, name } = doomed;
    try {
      const answer = await context.client.delete(
        kind,
        { namespace, name },
        { propagationPolicy: policy, ...(grace !== undefined && grace >= 0 ? { gracePeriodSeconds: grace } : {}) },
      );
      context.io.out.write(
        `${kind.singular}${kind.group ? `.${kind.group}` : ''} ${JSON.stringify(name)} ${options.force ? 'force deleted' : 'deleted'}${kind.namespaced ? ` from ${namespace} namespace` : ''}\n`,
      );
      waiting.push({ ...doomed, uid: 'metadata' in answer ? (answer.metadata as { uid?: string } | undefined)?.uid : undefined });
    } catch (error) {
      if (!(options.ignoreNotFound && isStatus(error, 'NotFound'))) throw error;
    }
  }
  if (options.wait !== false && !options.force) for (const each of waiting) await untilGone(each, context);
}

async function doomedObjects(args: readonly string[], options: DeleteOptions, context: KubectlContext): Promise<Doomed[]> {
  if (options.filename?.length) {
    const manifests = await readManifests(options.filename, { recursive: Boolean(options.recursive), io: context.io });
    return manifests.map(({ object }) => ({
      kind: context.discovery.ofManifest(object.apiVersion, object.kind),
      namespace: object.metadata?.namespace ?? context.namespace,
      name: object.metadata?.name ?? '',
    }));
  }
  const targets = parseTargets(args, context.discovery);
  const doomed: Doomed[] = [];
  for (const target of targets) {
    if (target.name !== undefined) {
      doomed.push({ kind: target.kind, namespace: context.namespace, name: target.name });
      continue;
    }
    if (!options.all && !options.selector) throw new KubectlError('resource(s) were provided, but no name was specified');
    for (const { kind, object } of await fetchObjects(target, options.selector ? { selector: options.selector } : {}, context)) {
      doomed.push({ kind, namespace: context.namespace, name: object.metadata?.name ?? '' });
    }
  }
  if (doomed.length === 0) context.io.out.write('No resources found\n');
  return doomed;
}

async function untilGone({ kind, namespace, name, uid }: Doomed & { uid: string | undefined }, context: KubectlContext): Promise<void> {
  while (!context.signal.aborted) {
    const live = await context.client.get(kind, { namespace, name }).catch((error: unknown) => {
      if (isStatus(error, 'NotFound')) return undefined;
      throw error;
    });
    if (!live || (uid !== undefined && live.metadata?.uid !== uid)) return;
    await firstDeletion(kind, { namespace, name, resourceVersion: live.metadata?.resourceVersion ?? '' }, context);
  }
}

function firstDeletion(
  kind: Kind,
  at: { namespace: string; name: string; resourceVersion: string },
  { client }: KubectlContext,
): Promise<unknown> {
  const watch = client.watch(kind, {
    namespace: at.namespace,
    fieldSelector: `metadata.name=${at.name}`,
    resourceVersion: at.resourceVersion,
  });
  return firstValueFrom(merge(watch.pipe(filter((event) => event.type === 'DELETED')), timer(lookMs)), { defaultValue: undefined });
}
