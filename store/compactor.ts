// Forgets history that nobody should need any more: every five minutes what was already history five minutes before.
// Several servers on one store agree, through a key of their own, on who does it each time (as kube-apiserver's do).

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { ConflictError, KeyExistsError, type Store } from './store.ts';

export interface CompactorOptions {
  store: Store;
  clock: Clock;
  log: Log;
  /** How often, and how much history at least stays. Default five minutes. */
  intervalMs?: number;
}

/** Outside of /registry/: no object. Its value is the newest revision when it was last written, in decimal. */
const agreementKey = '/compact_rev_key';

/** Compacts until `stop` is called. */
export function startCompactor({ store, clock, log, intervalMs = 5 * 60_000 }: CompactorOptions): { stop(): void } {
  /** The agreement as it was last seen here. */
  let seen = { modRevision: 0, revision: 0 };
  let isStopped = false;
  let timer = clock.setTimer(intervalMs, tick);

  function tick(): void {
    compact()
      .catch((error: unknown) => {
        if (!isStopped) log.warn('old history could not be compacted; it is tried again', { error: String(error) });
      })
      .finally(() => {
        if (!isStopped) timer = clock.setTimer(intervalMs, tick);
      });
  }

  async function compact(): Promise<void> {
    const revision = await store.currentRevision();
    try {
      const modRevision = await store.put(agreementKey, Buffer.from(String(revision)), seen.modRevision);
      const due = seen.revision;
      seen = { modRevision, revision };
      if (due > 0) await store.compact(due);
    } catch (error) {
      if (!(error instanceof ConflictError || error instanceof KeyExistsError)) throw error;
      // Another server did it this time, and next time starts from what it said.
      const { current } = error;
      seen = current
        ? { modRevision: current.modRevision, revision: Number(Buffer.from(current.value).toString()) }
        : { modRevision: 0, revision: 0 };
    }
  }

  return {
    stop() {
      isStopped = true;
      timer.cancel();
    },
  };
}
