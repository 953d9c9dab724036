// One watch on the store for the whole server. Every write, of whatever kind, moves every cache to its revision, so a
// consistent read is a wait for one number.

import type { Subscription } from 'rxjs';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Entry, Store, StoreEvent, WatchBatch } from '../../store/store.ts';

/** What the feed fills. */
export interface FeedTarget {
  readonly prefix: string;
  /** Starts over with what the store holds at `revision`; ends every watch that goes on from before. */
  reset(pages: AsyncIterable<Entry[]>, revision: number): Promise<void>;
  /** Called for every write under `prefix`, also while `reset` is still reading. */
  apply(event: StoreEvent): void;
}

const root = '/registry/';
const pageLimit = 2000;
const restartDelayMs = 200;

interface Waiter {
  revision: number;
  resolve(reached: boolean): void;
}

export class StoreFeed {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #targets = new Map<string, FeedTarget[]>();
  #revision = 0;
  #subscription: Subscription | undefined;
  #waiters: Waiter[] = [];
  #isClosed = false;
  #isSynced = false;

  constructor(options: { store: Store; clock: Clock; log: Log }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Every write up to this revision is in the caches. */
  get revision(): number {
    return this.#revision;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Fills the targets added so far and follows the store from there. */
  async start(): Promise<void> {
    const revision = await this.#store.currentRevision();
    for (const targets of this.#targets.values()) for (const target of targets) await this.#fill(target, revision);
    this.#revision = revision;
    this.#isSynced = true;
    this.#settleWaiters();
    this.#subscription = this.#store.watch(root, revision).subscribe({
      next: (batch) => this.#apply(batch),
      error: (error: unknown) => this.#restart(error),
      complete: () => this.#restart(new Error('the store ended the watch')),
    });
  }

  /** Adds a kind; when the feed runs already, resolves once it is filled. */
  async add(target: FeedTarget): Promise<void> {
    const beside = this.#targets.get(target.prefix);
    if (beside) beside.push(target);
    else this.#targets.set(target.prefix, [target]);
    if (this.#isSynced) await this.#fill(target, this.#revision);
  }

  remove(target: FeedTarget): void {
    const left = (this.#targets.get(target.prefix) ?? []).filter((t) => t !== target);
    if (left.length) this.#targets.set(target.prefix, left);
    else this.#targets.delete(target.prefix);
  }

  /** What the store holds as of what the feed has told so far: whatever comes later, `apply` is called for. */
  async read(prefix: string, take: (pages: AsyncIterable<Entry[]>, revision: number) => Promise<void>): Promise<void> {
    const revision = this.#revision;
    await take(this.#pages(prefix, revision), revision);
  }

  /** Whether every write up to `revision` has arrived within `withinMs`. */
  waitFor(revision: number, withinMs: number): Promise<boolean> | true {
    if (this.#revision >= revision) return true;
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(withinMs, () => {
        this.#waiters = this.#waiters.filter((w) => w !== waiter);
        resolve(false);
      });
      const waiter: Waiter = {
        revision,
        resolve: (reached) => {
          timer.cancel();
          resolve(reached);
        },
      };
      this.#waiters.push(waiter);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#subscription?.unsubscribe();
    for (const waiter of this.#waiters) waiter.resolve(false);
    this.#waiters = [];
  }

  #apply(batch: WatchBatch): void {
    for (const event of batch.events) {
      const key = event.type === 'put' ? event.entry.key : event.key;
      const targets = this.#targets.get(key.slice(0, key.indexOf('/', key.indexOf('/', root.length) + 1) + 1));
      if (targets) for (const target of targets) target.apply(event);
    }
    this.#revision = batch.revision;
    if (this.#waiters.length) this.#settleWaiters();
  }

  #settleWaiters(): void {
    const reached = this.#waiters.filter((w) => w.revision <= this.#revision);
    if (reached.length === 0) return;
    this.#waiters = this.#waiters.filter((w) => w.revision > this.#revision);
    for (const waiter of reached) waiter.resolve(true);
  }

  async #fill(target: FeedTarget, revision: number): Promise<void> {
    await target.reset(this.#pages(target.prefix, revision), revision);
  }

  async *#pages(prefix: string, revision: number) {
    if (revision === 0) return;
    let after: string | undefined;
    for (;;) {
      const page = await this.#store.list(prefix, { revision, limit: pageLimit, ...(after === undefined ? {} : { after }) });
      if (page.entries.length) yield page.entries;
      if (page.remaining === 0 || page.entries.length === 0) return;
      after = page.entries.at(-1)?.key;
    }
  }

  #restart(error: unknown): void {
    if (this.#isClosed) return;
    this.#isSynced = false;
    this.#log.warn('the watch on the store ended; reading it anew', { error: String(error) });
    this.#clock.setTimer(restartDelayMs, () => {
      if (this.#isClosed) return;
      this.start().catch((failure: unknown) => this.#restart(failure));
    });
  }
}
