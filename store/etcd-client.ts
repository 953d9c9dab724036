// Calls to an etcd cluster: connection settings, deadlines, which failures are tried again, and what the rest mean in
// the store's own terms. A write is only tried again when it certainly never left: repeated, it could meet itself.

import { Etcd3, type IOptions, type IWatchResponse } from 'etcd3';
import { backoffMs } from '../base/backoff.ts';
import { type Clock, sleep, systemClock } from '../base/clock.ts';
import { type Random, systemRandom } from '../base/random.ts';
import { StoreClosedError, StoreUnavailableError } from './store.ts';

export interface EtcdTls {
  /** PEM: the authorities that etcd's certificate is checked against. */
  ca: Uint8Array | string;
  /** PEM: our certificate and its key, where etcd asks for one. */
  cert?: Uint8Array | string;
  key?: Uint8Array | string;
}

export interface EtcdClientOptions {
  /** URLs, `http://host:port` or `https://host:port`: members of one cluster. */
  endpoints: readonly string[];
  /** Needed for https. */
  tls?: EtcdTls;
  /** How long one call may take. Default 10,000. */
  timeoutMs?: number;
  clock?: Clock;
  random?: Random;
}

/** `read` may be repeated freely, `write` only if it was not sent. */
export type CallKind = 'read' | 'write';

const attemptsMax = 4;
const retryBackoff = { baseMs: 100, capMs: 1000, jitter: 0.5 };

export class EtcdClient {
  readonly etcd: Etcd3;
  readonly clock: Clock;
  readonly random: Random;
  readonly #endpoints: string;
  readonly #closed = new AbortController();

  constructor(options: EtcdClientOptions) {
    const { endpoints, tls, timeoutMs = 10_000, clock = systemClock, random = systemRandom } = options;
    if (endpoints.length === 0) throw new TypeError('an etcd store needs at least one endpoint');
    if (tls === undefined && endpoints.some((e) => e.startsWith('https:')))
      throw new TypeError('https endpoints of etcd need tls settings');
    this.#endpoints = endpoints.join(', ');
    this.clock = clock;
    this.random = random;
    this.etcd = new Etcd3({
      hosts: [...endpoints],
      ...(tls && { credentials: credentials(tls) }),
      // The library's own retries would repeat writes, and its circuit breaker would go on refusing for seconds
      // after etcd is back.
      faultHandling: { global: asIs, host: () => asIs },
      defaultCallOptions: (context) => (context.isStream ? {} : { deadline: systemClock.nowMs() + timeoutMs }),
      grpcOptions: {
        'grpc.max_receive_message_length': -1,
        'grpc.max_send_message_length': -1,
        'grpc.keepalive_time_ms': 10_000,
        'grpc.keepalive_timeout_ms': 5_000,
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 1000,
      },
    });
  }

  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  /** Aborts when the client is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  close(): void {
    if (this.isClosed) return;
    this.#closed.abort(new StoreClosedError());
    this.etcd.close();
  }

  /** @throws StoreUnavailableError, StoreClosedError, or what etcd answered */
  async call<T>(kind: CallKind, run: (etcd: Etcd3) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      if (this.isClosed) throw new StoreClosedError();
      try {
        return await run(this.etcd);
      } catch (error) {
        if (this.isClosed) throw new StoreClosedError();
        if (!isUnavailable(error)) throw error;
        const wasNotSent = wasNeverSent(error);
        if (attempt + 1 >= attemptsMax || (kind === 'write' && !wasNotSent)) throw this.unavailable(error, kind === 'write' && !wasNotSent);
      }
      await sleep(this.clock, backoffMs(attempt, retryBackoff, this.random), this.#closed.signal);
    }
  }

  unavailable(cause: unknown, outcomeUnknown: boolean): StoreUnavailableError {
    const message = cause instanceof Error ? cause.message : String(cause);
    const unsure = outcomeUnknown ? '; the write may or may not have been done' : '';
    return new StoreUnavailableError(`etcd at ${this.#endpoints} does not answer (${message})${unsure}`, { outcomeUnknown, cause });
  }

  /**
   * Watches every key from `startRevision` on, until `cancel` is called, or `onEnd` has been, once.
   * Responses hold whole revisions, in order.
   */
  async watchAll(
    startRevision: number,
    onResponse: (response: IWatchResponse) => void,
    onEnd: (error: unknown) => void,
  ): Promise<() => void> {
    let isEnded = false;
    const end = (error: unknown) => {
      if (isEnded) return;
      isEnded = true;
      onEnd(error);
    };
    const stream = await this.etcd.watchClient.watch();
    stream.on('data', (response) => {
      if (!isEnded) onResponse(response);
    });
    stream.on('error', end);
    stream.on('end', () => end(new Error('etcd ended the watch')));
    stream.write({
      create_request: { key: everyKey, range_end: everyKey, start_revision: startRevision, prev_kv: true, progress_notify: true },
    });
    return () => {
      isEnded = true;
      stream.cancel();
    };
  }

  /** The lowest revision that can still be read. */
  async compactRevision(): Promise<number> {
    // Only a watch that is refused is told.
    return this.call('read', async () => {
      const told = Promise.withResolvers<number>();
      const cancel = await this.watchAll(
        1,
        (response) => {
          if (response.canceled) told.resolve(Number(response.compact_revision));
          // Something was sent although nothing has been compacted.
          else if (!response.created) told.resolve(0);
        },
        told.reject,
      );
      try {
        return await told.promise;
      } finally {
        cancel();
      }
    });
  }
}

const everyKey = Buffer.from([0]);

function credentials(tls: EtcdTls): NonNullable<IOptions['credentials']> {
  const { ca, cert, key } = tls;
  return {
    rootCertificate: Buffer.from(ca),
    ...(cert !== undefined && { certChain: Buffer.from(cert) }),
    ...(key !== undefined && { privateKey: Buffer.from(key) }),
  };
}

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>;

const nothing = { dispose() {} };
const asIs: Policy = {
  _altReturn: undefined as never,
  onSuccess: () => nothing,
  onFailure: () => nothing,
  execute: async (run) => run({ signal: new AbortController().signal }),
};

const unavailableNames = new Set(['GRPCUnavailableError', 'GRPCDeadlineExceededError', 'GRPCCancelledError', 'EtcdWatchStreamEnded']);

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    unavailableNames.has(error.constructor.name) ||
    /etcdserver: (request timed out|no leader|leader changed|not ready|server stopped)/.test(error.message)
  );
}

function wasNeverSent(error: unknown): boolean {
  return (
    error instanceof Error && /No connection established|ECONNREFUSED|Name resolution failed|etcdserver: no leader/.test(error.message)
  );
}
