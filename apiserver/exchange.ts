// The two ways a request arrives: over HTTP, and from within the process without sockets or parsing.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { StatusError } from '../api/status.ts';
import type { ApiRequest, ApiResponse } from '../client/transport.ts';
import type { Exchange, Sink, Upgrade } from './context.ts';
import { protobufType } from './protobuf/envelope.ts';
import type { UserInfo } from './resources/resource.ts';
import { openWebSocketSink } from './websocket-sink.ts';

function tooLarge(bytesMax: number): StatusError {
  return new StatusError('RequestEntityTooLarge', `Request entity too large: limit is ${bytesMax}`);
}

/** A request that came over HTTP. */
export class HttpExchange implements Exchange {
  readonly localUser = undefined;
  readonly upgrade: Upgrade | undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #controller: AbortController | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, upgrade?: Upgrade) {
    this.upgrade = upgrade;
    this.#request = request;
    this.#response = response;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController();
      this.#controller = controller;
      if (this.#response.destroyed) controller.abort();
      else this.#response.once('close', () => controller.abort());
    }
    return this.#controller.signal;
  }

  body(bytesMax: number): Promise<Buffer> {
    const request = this.#request;
    if (Number(request.headers['content-length'] ?? 0) > bytesMax) return Promise.reject(tooLarge(bytesMax));
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let total = 0;
      request.on('data', (chunk: Buffer) => {
        total += chunk.length;
        if (total > bytesMax) {
          request.removeAllListeners('data');
          request.resume();
          reject(tooLarge(bytesMax));
        } else chunks.push(chunk);
      });
      let isWhole = false;
      request.once('end', () => {
        isWhole = true;
        resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, total));
      });
      request.once('error', reject);
      request.once('close', () => {
        if (!isWhole) reject(new StatusError('BadRequest', 'unexpected EOF'));
      });
    });
  }

  bodyStream(): AsyncIterable<Uint8Array> {
    return this.#request;
  }

  open(status = 200): Sink {
    const response = this.#response;
    if (this.upgrade) {
      response.statusCode = 101;
      const type = String(response.getHeader('content-type') ?? '');
      return openWebSocketSink(this.#request, this.upgrade, type.startsWith(protobufType));
    }
    response.statusCode = status;
    response.flushHeaders();
    return new HttpSink(response);
  }
}

class HttpSink implements Sink {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get bufferedBytes(): number {
    return this.#response.writableLength + (this.#response.socket?.writableLength ?? 0);
  }

  write(chunk: Uint8Array): void {
    const response = this.#response;
    if (response.destroyed || response.writableEnded) return;
    const { socket } = response;
    // A chunk that many watches share is framed once, and goes to their sockets in one piece instead of three.
    if (socket && response.chunkedEncoding && response.writableLength === 0) socket.write(chunked(chunk));
    else response.write(chunk);
  }

  lend(chunk: Uint8Array): Promise<void> {
    const response = this.#response;
    if (response.destroyed || response.writableEnded) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        response.off('close', done);
        resolve();
      };
      response.on('close', done);
      response.write(chunk, done);
    });
  }

  drained(): Promise<void> {
    const response = this.#response;
    const { socket } = response;
    if (response.destroyed || !socket || !(response.writableNeedDrain || socket.writableNeedDrain)) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        response.off('drain', done);
        socket.off('drain', done);
        response.off('close', done);
        resolve();
      };
      response.on('drain', done);
      socket.on('drain', done);
      response.on('close', done);
    });
  }

  end(): void {
    this.#response.end();
  }

  destroy(): void {
    this.#response.destroy();
  }
}

let lastChunk: Uint8Array | undefined;
let lastFrame: Buffer;

