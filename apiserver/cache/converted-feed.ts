// What stands between the store's feed and a version's watch cache when a webhook converts to that version: each write is
// converted before the cache hears of it, in order, and as many at once as have come meanwhile. So the cache, and all who
// read it, stay as they are for kinds that nobody converts.

import { StatusError } from '../../api/status.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { type Entry, type StoreEvent, UnreadableValueError } from '../../store/store.ts';
import type { ObjectCodec } from '../registry/object-codec.ts';
import type { FeedTarget, StoreFeed } from './store-feed.ts';

const retryDelayMs = 1000;
const batchLengthMax = 500;
/** When more wait for a slow webhook, the store is read anew instead. */
const queueLengthMax = 10_000;

/** `current`: the cache holds what the feed has told. `failed`: it is behind, and is filled anew when somebody reads or time has passed. */
type State = 'current' | 'converting' | 'failed';

export class ConvertedFeed implements FeedTarget {
  readonly #codec: ObjectCodec;
  readonly #feed: StoreFeed;
  readonly #clock: Clock;
  #cache: FeedTarget | undefined;
  #state: State = 'converting';
  #queue: StoreEvent[] = [];
  /** Unless current: every write up to here is in the cache. */
  #reached = 0;
  /** Counts fillings: what was begun before the newest has no more to say. */
  #filling = 0;
  /** Never rejects. */
  #working: Promise<void> = Promise.resolve();
  #refilling: Promise<void> | undefined;
  #retry: Timer | undefined;
  #isClosed = false;

  constructor(options: { codec: ObjectCodec; feed: StoreFeed; clock: Clock }) {
    this.#codec = options.codec;
    this.#feed = options.feed;
    this.#clock = options.clock;
  }

  /** Names the cache, before anything is told. */
  lead(cache: FeedTarget): void {
    this.#cache = cache;
  }

  get prefix(): string {
    return this.#codec.storagePrefix;
  }

  /** Every write up to this revision is in the cache. */
  get revision(): number {
    return this.#state === 'current' ? this.#feed.revision : this.#reached;
  }

  /** Does not reject when the webhook fails: a server starts without its webhooks. */
  async reset(pages: AsyncIterable<Entry[]>, revision: number): Promise<void> {
    try {
      await this.#fill(pages, revision);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
    }
  }

  apply(event: StoreEvent): void {
    if (this.#state === 'failed') return;
    if (this.#queue.push(event) > queueLengthMax) this.#fail();
    if (this.#state !== 'current') return;
    this.#state = 'converting';
    this.#reached = revisionOf(event) - 1;
    this.#working = this.#convertQueue();
  }

  fail(error: UnreadableValueError): void {
    this.#filling++;
    this.#queue = [];
    this.#retry?.cancel();
    // There is nothing to convert: the feed fills everything anew once it can be read.
    this.#state = 'current';
    this.#cache?.fail(error);
  }

  /**
   * Resolves once the cache holds every write up to `revision`, which the feed has told.
   * @throws StatusError when they cannot be converted
   */
  async caughtUp(revision: number): Promise<void> {
    if (this.revision >= revision) return;
    await this.#working;
    if (this.#state !== 'current') await this.#refill();
  }

  close(): void {
    this.#isClosed = true;
    this.#queue = [];
    this.#retry?.cancel();
  }

  #fill(pages: AsyncIterable<Entry[]>, revision: number): Promise<void> {
    this.#state = 'converting';
    this.#queue = [];
    this.#filling++;
    const filled = this.#fillOnce(pages, revision);
    // Whoever asked for it is told of its failure.
    this.#working = filled.catch(() => undefined);
    return filled;
  }

  async #fillOnce(pages: AsyncIterable<Entry[]>, revision: number): Promise<void> {
    const own = this.#filling;
    try {
      const converted: Entry[][] = [];
      for await (const page of pages)
        for (let at = 0; at < page.length; at += batchLengthMax)
          converted.push(await this.#codec.fromStore(page.slice(at, at + batchLengthMax)));
      if (this.#isClosed || own !== this.#filling) return;
      await this.#cache?.reset(inOrder(converted), revision);
    } catch (error) {
      if (own === this.#filling) this.#fail();
      throw error;
    }
    this.#reached = revision;
    await this.#convertQueue();
  }

  async #convertQueue(): Promise<void> {
    const own = this.#filling;
    while (this.#queue.length > 0 && this.#state === 'converting') {
      const batch = this.#queue.splice(0, batchLengthMax);
      let entries: Entry[];
      try {
        entries = await this.#codec.fromStore(batch.flatMap((event) => (event.type === 'put' ? [event.entry] : [])));
      } catch (error) {
        if (own === this.#filling) this.#fail();
        if (error instanceof StatusError) return;
        throw error;
      }
      if (this.#isClosed || this.#state !== 'converting' || own !== this.#filling) return;
      const puts = entries.values();
      for (const event of batch) {
        this.#cache?.apply(event.type === 'put' ? { ...event, entry: puts.next().value as Entry } : event);
        this.#reached = revisionOf(event);
      }
    }
    if (this.#state === 'converting' && own === this.#filling) this.#state = 'current';
  }

  #fail(): void {
    this.#state = 'failed';
    this.#queue = [];
    if (this.#isClosed) return;
    this.#retry?.cancel();
    this.#retry = this.#clock.setTimer(retryDelayMs, () => {
      if (this.#state !== 'failed') return;
      this.#refill().catch((error: unknown) => {
        // It is tried again in its time, and whoever reads hears of it.
        if (!(error instanceof StatusError || error instanceof UnreadableValueError)) throw error;
      });
    });
  }

  /** Fills the cache anew; those who come meanwhile wait for the same. @throws StatusError */
  #refill(): Promise<void> {
    this.#refilling ??= this.#feed
      .read(this.prefix, (pages, revision) => this.#fill(pages, revision))
      .finally(() => {
        this.#refilling = undefined;
      });
    return this.#refilling;
  }
}

async function* inOrder(pages: Entry[][]) {
  yield* pages;
}

const revisionOf = (event: StoreEvent) => (event.type === 'put' ? event.entry.modRevision : event.modRevision);
