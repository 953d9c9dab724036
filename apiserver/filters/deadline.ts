// No request but the long-running ones may take longer than a minute, or than its own `timeout` asks for. The one whose
// time is over gets a Timeout, and what it was about is told by a signal, so that it does not write unheard.

import { badRequestError, StatusError } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import type { Filter } from '../context.ts';

export function deadline(clock: Clock, requestTimeoutMs: number): Filter {
  return async (ctx, next) => {
    if (ctx.state.isLongRunning) return next();
    const askedMs = readTimeout(ctx.state.query.get('timeout'));
    const allottedMs = askedMs > 0 && askedMs < requestTimeoutMs ? askedMs : requestTimeoutMs;
    const isOver = { aborted: false, allottedMs };
    ctx.state.deadline = isOver;
    let timer: { cancel(): void } | undefined;
    const expired = new Promise<never>((_, reject) => {
      timer = clock.setTimer(allottedMs, () => {
        isOver.aborted = true;
        reject(timeoutError());
      });
    });
    try {
      await Promise.race([next(), expired]);
    } finally {
      timer?.cancel();
    }
  };
}

/** What a request is answered with, and refused to write with, when its time is over. */
export function timeoutError(): StatusError {
  return new StatusError('Timeout', 'Timeout: request did not complete within the allotted timeout', { code: 504, details: {} });
}

const unitMs: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration as Go writes it (`1m30s`), in milliseconds; 0 when there is none. @throws StatusError BadRequest */
function readTimeout(text: string | null): number {
  if (!text || text === '0') return 0;
  if (!/^[+-]?((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(text)) {
    const isUnitMissing = /^[+-]?\d+\.?\d*$/.test(text);
    const why = isUnitMissing ? 'missing unit in duration' : 'invalid duration';
    throw badRequestError(`invalid timeout specified in the request URL - time: ${why} ${JSON.stringify(text)}`);
  }
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)) ms += Number(amount) * (unitMs[unit as string] ?? 0);
  return text.startsWith('-') ? -ms : ms;
}
