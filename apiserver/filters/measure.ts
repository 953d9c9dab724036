// Counts and times every request, whatever becomes of it.

import type { Clock } from '../../base/clock.ts';
import type { Filter } from '../context.ts';
import type { Metrics } from '../metrics.ts';

export function measure(metrics: Metrics, clock: Clock): Filter {
  return async (ctx, next) => {
    const { info, query, isLongRunning } = ctx.state;
    const startMs = clock.monotonicMs();
    if (isLongRunning) metrics.longRunning(info, 1);
    try {
      await next();
    } finally {
      if (isLongRunning) metrics.longRunning(info, -1);
      metrics.requestDone(info, ctx.status, query.has('dryRun'), (clock.monotonicMs() - startMs) / 1000);
    }
  };
}
