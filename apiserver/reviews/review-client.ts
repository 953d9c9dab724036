// Asks a service outside of the cluster: one review sent, one that comes back, within its time; tried again for as long as
// the trouble looks passing.

import { StatusError } from '../../api/status.ts';
import { backoffMs } from '../../base/backoff.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { readBody, type Transport } from '../../client/transport.ts';

export interface ReviewClientOptions {
  transport: Transport;
  clock: Clock;
  random: Random;
  /** How long one answer may take. Default 10 s. */
  timeoutMs?: number;
  /** How long the first wait before another try is. Default 500 ms. */
  backoffBaseMs?: number;
}

/** @throws Error when there is no answer, or none that can be read */
export type AskReview = (review: object) => Promise<Record<string, unknown>>;

const answerBytesMax = 3 << 20;
const attemptsMax = 5;
const backoff = { capMs: 5_000, factor: 1.5, jitter: 0.2 };
const passingCodes = new Set([429, 500, 503, 504]);

export function reviewClient({ transport, clock, random, timeoutMs = 10_000, backoffBaseMs = 500 }: ReviewClientOptions): AskReview {
  const askOnce = async (body: string): Promise<Record<string, unknown>> => {
    const late = new AbortController();
    const timer = clock.setTimer(timeoutMs, () => late.abort(new StatusError('Timeout', 'context deadline exceeded')));
    try {
      const headers = { 'content-type': 'application/json', accept: 'application/json' };
      const response = await transport.request({ method: 'POST', path: '', headers, body, signal: late.signal });
      const text = (await readBody(response, answerBytesMax)).toString();
      if (response.status < 200 || response.status > 299)
        throw new StatusError('', `the server responded with status code ${response.status}`, { code: response.status });
      // Whoever only takes note has nothing to say.
      return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    } finally {
      timer.cancel();
    }
  };
  return async (review) => {
    const body = JSON.stringify(review);
    for (let attempt = 0; ; attempt++) {
      try {
        return await askOnce(body);
      } catch (error) {
        if (attempt + 1 >= attemptsMax || !isPassing(error)) throw error;
        await sleep(clock, backoffMs(attempt, { ...backoff, baseMs: backoffBaseMs }, random));
      }
    }
  };
}

/** A broken connection, or a server that says that it is busy; neither a refusal nor an answer that makes no sense. */
function isPassing(error: unknown): boolean {
  if (error instanceof StatusError) return passingCodes.has(error.code);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'UND_ERR_SOCKET';
}
