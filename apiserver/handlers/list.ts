// GET of a collection. The newest state, and any state since which nothing of the kind has changed, come from the
// cache; other revisions from the store's history.

import { goneError } from '../../api/status.ts';
import { CompactedError } from '../../store/store.ts';
import { selects } from '../cache/watch-cache.ts';
import { type ListMetadata, sendList } from '../negotiate/render.ts';
import type { StoredObject } from '../registry/object-codec.ts';
import type { Served } from '../registry/resource-table.ts';
import { waitForNow, waitForRevision } from './freshness.ts';
import type { ResourceHandler, ServerParts } from './handler.ts';
import { type ContinueToken, ExpiredContinueError, type ListOptions, readListOptions, writeContinue } from './list-options.ts';

export interface Page {
  objects: StoredObject[];
  revision: number;
  continue: string | undefined;
  /** What `continue` says. */
  next: ContinueToken | undefined;
  /** undefined when a selector makes it unknown. */
  remaining: number | undefined;
}

export const listObjects: ResourceHandler = async (ctx, served, server) => {
  const page = await readPage(readListOptions(ctx, served), served, server);
  return sendList(ctx, served, page.objects, listMetadata(page), server.clock.nowMs());
};

/** metav1.ListMeta of a page. */
export function listMetadata(page: Page): ListMetadata {
  return {
    resourceVersion: String(page.revision),
    ...(page.continue ? { continue: page.continue } : {}),
    ...(page.remaining ? { remainingItemCount: page.remaining } : {}),
  };
}

/** One page of what the options select. @throws StatusError Expired, Timeout */
export async function readPage(options: ListOptions, served: Served, server: ServerParts): Promise<Page> {
  const { cache } = served;
  const token = options.continue;
  if (token) {
    // -1 is the token of those who have been told that consistency is lost.
    if (token.revision === -1) {
      await waitForNow(server, served);
      return fromCache(options, served, token.after, cache.revision);
    }
    if (token.revision >= cache.lastChange && token.revision <= cache.revision)
      return fromCache(options, served, token.after, token.revision);
    await waitForRevision(server, token.revision, served);
    return fromStore(options, served, server, token.revision, token.after);
  }
  const { revision } = options;
  const isExact = revision !== undefined && revision > 0 && (options.match === 'Exact' || (options.match === '' && options.limit > 0));
  if (revision === undefined) {
    await waitForNow(server, served);
    cache.counts.consistentReads++;
  } else await waitForRevision(server, revision, served);
  if (!isExact) return fromCache(options, served, '', cache.revision);
  if (revision >= cache.lastChange) return fromCache(options, served, '', revision);
  return fromStore(options, served, server, revision, '');
}

function fromCache(options: ListOptions, served: Served, after: string, revision: number): Page {
  const { selection, limit } = options;
  const { cache } = served;
  const found = cache.list(selection, after);
  cache.counts.lists++;
  cache.counts.listReturned += limit === 0 ? found.length : Math.min(found.length, limit);
  if (limit === 0 || found.length <= limit) return { objects: found, revision, continue: undefined, next: undefined, remaining: undefined };
  const objects = found.slice(0, limit);
  const hasSelector = selection.labels.length > 0 || selection.fields.length > 0;
  const next = { revision, after: objects.at(-1)?.key ?? '' };
  return {
    objects,
    revision,
    continue: writeContinue(next, served, selection.namespace),
    next,
    remaining: hasSelector ? undefined : found.length - limit,
  };
}

const storePageLimit = 500;

async function fromStore(options: ListOptions, served: Served, server: ServerParts, revision: number, after: string): Promise<Page> {
  const { selection, limit } = options;
  const { codec } = served.registry;
  const prefix = codec.prefixOf(selection.namespace);
  const objects: StoredObject[] = [];
  let last = after;
  for (;;) {
    const pageLimit = limit === 0 ? storePageLimit : Math.min(storePageLimit, limit - objects.length);
    const page = await readStorePage(
      server,
      prefix,
      { revision, limit: pageLimit, ...(last ? { after: last } : {}) },
      served,
      selection.namespace,
    );
    const entries = codec.isConverted ? await codec.fromStore(page.entries) : page.entries;
    for (const entry of entries) {
      const object = codec.fromEntry(entry);
      if (selects(selection, object)) objects.push(object);
    }
    last = page.entries.at(-1)?.key ?? last;
    if (page.remaining === 0 || page.entries.length === 0)
      return { objects, revision, continue: undefined, next: undefined, remaining: undefined };
    if (limit > 0 && objects.length >= limit) {
      const hasSelector = selection.labels.length > 0 || selection.fields.length > 0;
      const next = { revision, after: last };
      const text = writeContinue(next, served, selection.namespace);
      return { objects, revision, continue: text, next, remaining: hasSelector ? undefined : page.remaining };
    }
  }
}

async function readStorePage(
  server: ServerParts,
  prefix: string,
  options: { revision: number; limit: number; after?: string },
  served: Served,
  namespace: string,
) {
  try {
    return await server.store.list(prefix, options);
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    if (options.after === undefined) throw goneError(`The resourceVersion for the provided list is too old.`);
    throw new ExpiredContinueError(writeContinue({ revision: -1, after: options.after }, served, namespace));
  }
}
