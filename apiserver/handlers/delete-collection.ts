// DELETE of a collection: each selected object by itself, as many at a time as do not crowd out others.

import { isStatus } from '../../api/status.ts';
import { sendList } from '../negotiate/render.ts';
import { deleteRequest, readDeleteOptions } from './delete.ts';
import type { ResourceHandler } from './handler.ts';
import { listMetadata, readPage } from './list.ts';
import { readListOptions } from './list-options.ts';

const concurrency = 16;

export const deleteCollection: ResourceHandler = async (ctx, served, server) => {
  const options = await readDeleteOptions(ctx);
  const listOptions = readListOptions(ctx, served);
  const request = deleteRequest(ctx, served, options);
  const page = await readPage(listOptions, served, server);
  const queue = page.objects.values();
  async function work(): Promise<void> {
    // All workers draw from one iterator.
    for (const object of queue) {
      try {
        const each = { ...request, namespace: object.namespace, isOfCollection: true };
        await served.registry.delete(object.name, each, { ...options });
      } catch (error) {
        // Someone else's deletion does as well.
        if (!isStatus(error, 'NotFound')) throw error;
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, page.objects.length) }, work));
  // As they were found: that they have gone is what was asked for.
  return sendList(ctx, served, page.objects, listMetadata(page), server.clock.nowMs());
};
