// A long list of whole objects in JSON, which is copied together from their own bytes. Its chunks are used again: those that
// every list made anew cost as much in garbage collection as the list in encryption.

import type { ApiContext, Sink } from '../context.ts';
import type { StoredObject } from '../registry/object-codec.ts';

const chunkBytes = 256 << 10;
const sparesMax = 8;
const spares: Buffer[] = [];

export interface ListParts {
  /** Up to the items. */
  start: Buffer;
  objects: readonly StoredObject[];
  /** After the items. */
  end: Buffer;
}

/** How many bytes the list has. */
export function listLength({ start, objects, end }: ListParts): number {
  let bytes = start.length + end.length;
  // Each item gets its brace and, but for the first, a comma.
  for (const object of objects) bytes += object.itemLength + 2;
  return objects.length > 0 ? bytes - 1 : bytes;
}

/** Writes the list's bytes to `target`, which has room for all of them. */
export function copyList({ start, objects, end }: ListParts, target: Buffer): void {
  let at = start.copy(target);
  let isFirst = true;
  for (const object of objects) {
    at = copyItem(object, isFirst, target, at);
    isFirst = false;
  }
  end.copy(target, at);
}

const [openByte, commaByte] = [...Buffer.from('{,')] as [number, number];

function copyItem(object: StoredObject, isFirst: boolean, target: Buffer, at: number): number {
  let next = at;
  if (!isFirst) target[next++] = commaByte;
  target[next++] = openByte;
  return next + object.copyItem(target, next);
}

/** Sends the list as fast as the client takes it; the answer's head is set already. */
export async function streamList(ctx: ApiContext, { start, objects, end }: ListParts): Promise<void> {
  const { signal } = ctx.state.exchange;
  const chunks = new Chunks(ctx.state.exchange.open());
  await chunks.add(start);
  let isFirst = true;
  for (const object of objects) {
    const length = object.itemLength + 2;
    if (length > chunkBytes) {
      const whole = Buffer.allocUnsafe(length);
      await chunks.add(whole.subarray(0, copyItem(object, isFirst, whole, 0)));
    } else {
      if (!chunks.hasRoom(length)) await chunks.flush();
      chunks.at = copyItem(object, isFirst, chunks.current, chunks.at);
    }
    isFirst = false;
    if (signal.aborted) return;
  }
  await chunks.add(end);
  await chunks.end();
}

/** One chunk is filled while the one before is on its way. */
class Chunks {
  readonly #sink: Sink;
  current: Buffer = take();
  at = 0;
  #other: Buffer = take();
  #isOtherSent: Promise<void> = Promise.resolve();

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  hasRoom(bytes: number): boolean {
    return this.at + bytes <= chunkBytes;
  }

  async add(bytes: Buffer): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      if (!this.hasRoom(1)) await this.flush();
      const copied = bytes.copy(this.current, this.at, from);
      from += copied;
      this.at += copied;
    }
  }

  async flush(): Promise<void> {
    const sent = this.#sink.lend(this.current.subarray(0, this.at));
    await this.#isOtherSent;
    this.#isOtherSent = sent;
    [this.current, this.#other] = [this.#other, this.current];
    this.at = 0;
  }

  /** Only a list that was sent to its end gives its chunks back: nobody reads them any more. */
  async end(): Promise<void> {
    await this.flush();
    this.#sink.end();
    await this.#isOtherSent;
    for (const chunk of [this.current, this.#other]) if (spares.length < sparesMax) spares.push(chunk);
  }
}

function take(): Buffer {
  return spares.pop() ?? Buffer.allocUnsafeSlow(chunkBytes);
}
