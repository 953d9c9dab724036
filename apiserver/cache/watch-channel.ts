// Watches that ask for the same thing share one channel: each change is selected, framed and joined with its
// neighbours once, and the same bytes go to every member.

import type { Sink } from '../context.ts';
import type { StoredObject } from '../registry/object-codec.ts';
import { type Change, type Selection, selects, type WatchCache } from './watch-cache.ts';

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';

/** How objects look inside events. */
export interface EventEncoding {
  /** Names the encoding; equal keys give equal bytes. */
  readonly key: string;
  frame(type: EventType, object: StoredObject): Buffer;
  /** A bookmark's frame, with the annotation that ends the initial events when `isInitialEnd`. */
  bookmark(revision: number, isInitialEnd: boolean): Buffer;
}

/** A watch that has not read this much is cut off; its client lists again. */
const sinkBytesMax = 16 << 20;

export class WatchChannel {
  readonly #cache: WatchCache;
  readonly #selection: Selection;
  readonly #encoding: EventEncoding;
  readonly #onEmpty: () => void;
  readonly #afterRevision: number;
  readonly #onFrames: (count: number) => void;
  readonly #onFramed: (bytes: number) => void;
  readonly wantsBookmarks: boolean;
  readonly #members = new Set<Sink>();
  #pending: Buffer[] = [];
  #isFlushDue = false;
  readonly #leave: () => void;

  constructor(options: {
    cache: WatchCache;
    selection: Selection;
    encoding: EventEncoding;
    /** The last member has left. */
    onEmpty(): void;
    /** Changes up to this revision are none of its members' business. */
    afterRevision: number;
    wantsBookmarks: boolean;
    /** So many frames were sent, over all members. */
    onFrames(count: number): void;
    /** A change was framed, for everyone. */
    onFramed(bytes: number): void;
  }) {
    this.#cache = options.cache;
    this.#selection = options.selection;
    this.#encoding = options.encoding;
    this.#onEmpty = options.onEmpty;
    this.#afterRevision = options.afterRevision;
    this.#onFrames = options.onFrames;
    this.#onFramed = options.onFramed;
    this.wantsBookmarks = options.wantsBookmarks;
    this.#leave = this.#cache.listen({ change: (change) => this.#take(change), expired: () => this.#end() });
  }

  /**
   * Adds a watch that has seen everything up to `revision`, and first tells it what it has missed.
   * @throws StatusError Expired
   */
  join(sink: Sink, revision: number): void {
    const missed: Buffer[] = [];
    for (const change of this.#cache.changesAfter(revision)) {
      const frame = this.#frameOf(change);
      if (frame) missed.push(frame);
    }
    if (missed.length) this.#onFrames(missed.length);
    this.#flush();
    if (missed.length) sink.write(missed.length === 1 ? (missed[0] as Buffer) : Buffer.concat(missed));
    this.#members.add(sink);
  }

  remove(sink: Sink): void {
    this.#members.delete(sink);
    if (this.#members.size > 0) return;
    this.#leave();
    this.#onEmpty();
  }

  get size(): number {
    return this.#members.size;
  }

  bookmark(): void {
    this.#flush();
    const frame = this.#encoding.bookmark(this.#cache.revision, false);
    for (const sink of this.#members) this.#send(sink, frame);
  }

  #take(change: Change): void {
    const frame = this.#frameOf(change);
    if (!frame) return;
    this.#pending.push(frame);
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    // What one turn of the event loop brings goes out as one write.
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushDue = false;
    if (this.#pending.length === 0) return;
    const chunk = this.#pending.length === 1 ? (this.#pending[0] as Buffer) : Buffer.concat(this.#pending);
    this.#onFrames(this.#pending.length * this.#members.size);
    this.#pending = [];
    for (const sink of this.#members) this.#send(sink, chunk);
  }

  #send(sink: Sink, chunk: Buffer): void {
    if (sink.bufferedBytes <= sinkBytesMax) {
      sink.write(chunk);
      return;
    }
    this.#cache.counts.terminatedWatchers++;
    sink.destroy();
  }

  #end(): void {
    this.#flush();
    for (const sink of [...this.#members]) sink.end();
    if (this.#members.size === 0) this.#leave();
  }

  /** The change as this selection sees it: an object that comes into the selection is ADDED, one that leaves it DELETED. */
  #frameOf(change: Change): Buffer | undefined {
    const { before, after } = change;
    if (change.revision <= this.#afterRevision) return undefined;
    const wasSelected = before !== undefined && selects(this.#selection, before);
    const isSelected = after !== undefined && selects(this.#selection, after);
    if (isSelected) return this.#framed(change, wasSelected ? 'MODIFIED' : 'ADDED');
    return wasSelected ? this.#framed(change, 'DELETED') : undefined;
  }

  #framed(change: Change, type: 'ADDED' | 'MODIFIED' | 'DELETED'): Buffer {
    const key = `${type} ${this.#encoding.key}`;
    let frame = change.frames.get(key);
    if (!frame) {
      // What has gone is shown as it last was, at the revision of its going.
      const object = type === 'DELETED' ? change.before?.at(change.revision) : change.after;
      frame = this.#encoding.frame(type, object as StoredObject);
      change.frames.set(key, frame);
      this.#onFramed(frame.length);
    }
    return frame;
  }
}
