// One kind's objects in memory and its newest changes: gets, lists and watches are served from here, never from the
// store, as long as they ask for something recent.

import type { FieldSelector } from '../../api/fields.ts';
import { fieldSelectorMatches } from '../../api/fields.ts';
import { type Selector, selectorMatches } from '../../api/labels.ts';
import { goneError } from '../../api/status.ts';
import type { Entry, StoreEvent, UnreadableValueError } from '../../store/store.ts';
import type { ObjectCodec, StoredObject } from '../registry/object-codec.ts';
import type { FeedTarget, StoreFeed } from './store-feed.ts';

/** One write, as watches see it. Frames made of it are kept here, so that all watches share them. */
export interface Change {
  readonly revision: number;
  /** The object after the write; undefined: it was deleted. */
  readonly after: StoredObject | undefined;
  readonly before: StoredObject | undefined;
  /** By encoding and event type. */
  readonly frames: Map<string, Buffer>;
}

/** Which objects a list or watch asks for. */
export interface Selection {
  /** '' for all. */
  namespace: string;
  /** '' for all. */
  name: string;
  labels: Selector;
  fields: FieldSelector;
}

export interface CacheListener {
  change(change: Change): void;
  /** The cache starts over: what this listener has seen has no continuation. */
  expired(): void;
}

/** What a cache has done since it was made. */
export interface CacheCounts {
  lists: number;
  /** Objects that lists and beginnings of watches looked at, and those that lists answered with. */
  listFetched: number;
  listReturned: number;
  /** Lists that asked for the newest state. */
  consistentReads: number;
  initializations: number;
  /** Objects that it was filled with. */
  initialEvents: number;
  events: number;
  /** Watches that were cut off because they did not read. */
  terminatedWatchers: number;
}

/** How many changes a cache remembers at most. */
export const ringLengthMax = 4096;
const ringBytesMax = 32 << 20;

export class WatchCache implements FeedTarget {
  readonly codec: ObjectCodec;
  readonly #feed: Pick<StoreFeed, 'revision'>;
  #keys: string[] = [];
  #objects = new Map<string, StoredObject>();
  #ring: Change[] = [];
  #ringBytes = 0;
  /** Every change after this revision is in the ring. */
  #ringAfter = 0;
  #filledAt = 0;
  #lastChange = 0;
  #bytes = 0;
  /** Changes that arrive while `reset` reads. */
  #waiting: StoreEvent[] | undefined;
  /** Counts fillings: one that was begun before the newest, or before a failure, has no more to say. */
  #filling = 0;
  #failure: UnreadableValueError | undefined;
  readonly #listeners = new Set<CacheListener>();
  readonly counts: CacheCounts = {
    lists: 0,
    listFetched: 0,
    listReturned: 0,
    consistentReads: 0,
    initializations: 0,
    initialEvents: 0,
    events: 0,
    terminatedWatchers: 0,
  };

  /** `feed`: how far the writes have come that this cache is told of. */
  constructor(codec: ObjectCodec, feed: Pick<StoreFeed, 'revision'>) {
    this.codec = codec;
    this.#feed = feed;
  }

  get prefix(): string {
    return this.codec.storagePrefix;
  }

