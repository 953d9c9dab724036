// A store whose values are encrypted at rest as an EncryptionConfiguration says: stands between the registries and the
// store itself, which sees no clear text.

import { Observable } from 'rxjs';
import {
  ConflictError,
  type Entry,
  KeyExistsError,
  SlowWatcherError,
  type Store,
  type StoreEvent,
  UnreadableValueError,
  type WatchBatch,
} from '../../store/store.ts';
import { groupResourceOfKey } from './group-resource.ts';
import type { ResourceTransformers } from './resource-transformers.ts';

/** Batches of a watch that wait for somebody outside to decrypt the first of them. */
const waitingBatchesMax = 1000;

/** `store` with what `transformers` are for encrypted; closing it closes `store`. */
export function encryptedStore(store: Store, transformers: ResourceTransformers): Store {
  function seal(key: string, value: Uint8Array): Uint8Array {
    const resource = groupResourceOfKey(key);
    return resource ? transformers.of(resource).encrypt(value, key) : value;
  }

  function decrypt({ key, value }: Entry) {
    const resource = groupResourceOfKey(key);
    return resource ? transformers.of(resource).decrypt(value, key) : { value, isStale: false };
  }

  /** @throws UnreadableValueError, whose message `describe` makes */
  function open(entry: Entry, describe: (why: string) => string): Entry | Promise<Entry> {
    const failed = (error: unknown): never => {
      const why = error instanceof Error ? error.message : String(error);
      throw new UnreadableValueError(entry.key, describe(why), { cause: error });
    };
    const opened = (value: Uint8Array) => (value === entry.value ? entry : { ...entry, value });
    try {
      const result = decrypt(entry);
      return result instanceof Promise ? result.then(({ value }) => opened(value), failed) : opened(result.value);
    } catch (error) {
      return failed(error);
    }
  }

  const openOne = (entry: Entry) => open(entry, (why) => why);
  const openListed = (entry: Entry) => open(entry, (why) => `unable to transform key ${JSON.stringify(entry.key)}: ${why}`);

  /** What cannot be read is delivered as such: other keys' events must not stay away for it. */
  function openEvent(event: StoreEvent): StoreEvent | Promise<StoreEvent> {
    if (event.type === 'delete') return event;
    const opened = (entry: Entry): StoreEvent => ({ ...event, entry });
    const unreadable = (error: unknown): StoreEvent => {
      if (!(error instanceof UnreadableValueError)) throw error;
      return opened({ ...event.entry, value: new Uint8Array(), unreadable: error });
    };
    try {
      const entry = openListed(event.entry);
      return entry instanceof Promise ? entry.then(opened, unreadable) : opened(entry);
    } catch (error) {
      return unreadable(error);
    }
  }

  function openBatch({ events, revision }: WatchBatch): WatchBatch | Promise<WatchBatch> {
    const opened = all(events.map(openEvent));
    return opened instanceof Promise ? opened.then((ready) => ({ events: ready, revision })) : { events: opened, revision };
  }

  /** Somebody else's newest value comes with the refusal to overwrite it. */
  async function writing<R>(write: Promise<R>): Promise<R> {
    try {
      return await write;
    } catch (error) {
      if (error instanceof KeyExistsError) throw new KeyExistsError(error.key, await openOne(error.current));
      if (error instanceof ConflictError) throw new ConflictError(error.key, error.current && (await openOne(error.current)));
      throw error;
    }
  }

  return {
    currentRevision: () => store.currentRevision(),
    count: (prefix) => store.count(prefix),
    compact: (revision) => store.compact(revision),
    sizeBytes: () => store.sizeBytes(),
    close: () => store.close(),
    async isOutdated(key) {
      const entry = await store.get(key);
      return entry !== undefined && (await decrypt(entry)).isStale;
    },
    async get(key, revision) {
      const entry = await store.get(key, revision);
      return entry && openOne(entry);
    },
    async list(prefix, options) {
      const result = await store.list(prefix, options);
      return { ...result, entries: await all(result.entries.map(openListed)) };
    },
    async put(key, value, expectedRevision) {
      return writing(store.put(key, seal(key, value), expectedRevision));
    },
    delete: (key, expectedRevision) => writing(store.delete(key, expectedRevision)),
    watch: (prefix, afterRevision) => inOrder(store.watch(prefix, afterRevision), openBatch),
  };
}

/** A promise only when one of them is. */
function all<T>(values: (T | Promise<T>)[]): T[] | Promise<T[]> {
  return values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as T[]);
}

/** Maps every batch in order; those that come while one is waited for, wait too, up to a bound. */
function inOrder(source: Observable<WatchBatch>, map: (batch: WatchBatch) => WatchBatch | Promise<WatchBatch>): Observable<WatchBatch> {
  return new Observable((subscriber) => {
    /** Undefined while nobody waits. */
    let waiting: WatchBatch[] | undefined;
    let isComplete = false;
    async function drain(first: Promise<WatchBatch>): Promise<void> {
      try {
        subscriber.next(await first);
        for (let batch = waiting?.shift(); batch && !subscriber.closed; batch = waiting?.shift()) subscriber.next(await map(batch));
        waiting = undefined;
        if (isComplete) subscriber.complete();
      } catch (error) {
        subscriber.error(error);
      }
    }
    return source.subscribe({
      next(batch) {
        if (waiting) {
          if (waiting.push(batch) > waitingBatchesMax) subscriber.error(new SlowWatcherError(waitingBatchesMax));
          return;
        }
        const mapped = map(batch);
        if (mapped instanceof Promise) {
          waiting = [];
          void drain(mapped);
        } else subscriber.next(mapped);
      },
      error: (error) => subscriber.error(error),
      complete() {
        if (waiting) isComplete = true;
        else subscriber.complete();
      },
    });
  });
}
