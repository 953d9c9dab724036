// Follows one kind on the server: lists it page by page, then watches from there, as a named state machine
// (after kube-rs' watcher). It holds no objects; its events have one consumer, which keeps them.

import { Observable, Subscription } from 'rxjs';
import { groupResourceOf, type Kind } from '../api/kind.ts';
import { isStatus } from '../api/status.ts';
import type { KubeObject, WatchEvent } from '../api/wire.ts';
import { isAbortError } from '../base/abort.ts';
import { backoffMs } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { CacheScope } from './cache.ts';
import type { Client } from './client.ts';

export type ReflectorEvent<T> =
  /** Everything there is, at one resourceVersion: replaces whatever was known. */
  | { type: 'relist'; items: T[]; resourceVersion: string }
  | { type: 'apply'; object: T; resourceVersion: string }
  | { type: 'delete'; object: T; resourceVersion: string }
  | { type: 'bookmark'; resourceVersion: string };

export interface ReflectorOptions<T extends KubeObject> {
  client: Client;
  kind: Kind<T>;
  scope?: CacheScope;
  clock: Clock;
  random: Random;
  log: Log;
  /** Items per page of a list. Default 500. */
  pageLimit?: number;
}

type State<T> =
  | { name: 'empty' }
  /** Nothing of a list is shown before its last page is in hand. */
  | { name: 'listing'; items: T[]; continue: string }
  | { name: 'watching'; resourceVersion: string };

const backoff = { baseMs: 100, capMs: 30_000, jitter: 1 };
const watchSecondsMin = 300;
/** How much longer than it asked for a watch may last before it counts as dead. */
const watchGraceMs = 15_000;

/** Never completes by itself; unsubscribing ends it. Failures are logged and retried. */
export function reflect<T extends KubeObject>(options: ReflectorOptions<T>): Observable<ReflectorEvent<T>> {
  return new Observable((subscriber) => {
    const end = new AbortController();
    const { kind, clock, random, log } = options;
    let failures = 0;

    const run = async () => {
      let state: State<T> = { name: 'empty' };
      while (!end.signal.aborted) {
        try {
          state = await step(options, state, end.signal, (event) => {
            failures = 0;
            subscriber.next(event);
          });
        } catch (error) {
          if (end.signal.aborted) return;
          if (!(error instanceof Error)) throw error;
          const isExpired = isStatus(error, 'Expired', 'Gone');
          if (isExpired && state.name === 'watching') log.debug(`watch of ${groupResourceOf(kind)} expired, listing again`);
          else if (!isAbortError(error)) log.warn(`${state.name} ${groupResourceOf(kind)} failed: ${error.message}`, { failures });
          // A watch that was refused for another reason goes on from where it was; a list starts over.
          if (isExpired || state.name !== 'watching') state = { name: 'empty' };
          await sleep(clock, backoffMs(failures++, backoff, random), end.signal);
        }
      }
    };
    run().catch((error) => {
      if (!end.signal.aborted) subscriber.error(error);
    });
    return () => end.abort();
  });
}

async function step<T extends KubeObject>(
  options: ReflectorOptions<T>,
  state: State<T>,
  signal: AbortSignal,
  emit: (event: ReflectorEvent<T>) => void,
): Promise<State<T>> {
  const { client, kind, scope = {}, pageLimit = 500 } = options;
  switch (state.name) {
    case 'empty':
      return { name: 'listing', items: [], continue: '' };
    case 'listing': {
      const page = await client.list(kind, { ...scope, limit: pageLimit, ...(state.continue ? { continue: state.continue } : {}) });
      if (signal.aborted) return state;
      const items = state.items.concat(page.items);
      if (page.metadata.continue) return { name: 'listing', items, continue: page.metadata.continue };
      const { resourceVersion = '' } = page.metadata;
      emit({ type: 'relist', items, resourceVersion });
      return { name: 'watching', resourceVersion };
    }
    case 'watching':
      // Mutated as events arrive, so that a watch that breaks goes on from the last one.
      await watchFrom(options, state, signal, emit);
      return state;
  }
}

function watchFrom<T extends KubeObject>(
  options: ReflectorOptions<T>,
  state: { resourceVersion: string },
  signal: AbortSignal,
  emit: (event: ReflectorEvent<T>) => void,
): Promise<void> {
  const { client, kind, scope = {}, clock, random } = options;
  const timeoutSeconds = Math.floor(watchSecondsMin * (1 + random.float()));
  return new Promise((resolve, reject) => {
    const subscription = new Subscription();
    const finish = (settle: () => void) => {
      deadline.cancel();
      signal.removeEventListener('abort', onAbort);
      subscription.unsubscribe();
      settle();
    };
    const onAbort = () => finish(() => reject(signal.reason));
    const deadline = clock.setTimer(timeoutSeconds * 1000 + watchGraceMs, () => finish(resolve));
    signal.addEventListener('abort', onAbort, { once: true });
    let seen = 0;
    const onEvent = (event: WatchEvent<T>) => {
      seen++;
      const { resourceVersion = '' } = event.object.metadata ?? {};
      state.resourceVersion = resourceVersion;
      if (event.type === 'BOOKMARK') emit({ type: 'bookmark', resourceVersion });
      else emit({ type: event.type === 'DELETED' ? 'delete' : 'apply', object: event.object, resourceVersion });
    };
    const startedMs = clock.monotonicMs();
    subscription.add(
      client.watch(kind, { ...scope, resourceVersion: state.resourceVersion, allowWatchBookmarks: true, timeoutSeconds }).subscribe({
        next: onEvent,
        error: (error) => finish(() => reject(error)),
        complete: () =>
          finish(() => {
            // A server that hangs up at once is failing, however politely: back off.
            if (seen === 0 && clock.monotonicMs() - startedMs < 1000) reject(new Error('the watch ended at once, without events'));
            else resolve();
          }),
      }),
    );
  });
}