  /** Every write up to this revision is in the cache. */
  get revision(): number {
    return Math.max(this.#filledAt, this.#feed.revision);
  }

  /** The newest revision that changed an object of this kind (or at which the cache was filled). */
  get lastChange(): number {
    return this.#lastChange;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Of all objects as they go over the wire. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False: there is something that cannot be read, and nothing is here. Lists throw it; whoever wants one object asks the store. */
  get isReadable(): boolean {
    return this.#failure === undefined;
  }

  fail(error: UnreadableValueError): void {
    this.#filling++;
    this.#failure = error;
    this.#waiting = undefined;
    this.#keys = [];
    this.#objects = new Map();
    this.#bytes = 0;
    this.#ring = [];
    this.#ringBytes = 0;
    this.#ringAfter = this.revision;
    this.expire();
  }

  async reset(pages: AsyncIterable<Entry[]>, revision: number): Promise<void> {
    const own = ++this.#filling;
    this.#waiting = [];
    const keys: string[] = [];
    const objects = new Map<string, StoredObject>();
    let bytes = 0;
    for await (const page of pages) {
      for (const entry of page) {
        keys.push(entry.key);
        const object = this.codec.fromEntry(entry);
        objects.set(entry.key, object);
        bytes += object.wire.length;
      }
    }
    if (own !== this.#filling) return;
    this.#failure = undefined;
    for (const listener of [...this.#listeners]) listener.expired();
    this.counts.initializations++;
    this.counts.initialEvents += keys.length;
    this.#keys = keys;
    this.#objects = objects;
    this.#bytes = bytes;
    this.#ring = [];
    this.#ringBytes = 0;
    this.#ringAfter = revision;
    this.#filledAt = revision;
    this.#lastChange = revision;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const event of waiting) this.apply(event);
  }

  apply(event: StoreEvent): void {
    if (this.#waiting) {
      this.#waiting.push(event);
      return;
    }
    const revision = event.type === 'put' ? event.entry.modRevision : event.modRevision;
    if (revision <= this.#filledAt) return;
    const key = event.type === 'put' ? event.entry.key : event.key;
    const before = this.#objects.get(key);
    const after = event.type === 'put' ? this.codec.fromEntry(event.entry) : undefined;
    if (after) {
      if (!before) this.#insertKey(key);
      this.#objects.set(key, after);
    } else {
      if (!before) return;
      this.#removeKey(key);
      this.#objects.delete(key);
    }
    this.#bytes += (after?.wire.length ?? 0) - (before?.wire.length ?? 0);
    this.#lastChange = revision;
    this.counts.events++;
    const change: Change = { revision, after, before, frames: new Map() };
    this.#remember(change);
    for (const listener of this.#listeners) listener.change(change);
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  /**
   * What is selected, in order of keys; those after the key `after`.
   * @throws UnreadableValueError
   */
  list(selection: Selection, after = ''): StoredObject[] {
    if (this.#failure) throw this.#failure;
    if (selection.name) {
      const found = this.#byName(selection);
      this.counts.listFetched += found.length;
      return found.filter((object) => object.key > after && selects(selection, object));
    }
    const prefix = this.codec.prefixOf(selection.namespace);
    let at = this.#lowerBound(after >= prefix ? `${after}\0` : prefix);
    const end = this.#lowerBound(`${prefix}\uffff`);
    const out: StoredObject[] = [];
    const isAll = selection.labels.length === 0 && selection.fields.length === 0;
    this.counts.listFetched += Math.max(0, end - at);
    for (; at < end; at++) {
      const object = this.#objects.get(this.#keys[at] as string) as StoredObject;
      if (isAll || selects(selection, object)) out.push(object);
    }
    return out;
  }

  #byName({ namespace, name }: Selection): StoredObject[] {
    if (namespace || !this.codec.declaration.kind.namespaced) {
      const object = this.#objects.get(this.codec.keyOf(namespace, name));
      return object ? [object] : [];
    }
    const tail = `/${name}`;
    return this.#keys.filter((key) => key.endsWith(tail)).map((key) => this.#objects.get(key) as StoredObject);
  }

  /**
   * The remembered changes after `revision`, in order.
   * @throws StatusError Expired when some are forgotten; UnreadableValueError
   */
  changesAfter(revision: number): readonly Change[] {
    if (this.#failure) throw this.#failure;
    if (revision < this.#ringAfter) throw goneError(`too old resource version: ${revision} (${this.#ringAfter})`);
    let low = 0;
    let high = this.#ring.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ring[middle] as Change).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#ring.slice(low);
  }

  listen(listener: CacheListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends every watch, as when the kind is no longer served. */
  expire(): void {
    for (const listener of [...this.#listeners]) listener.expired();
  }

  #remember(change: Change): void {
    this.#ring.push(change);
    this.#ringBytes += bytesOf(change);
    if (this.#ring.length <= ringLengthMax && this.#ringBytes <= ringBytesMax) return;
    // A quarter at a time, so that forgetting costs nothing per change.
    const forgotten = this.#ring.splice(0, Math.ceil(this.#ring.length / 4));
    for (const old of forgotten) this.#ringBytes -= bytesOf(old);
    this.#ringAfter = forgotten.at(-1)?.revision ?? this.#ringAfter;
  }

  #lowerBound(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #insertKey(key: string): void {
    const at = this.#lowerBound(key);
    if (at === this.#keys.length) this.#keys.push(key);
    else this.#keys.splice(at, 0, key);
  }

  #removeKey(key: string): void {
    this.#keys.splice(this.#lowerBound(key), 1);
  }
}

const bytesOf = (change: Change) => (change.after?.wire.length ?? 0) + (change.before?.wire.length ?? 0);

/** Whether the selectors let `object` through; namespace and name are looked at, too. */
export function selects(selection: Selection, object: StoredObject): boolean {
  const { namespace, name, labels, fields } = selection;
  if (namespace && object.namespace !== namespace) return false;
  if (name && object.name !== name) return false;
  if (labels.length === 0 && fields.length === 0) return true;
  const facts = object.facts();
  if (labels.length && !selectorMatches(labels, facts.labels)) return false;
  return fields.length === 0 || fieldSelectorMatches(fields, (field) => fieldOf(object, facts.fields, field));
}

function fieldOf(object: StoredObject, fields: Readonly<Record<string, string>>, field: string): string {
  if (field === 'metadata.name') return object.name;
  if (field === 'metadata.namespace') return object.namespace;
  return fields[field] ?? '';
}
