// Events are kept for a while after they were last written, as a lease of etcd's keeps them for kube-apiserver: deletions
// that nobody asked for, so neither admission nor finalizers have a say, and watches see them.

import { events } from '../../api/core.ts';
import type { KubeObject } from '../../api/wire.ts';
import { ConflictError } from '../../store/store.ts';
import type { ServerParts } from '../handlers/handler.ts';
import type { StoredObject } from './object-codec.ts';

const periodMs = 60_000;

/** Looks once a minute. */
export function expireEvents(server: ServerParts, ttlSeconds: number): { close(): void } {
  const { clock, log } = server;
  let isClosed = false;
  /** Of each event as it was last seen, so that it is read once for each write. */
  let seen = new Map<string, { revision: number; writtenMs: number }>();
  let timer = clock.setTimer(periodMs, round);

  function round(): void {
    look()
      .catch((error: unknown) => log.warn('old events could not be removed', { error: String(error) }))
      .finally(() => {
        if (!isClosed) timer = clock.setTimer(periodMs, round);
      });
  }

  async function look(): Promise<void> {
    const cache = server.resources.ofKind(events)?.cache;
    if (!cache) return;
    const nowMs = clock.nowMs();
    const known = seen;
    seen = new Map();
    const due: StoredObject[] = [];
    for (const event of cache.list({ namespace: '', name: '', labels: [], fields: [] })) {
      const before = known.get(event.key);
      const entry =
        before?.revision === event.revision ? before : { revision: event.revision, writtenMs: writtenMsOf(event.parse(), nowMs) };
      if (nowMs - entry.writtenMs >= ttlSeconds * 1000) due.push(event);
      else seen.set(event.key, entry);
    }
    for (const event of due) {
      if (isClosed) return;
      await removeUnlessWritten(event);
    }
  }

  async function removeUnlessWritten({ key, revision }: StoredObject): Promise<void> {
    try {
      await server.store.delete(key, revision);
    } catch (error) {
      // Written again meanwhile, or removed by another server.
      if (!(error instanceof ConflictError)) throw error;
    }
  }

  return {
    close() {
      isClosed = true;
      timer.cancel();
    },
  };
}

/** The last write is the newest of those whose fields are managed. */
function writtenMsOf({ metadata }: KubeObject, nowMs: number): number {
  const times = [metadata?.creationTimestamp, ...(metadata?.managedFields ?? []).map(({ time }) => time)];
  const known = times.flatMap((time) => (time ? [Date.parse(time)] : [])).filter((ms) => !Number.isNaN(ms));
  return known.length > 0 ? Math.max(...known) : nowMs;
}