/** RFC 9112 section 7.1. */
function chunked(chunk: Uint8Array): Buffer {
  if (chunk === lastChunk) return lastFrame;
  const head = `${chunk.length.toString(16)}\r\n`;
  const frame = Buffer.allocUnsafe(head.length + chunk.length + 2);
  frame.write(head, 'latin1');
  frame.set(chunk, head.length);
  frame.write('\r\n', head.length + chunk.length, 'latin1');
  lastChunk = chunk;
  lastFrame = frame;
  return frame;
}

/** What an in-process request's answer consists of when the filters have run, or when it begins to stream. */
type Headers = Record<string, string>;

/** Stands where koa expects node's ServerResponse; keeps what it is told. */
export class LocalResponse {
  statusCode = 404;
  statusMessage = '';
  headersSent = false;
  readonly headers: Headers = {};

  get writable(): boolean {
    return true;
  }
  setHeader(name: string, value: string | number | readonly string[]): void {
    this.headers[name.toLowerCase()] = typeof value === 'object' ? value.join(', ') : String(value);
  }
  getHeader(name: string): string | undefined {
    return this.headers[name.toLowerCase()];
  }
  getHeaders(): Headers {
    return this.headers;
  }
  hasHeader(name: string): boolean {
    return name.toLowerCase() in this.headers;
  }
  removeHeader(name: string): void {
    delete this.headers[name.toLowerCase()];
  }
}

const never = new AbortController().signal;

/** A request from within the process. */
export class LocalExchange implements Exchange {
  readonly localUser: UserInfo;
  readonly upgrade = undefined;
  readonly signal: AbortSignal;
  readonly #request: ApiRequest;
  readonly #response: LocalResponse;
  readonly #onOpen: (response: ApiResponse) => void;

  constructor(options: { user: UserInfo; request: ApiRequest; response: LocalResponse; onOpen(response: ApiResponse): void }) {
    this.localUser = options.user;
    this.signal = options.request.signal ?? never;
    this.#request = options.request;
    this.#response = options.response;
    this.#onOpen = options.onOpen;
  }

  body(bytesMax: number): Promise<Buffer> {
    const { body } = this.#request;
    if (body === undefined) return Promise.resolve(Buffer.alloc(0));
    const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    return bytes.length > bytesMax ? Promise.reject(tooLarge(bytesMax)) : Promise.resolve(bytes);
  }

  async *bodyStream(): AsyncIterable<Uint8Array> {
    const body = await this.body(Number.MAX_SAFE_INTEGER);
    if (body.length > 0) yield body;
  }

  open(status = 200): Sink {
    this.#response.headersSent = true;
    const sink = new LocalSink(this.signal);
    this.#onOpen({ status, headers: this.#response.headers, body: sink });
    return sink;
  }
}

/** A queue between a handler that writes and a client in the same process that reads. */
class LocalSink implements Sink, AsyncIterable<Uint8Array> {
  readonly #signal: AbortSignal;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isEnded = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.end(), { once: true });
  }

  get bufferedBytes(): number {
    return this.#bytes;
  }

  write(chunk: Uint8Array): void {
    if (this.#isEnded) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#wakeReader?.();
  }

  lend(chunk: Uint8Array): Promise<void> {
    this.write(Uint8Array.from(chunk));
    return this.drained();
  }

  drained(): Promise<void> {
    if (this.#bytes === 0 || this.#isEnded) return Promise.resolve();
    return new Promise((resolve) => this.#wakeWriters.push(resolve));
  }

  end(): void {
    this.#isEnded = true;
    this.#wakeReader?.();
    this.#release();
  }

  destroy(): void {
    this.#chunks = [];
    this.#bytes = 0;
    this.end();
  }

  #release(): void {
    const writers = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of writers) wake();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      if (this.#signal.aborted) throw this.#signal.reason;
      const chunks = this.#chunks;
      if (chunks.length) {
        this.#chunks = [];
        this.#bytes = 0;
        this.#release();
        yield* chunks;
      } else if (this.#isEnded) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
        this.#wakeReader = undefined;
      }
    }
  }
}
