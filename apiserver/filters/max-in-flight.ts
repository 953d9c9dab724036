// Bounds how many requests are worked on at a time: reading and writing ones apart; long-running ones are not counted.

import { StatusError } from '../../api/status.ts';
import type { Filter } from '../context.ts';

const reads = new Set(['get', 'list', 'watch', 'head', 'options']);

export interface InFlight {
  mutating: number;
  readOnly: number;
}

export function maxInFlight(counts: InFlight, limits: { mutatingMax: number; readOnlyMax: number }): Filter {
  return async (ctx, next) => {
    // The cluster's own administrators must get through when everyone else has filled the server.
    if (ctx.state.isLongRunning || ctx.state.exchange.localUser) return next();
    const kind = reads.has(ctx.state.info.verb) ? 'readOnly' : 'mutating';
    const max = kind === 'readOnly' ? limits.readOnlyMax : limits.mutatingMax;
    if (counts[kind] >= max) {
      throw new StatusError('TooManyRequests', 'Too many requests, please try again later.', { details: { retryAfterSeconds: 1 } });
    }
    counts[kind]++;
    try {
      await next();
    } finally {
      counts[kind]--;
    }
  };
}
