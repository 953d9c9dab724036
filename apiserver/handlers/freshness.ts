// Waiting until the caches know enough for a request.

import { StatusError } from '../../api/status.ts';
import type { Served } from '../registry/resource-table.ts';
import type { ServerParts } from './handler.ts';

/** How long a read waits for the caches to catch up, in milliseconds: Kubernetes' own bound. */
const waitMs = 3000;

type Parts = Pick<ServerParts, 'feed' | 'cacheMetrics' | 'clock'>;

/** @throws StatusError Timeout when the revision does not come, or what a webhook failed with that converts `served` */
export async function waitForRevision(server: Parts, revision: number, served?: Served): Promise<void> {
  const pending = server.feed.waitFor(revision, waitMs);
  if (pending === true || (await measured(server, pending, served))) return served?.conversion?.caughtUp(revision);
  throw new StatusError('Timeout', `Timeout: Too large resource version: ${revision}, current: ${server.feed.revision}`, {
    details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 },
  });
}

async function measured(server: Parts, pending: Promise<boolean>, served?: Served): Promise<boolean> {
  const startMs = server.clock.monotonicMs();
  const hasCome = await pending;
  if (served) server.cacheMetrics.waited(served.kind, (server.clock.monotonicMs() - startMs) / 1000);
  return hasCome;
}

/** Resolves once the caches hold everything that had been written when it was called. */
export async function waitForNow(server: Parts & Pick<ServerParts, 'store'>, served?: Served): Promise<void> {
  await waitForRevision(server, await server.store.currentRevision(), served);
}
