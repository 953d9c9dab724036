// One watch on the store for the whole server. Every write, of whatever kind, moves every cache to its revision, so a
// consistent read is a wait for one number.

import type { Subscription } from 'rxjs';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { type Entry, type Store, type StoreEvent, UnreadableValueError, type WatchBatch } from '../../store/store.ts';

/** What the feed fills. */
export interface FeedTarget {
  readonly prefix: string;
  /** Starts over with what the store holds at `revision`; ends every watch that goes on from before. */
  reset(pages: AsyncIterable<Entry[]>, revision: number): Promise<void>;
  /** Called for every write under `prefix`, also while `reset` is still reading. */
  apply(event: StoreEvent): void;
  /** What the store holds cannot be read: nothing is told until the next `reset`; one that is under way counts no more. */
  fail(error: UnreadableValueError): void;
}

const root = '/registry/';
const pageLimit = 2000;
const restartDelayMs = 200;
const unreadableRetryDelayMs = 1000;

interface Waiter {
  revision: number;
  resolve(reached: boolean): void;
}

export class StoreFeed {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #targets = new Map<string, FeedTarget[]>();
  /** Targets whose values could not be read, with what tries again. */
  readonly #unreadable = new Map<FeedTarget, Timer>();
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

  /** Prefixes under which there are values that cannot be read. */
  get unreadablePrefixes(): string[] {
    return [...new Set([...this.#unreadable.keys()].map(({ prefix }) => prefix))];
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
    this.#forgetFailure(target);
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
    for (const target of [...this.#unreadable.keys()]) this.#forgetFailure(target);
  }

  #apply(batch: WatchBatch): void {
    for (const event of batch.events) {
      const key = event.type === 'put' ? event.entry.key : event.key;
      const targets = this.#targets.get(key.slice(0, key.indexOf('/', key.indexOf('/', root.length) + 1) + 1));
      if (targets) for (const target of targets) this.#tell(target, event);
    }
    this.#revision = batch.revision;
    if (this.#waiters.length) this.#settleWaiters();
  }

  #tell(target: FeedTarget, event: StoreEvent): void {
    if (event.type === 'put' && event.entry.unreadable) this.#fail(target, event.entry.unreadable);
    else if (!this.#unreadable.has(target)) target.apply(event);
  }

  #settleWaiters(): void {
    const reached = this.#waiters.filter((w) => w.revision <= this.#revision);
    if (reached.length === 0) return;
    this.#waiters = this.#waiters.filter((w) => w.revision > this.#revision);
    for (const waiter of reached) waiter.resolve(true);
  }

  async #fill(target: FeedTarget, revision: number): Promise<void> {
    const hadFailed = this.#forgetFailure(target);
    try {
      await target.reset(this.#pages(target.prefix, revision), revision);
    } catch (error) {
      if (!(error instanceof UnreadableValueError)) throw error;
      this.#fail(target, error, hadFailed);
    }
  }

  /** The other targets go on; this one is tried again, since a key may come back or the value may go. */
  #fail(target: FeedTarget, error: UnreadableValueError, isKnown = this.#forgetFailure(target)): void {
    target.fail(error);
    if (this.#isClosed) return;
    if (!isKnown) this.#log.error('a kind cannot be read', { prefix: target.prefix, error: error.message });
    const retry = this.#clock.setTimer(unreadableRetryDelayMs, () => {
      this.#fill(target, this.#revision).catch((failure: unknown) => {
        if (!this.#isClosed) this.#fail(target, new UnreadableValueError(target.prefix, String(failure), { cause: failure }), true);
      });
    });
    this.#unreadable.set(target, retry);
  }

  /** Whether there was one. */
  #forgetFailure(target: FeedTarget): boolean {
    this.#unreadable.get(target)?.cancel();
    return this.#unreadable.delete(target);
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
