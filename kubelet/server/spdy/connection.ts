// The client's side of a SPDY/3.1 connection to a runtime's streaming server: streams that it opens, each half of which
// ends by itself. Back-pressure is the socket's own: nothing is read that no one takes.

import type { Duplex } from 'node:stream';
import { encodeFrame, FrameDecoder } from './frames.ts';
import { HeaderCompressor, HeaderDecompressor, type SpdyHeaders } from './headers.ts';

export interface SpdyStream {
  readonly id: number;
  /** Resolves when the socket has room again. @throws Error when the connection is gone */
  write(data: Buffer): Promise<void>;
  /** No more will be written; what comes the other way still comes. */
  end(): Promise<void>;
  reset(): Promise<void>;
  /** What the other side writes; a stream that no one reads holds up its connection. */
  readonly data: AsyncIterable<Buffer>;
}

const dataBytesMax = 32 * 1024;
/** Received and not taken, over all streams, before the socket is paused. */
const waitingBytesMax = 256 * 1024;
const resetCancel = 5;

interface StreamState {
  chunks: Buffer[];
  isEnded: boolean;
  wake: () => void;
}

export class SpdyConnection {
  readonly #socket: Duplex;
  readonly #decoder = new FrameDecoder();
  readonly #compressor = new HeaderCompressor();
  readonly #decompressor = new HeaderDecompressor();
  readonly #streams = new Map<number, StreamState>();
  readonly #closed: Promise<void>;
  #nextId = 1;
  #waitingBytes = 0;
  #opening: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** `head`: bytes that came with the upgrade's answer. */
  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket;
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#onClose();
        resolve();
      });
    });
    // What is wrong with a socket is told by its closing.
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    if (head.length) this.#receive(head);
  }

  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Streams open in the order of the calls. */
  open(headers: SpdyHeaders): Promise<SpdyStream> {
    const opened = this.#opening.then(async () => {
      const id = this.#nextId;
      this.#nextId += 2;
      this.#streams.set(id, { chunks: [], isEnded: false, wake: () => undefined });
      const block = await this.#compressor.compress(headers);
      await this.#write(encodeFrame({ type: 'synStream', streamId: id, isFin: false, headers: block }));
      return this.#stream(id);
    });
    this.#opening = opened.catch(() => undefined);
    return opened;
  }

  close(): void {
    this.#socket.end();
    this.#socket.destroy();
    this.#compressor.close();
    this.#decompressor.close();
  }

  #stream(id: number): SpdyStream {
    return {
      id,
      write: async (data) => {
        for (let at = 0; at < data.length; at += dataBytesMax) {
          await this.#write(encodeFrame({ type: 'data', streamId: id, isFin: false, data: data.subarray(at, at + dataBytesMax) }));
        }
      },
      end: () => this.#write(encodeFrame({ type: 'data', streamId: id, isFin: true, data: Buffer.alloc(0) })),
      reset: async () => {
        this.#streams.delete(id);
        await this.#write(encodeFrame({ type: 'rstStream', streamId: id, status: resetCancel }));
      },
      data: this.#take(id),
    };
  }

  async *#take(id: number): AsyncGenerator<Buffer> {
    for (;;) {
      const state = this.#streams.get(id);
      if (!state) return;
      const chunk = state.chunks.shift();
      if (chunk) {
        this.#waitingBytes -= chunk.length;
        if (this.#waitingBytes <= waitingBytesMax) this.#socket.resume();
        yield chunk;
      } else if (state.isEnded) {
        this.#streams.delete(id);
        return;
      } else {
        await new Promise<void>((resolve) => {
          state.wake = resolve;
        });
      }
    }
  }

  #write(bytes: Buffer): Promise<void> {
    if (this.#isClosed || this.#socket.destroyed) return Promise.reject(new Error('the streaming connection is closed'));
    if (this.#socket.write(bytes)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onDrain = () => {
        this.#socket.off('close', onClose);
        resolve();
      };
      const onClose = () => {
        this.#socket.off('drain', onDrain);
        reject(new Error('the streaming connection is closed'));
      };
      this.#socket.once('drain', onDrain);
      this.#socket.once('close', onClose);
    });
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#decoder.push(chunk)) {
        switch (frame.type) {
          case 'data':
            this.#put(frame.streamId, frame.data, frame.isFin);
            break;
          case 'synReply':
          case 'headers':
            // Read for the sake of the shared compression state.
            this.#decompressor.decompress(frame.headers).catch((error: Error) => this.#socket.destroy(error));
            if (frame.isFin) this.#put(frame.streamId, Buffer.alloc(0), true);
            break;
          case 'rstStream':
            this.#put(frame.streamId, Buffer.alloc(0), true);
            break;
          case 'ping':
            this.#socket.write(encodeFrame(frame));
            break;
          case 'goAway':
          case 'synStream':
          case 'windowUpdate':
          case 'other':
            break;
        }
      }
    } catch (error) {
      this.#socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #put(id: number, data: Buffer, isFin: boolean): void {
    const state = this.#streams.get(id);
    if (!state) return;
    if (data.length) {
      state.chunks.push(data);
      this.#waitingBytes += data.length;
      if (this.#waitingBytes > waitingBytesMax) this.#socket.pause();
    }
    if (isFin) state.isEnded = true;
    state.wake();
  }

  #onClose(): void {
    this.#isClosed = true;
    for (const state of this.#streams.values()) {
      state.isEnded = true;
      state.wake();
    }
  }
}
