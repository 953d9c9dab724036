// No request but the long-running ones may take longer than a minute, or than its own `timeout` asks for.

import { StatusError } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import type { Filter } from '../context.ts';

export function deadline(clock: Clock, requestTimeoutMs: number): Filter {
  return async (ctx, next) => {
    if (ctx.state.isLongRunning) return next();
    let timer: { cancel(): void } | undefined;
    const expired = new Promise<never>((_, reject) => {
      timer = clock.setTimer(requestTimeoutMs, () => {
        const message = 'Timeout: request did not complete within the allotted timeout';
        reject(new StatusError('Timeout', message, { code: 504 }));
      });
    });
    try {
      await Promise.race([next(), expired]);
    } finally {
      timer?.cancel();
    }
  };
}
