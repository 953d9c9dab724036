// A server that is being stopped finishes what it has begun, and sends whoever asks for more to another one.

import { type Filter, send } from '../context.ts';

/** Whether it still lives is asked until the end. */
const exemptPaths = ['/readyz', '/livez', '/healthz', '/metrics'];
const retryAfterSeconds = 5;

export function shuttingDown(isClosing: () => boolean): Filter {
  return async (ctx, next) => {
    const { exchange, info } = ctx.state;
    // The process's own parts come to rest by themselves, and write down where they are.
    if (!isClosing() || exchange.localUser || exemptPaths.some((path) => info.path.startsWith(path))) {
      await next();
      // What was kept open for another request would be waited for.
      if (isClosing() && !exchange.localUser && !ctx.headerSent) ctx.set('Connection', 'close');
      return;
    }
    ctx.set('Connection', 'close');
    ctx.set('Retry-After', String(retryAfterSeconds));
    ctx.set('X-Content-Type-Options', 'nosniff');
    send(ctx, 429, 'text/plain; charset=utf-8', 'The apiserver is shutting down, please try again later.\n');
  };
}
