// Waiting until the caches know enough for a request.

import { StatusError } from '../../api/status.ts';
import type { Served } from '../registry/resource-table.ts';
import type { ServerParts } from './handler.ts';

/** How long a read waits for the caches to catch up, in milliseconds: Kubernetes' own bound. */
const waitMs = 3000;

/** @throws StatusError Timeout when the revision does not come, or what a webhook failed with that converts `served` */
export async function waitForRevision(server: Pick<ServerParts, 'feed'>, revision: number, served?: Served): Promise<void> {
  const pending = server.feed.waitFor(revision, waitMs);
  if (pending === true || (await pending)) return served?.conversion?.caughtUp(revision);
  throw new StatusError('Timeout', `Timeout: Too large resource version: ${revision}, current: ${server.feed.revision}`, {
    details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 },
  });
}

/** Resolves once the caches hold everything that had been written when it was called. */
export async function waitForNow(server: Pick<ServerParts, 'feed' | 'store'>, served?: Served): Promise<void> {
  await waitForRevision(server, await server.store.currentRevision(), served);
}
