// Watches over a History. Each watcher is a position in it, so nothing is buffered on its behalf: the past and the
// present are delivered by the same loop, in order, without gap or duplicate.

import { Observable, type Subscriber } from 'rxjs';
import type { History } from './history.ts';
import { CompactedError, type StoreEvent, type WatchBatch } from './store.ts';

/** Revisions looked through in one go for a watcher that is behind; between two goes the event loop runs. */
const chunkRevisionsMax = 1000;

interface Watcher {
  readonly prefix: string;
  readonly subscriber: Subscriber<WatchBatch>;
  /** Everything up to and including this revision has been delivered. */
  position: number;
  /** Being delivered to (perhaps further up the stack), or waiting for its next chunk. */
  isBusy: boolean;
}

export class WatchHub {
  readonly #history: History;
  readonly #watchers = new Set<Watcher>();
  #isClosed = false;

  constructor(history: History) {
    this.#history = history;
  }

  /** As Store.watch. Nothing is delivered before subscribe() has returned. */
  watch(prefix: string, afterRevision: number): Observable<WatchBatch> {
    return new Observable((subscriber) => {
      if (this.#isClosed) {
        subscriber.complete();
        return undefined;
      }
      const watcher: Watcher = { prefix, subscriber, position: afterRevision, isBusy: true };
      this.#watchers.add(watcher);
      queueMicrotask(() => this.#deliver(watcher, new Map()));
      return () => {
        this.#watchers.delete(watcher);
      };
    });
  }

  /** Tells every watcher about the revisions that the history has gained. */
  notify(): void {
    const made = new Map<number, StoreEvent>();
    for (const watcher of this.#watchers) {
      if (!watcher.isBusy) this.#deliver(watcher, made);
    }
  }

  /** Completes every watch. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const watcher of this.#watchers) watcher.subscriber.complete();
    this.#watchers.clear();
  }

  #deliver(watcher: Watcher, made: Map<number, StoreEvent>): void {
    const { subscriber, prefix } = watcher;
    const history = this.#history;
    watcher.isBusy = true;
    // A subscriber may write while it is told; the loop then goes on with what was written.
    for (let scanned = 0; !subscriber.closed; ) {
      const after = watcher.position;
      if (after < history.compactRevision) {
        subscriber.error(new CompactedError(history.compactRevision));
        return;
      }
      if (after >= history.revision) break;
      if (scanned >= chunkRevisionsMax) {
        setImmediate(() => this.#deliver(watcher, new Map()));
        return;
      }
      const until = Math.min(history.revision, after + chunkRevisionsMax);
      scanned += until - after;
      const events = history.events(prefix, after, until, made);
      watcher.position = until;
      if (events.length > 0 || until === history.revision) subscriber.next({ events, revision: until });
    }
    watcher.isBusy = false;
  }
}
