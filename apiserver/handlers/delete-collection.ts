// DELETE of a collection: page after page, each selected object by itself, as many at a time as do not crowd out others.

import { isStatus } from '../../api/status.ts';
import type { ApiContext } from '../context.ts';
import { timeoutError } from '../filters/deadline.ts';
import { readAccept } from '../negotiate/accept.ts';
import { type ListMetadata, protobufOf, sendList } from '../negotiate/render.ts';
import type { StoredObject } from '../registry/object-codec.ts';
import type { Served } from '../registry/resource-table.ts';
import { deleteRequest, readDeleteOptions } from './delete.ts';
import type { ResourceHandler, ServerParts } from './handler.ts';
import { listMetadata, type Page, readPage } from './list.ts';
import { type ListOptions, readListOptions } from './list-options.ts';

const workerCount = 16;
/** How many are read at a time when the client has set no limit; Kubernetes' own number. */
const pageLimit = 10_000;

export const deleteCollection: ResourceHandler = async (ctx, served, server) => {
  // What cannot be answered must not be begun.
  readAccept(ctx.req.headers.accept, true, protobufOf(served));
  const listOptions = readListOptions(ctx, served);
  const options = await readDeleteOptions(ctx);
  const request = deleteRequest(ctx, served, options);
  const found: StoredObject[] = [];
  let metadata: ListMetadata = { resourceVersion: '' };
  for await (const page of pagesOf(listOptions, served, server)) {
    // Nothing is left to go on with but after the one page that was asked for.
    metadata = listOptions.limit > 0 ? listMetadata(page) : { resourceVersion: String(page.revision) };
    await forEach(page.objects, ctx, async (object) => {
      try {
        await served.registry.delete(object.name, { ...request, namespace: object.namespace, isOfCollection: true }, { ...options });
      } catch (error) {
        // Someone else's deletion does as well.
        if (!isStatus(error, 'NotFound')) throw error;
      }
    });
    found.push(...page.objects);
  }
  // As they were found: that they have gone is what was asked for.
  return sendList(ctx, served, found, metadata, server.clock.nowMs());
};

/** One page when the client asks for one; otherwise all, at the revision of the first. */
async function* pagesOf(listOptions: ListOptions, served: Served, server: ServerParts): AsyncGenerator<Page> {
  const hasLimit = listOptions.limit > 0;
  let options = hasLimit ? listOptions : { ...listOptions, limit: pageLimit };
  for (;;) {
    const page = await readPage(options, served, server);
    yield page;
    if (hasLimit || !page.next) return;
    options = { ...options, continue: page.next, revision: undefined, match: '' };
  }
}

/**
 * Runs `task` for each object, several at a time; after a failure no more are begun, and those that are under way end.
 * @throws what the first of them failed with
 */
async function forEach(objects: readonly StoredObject[], ctx: ApiContext, task: (object: StoredObject) => Promise<void>): Promise<void> {
  const { deadline, exchange } = ctx.state;
  const failures: unknown[] = [];
  const queue = objects.values();
  async function work(): Promise<void> {
    // All workers draw from one iterator.
    for (const object of queue) {
      if (failures.length > 0 || deadline?.aborted || exchange.signal.aborted) return;
      try {
        await task(object);
      } catch (error) {
        failures.push(error);
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(workerCount, objects.length) }, work));
  if (failures.length > 0) throw failures[0];
  exchange.signal.throwIfAborted();
  if (deadline?.aborted) throw timeoutError();
}
