// rest_client_*: what a component's requests to its API server come to. A transport is wrapped, so that whatever uses it
// is counted: clients, caches, discovery.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../../base/clock.ts';
import type { ApiRequest, ApiResponse, Transport } from '../transport.ts';

const secondsBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
const bytesBuckets = [64, 256, 512, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216];
const byVerb = ['verb', 'host'] as const;

interface VerbSeries {
  seconds: Histogram.Internal<'verb' | 'host'>;
  limited: Histogram.Internal<'verb' | 'host'>;
  sent: Histogram.Internal<'verb' | 'host'>;
  received: Histogram.Internal<'verb' | 'host'>;
}

export class RestClientMetrics {
  readonly #clock: Clock;
  readonly #requests: Counter<'code' | 'method' | 'host'>;
  readonly #seconds: Histogram<'verb' | 'host'>;
  readonly #limited: Histogram<'verb' | 'host'>;
  readonly #sent: Histogram<'verb' | 'host'>;
  readonly #received: Histogram<'verb' | 'host'>;
  readonly #series = new Map<string, VerbSeries>();
  readonly #counters = new Map<string, Counter.Internal>();

  constructor(registry: Registry, clock: Clock) {
    this.#clock = clock;
    const registers = [registry];
    this.#requests = new Counter({
      name: 'rest_client_requests_total',
      help: 'Number of HTTP requests, partitioned by status code, method, and host.',
      labelNames: ['code', 'method', 'host'],
      registers,
    });
    const histogram = (name: string, help: string, buckets: number[]) =>
      new Histogram({ name: `rest_client_${name}`, help, labelNames: byVerb, buckets, registers });
    this.#seconds = histogram('request_duration_seconds', 'Request latency in seconds. Broken down by verb, and host.', secondsBuckets);
    this.#limited = histogram(
      'rate_limiter_duration_seconds',
      'Client side rate limiter latency in seconds. Broken down by verb, and host.',
      secondsBuckets,
    );
    this.#sent = histogram('request_size_bytes', 'Request size in bytes. Broken down by verb and host.', bytesBuckets);
    this.#received = histogram('response_size_bytes', 'Response size in bytes. Broken down by verb and host.', bytesBuckets);
    new Gauge({
      name: 'rest_client_exec_plugin_ttl_seconds',
      help: 'Gauge of the shortest TTL (time-to-live) of the client certificate(s) managed by the auth exec plugin. The value is in seconds until certificate expiry (negative if already expired). If auth exec plugins are unused or manage no TLS certificates, the value will be +INF.',
      registers,
    }).set(Number.POSITIVE_INFINITY);
  }

  /** `host`: of the server, as the client names it. */
  measured(transport: Transport, host: string): Transport {
    const { upgrade } = transport;
    return {
      request: (request) => this.#request(transport, host, request),
      ...(upgrade ? { upgrade: (request: ApiRequest) => upgrade.call(transport, request) } : {}),
      close: () => transport.close(),
    };
  }

  async #request(transport: Transport, host: string, request: ApiRequest): Promise<ApiResponse> {
    const series = this.#of(request.method, host);
    const startMs = this.#clock.monotonicMs();
    // Nothing in this process holds a request back before it is sent.
    series.limited.observe(0);
    if (request.body !== undefined) series.sent.observe(Buffer.byteLength(request.body));
    let response: ApiResponse;
    try {
      response = await transport.request(request);
    } catch (error) {
      this.#count('<error>', request.method, host);
      throw error;
    }
    series.seconds.observe((this.#clock.monotonicMs() - startMs) / 1000);
    this.#count(String(response.status), request.method, host);
    return { ...response, body: counted(response.body, (bytes) => series.received.observe(bytes)) };
  }

  #count(code: string, method: string, host: string): void {
    const key = `${code} ${method} ${host}`;
    let counter = this.#counters.get(key);
    if (!counter) {
      counter = this.#requests.labels({ code, method, host });
      this.#counters.set(key, counter);
    }
    counter.inc();
  }

  #of(verb: string, host: string): VerbSeries {
    const key = `${verb} ${host}`;
    let series = this.#series.get(key);
    if (!series) {
      const labels = { verb, host };
      series = {
        seconds: this.#seconds.labels(labels),
        limited: this.#limited.labels(labels),
        sent: this.#sent.labels(labels),
        received: this.#received.labels(labels),
      };
      this.#series.set(key, series);
    }
    return series;
  }
}

/** A body that was read to its end has a size; a watch that was left has none. */
async function* counted(body: AsyncIterable<Uint8Array>, ended: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    yield chunk;
  }
  ended(bytes);
}
