// A watch for one consumer that takes its time: batches wait in a bounded buffer, and a consumer that falls further
// behind is cut, so that nobody's slowness costs unbounded memory.

import type { Observable } from 'rxjs';
import { SlowWatcherError, type WatchBatch } from './store.ts';

export interface WatchIteratorOptions {
  /** Batches that may wait; progress takes no room. Default 1,000. */
  bufferedMax?: number;
}

/**
 * Subscribes at once, and unsubscribes when the loop over it ends.
 * @throws what the watch ends with; SlowWatcherError when more than `bufferedMax` batches wait.
 */
export function watchIterator(watch: Observable<WatchBatch>, options: WatchIteratorOptions = {}): AsyncIterableIterator<WatchBatch> {
  const { bufferedMax = 1000 } = options;
  const waiting: WatchBatch[] = [];
  let ended: { error?: unknown } | undefined;
  let wake: (() => void) | undefined;
  const end = (how: { error?: unknown }) => {
    ended ??= how;
    wake?.();
  };
  const subscription = watch.subscribe({
    next(batch) {
      if (waiting.at(-1)?.events.length === 0) waiting.pop();
      if (waiting.length >= bufferedMax && batch.events.length > 0) {
        waiting.length = 0;
        subscription.unsubscribe();
        end({ error: new SlowWatcherError(bufferedMax) });
        return;
      }
      waiting.push(batch);
      wake?.();
    },
    error: (error) => end({ error }),
    complete: () => end({}),
  });
  return {
    async next() {
      while (waiting.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const batch = waiting.shift();
      if (batch) return { value: batch, done: false };
      if (ended && 'error' in ended) throw ended.error;
      return { value: undefined, done: true };
    },
    async return() {
      subscription.unsubscribe();
      waiting.length = 0;
      end({});
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
