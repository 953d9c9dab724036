// A watch as the contract suite looks at one: everything it has said so far, and ways to wait for more. It checks
// on the way what must hold of every batch.

import assert from 'node:assert/strict';
import { setTimeout as after } from 'node:timers/promises';
import type { Observable, Subscription } from 'rxjs';
import type { Entry, ListResult, StoreEvent, WatchBatch } from './store.ts';

const deadlineMs = 20_000;

export class Watching {
  readonly batches: WatchBatch[] = [];
  readonly events: StoreEvent[] = [];
  /** What the watch failed with. */
  error: unknown;
  isEnded = false;
  /** As of the last batch. */
  revision = 0;
  readonly #subscription: Subscription;
  readonly #waiting = new Set<() => void>();

  constructor(watch: Observable<WatchBatch>, onEvent: (event: StoreEvent) => void = () => {}) {
    const ended = (error?: unknown) => {
      this.error = error;
      this.isEnded = true;
      this.#wake();
    };
    this.#subscription = watch.subscribe({
      next: (batch) => {
        this.#take(batch);
        for (const event of batch.events) onEvent(event);
        this.#wake();
      },
      error: ended,
      complete: () => ended(),
    });
  }

  /** Waits until everything up to and including `revision` has been delivered. */
  async reaches(revision: number): Promise<void> {
    await this.until(() => this.revision >= revision || this.isEnded);
    assert.ok(this.revision >= revision, `the watch ended at ${this.revision}, before ${revision}: ${this.error}`);
  }

  async until(condition: () => boolean): Promise<void> {
    const giveUp = new AbortController();
    const late = after(deadlineMs, true, { signal: giveUp.signal }).catch(() => false);
    while (!condition()) {
      let wake = () => {};
      const woken = new Promise<false>((resolve) => {
        wake = () => resolve(false);
      });
      this.#waiting.add(wake);
      const isLate = await Promise.race([woken, late]);
      this.#waiting.delete(wake);
      if (isLate)
        assert.fail(`waited for ${deadlineMs} ms; the watch stands at revision ${this.revision} after ${this.events.length} events`);
    }
    giveUp.abort();
  }

  stop(): void {
    this.#subscription.unsubscribe();
  }

  #take(batch: WatchBatch): void {
    assert.ok(
      batch.revision > this.revision,
      `revision ${batch.revision} after ${this.revision}: a revision is never split between batches`,
    );
    let last = this.revision;
    for (const event of batch.events) {
      const revision = revisionOf(event);
      assert.ok(revision >= last && revision > this.revision, 'events come in order of their revisions');
      assert.ok(revision <= batch.revision, 'a batch says how far it goes');
      last = revision;
    }
    this.batches.push(batch);
    this.events.push(...batch.events);
    this.revision = batch.revision;
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

export function revisionOf(event: StoreEvent): number {
  return event.type === 'put' ? event.entry.modRevision : event.modRevision;
}

export function eventKeys(events: readonly StoreEvent[]): string[] {
  return events.map((event) => (event.type === 'put' ? event.entry.key : event.key));
}

export function keysOf(result: ListResult): string[] {
  return result.entries.map((entry) => entry.key);
}

/** The value of an entry as text. */
export function text(entry: Entry | undefined): string | undefined {
  return entry && Buffer.from(entry.value).toString();
}
