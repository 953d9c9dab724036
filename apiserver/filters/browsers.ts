// What browsers are told: that only HTTPS will do, and which other origins' pages may read answers.

import { RE2JS } from 're2js';
import type { Filter } from '../context.ts';

/** RFC 6797. */
export function strictTransportSecurity(directives: readonly string[]): Filter {
  const value = directives.join('; ');
  return (ctx, next) => {
    ctx.set('Strict-Transport-Security', value);
    return next();
  };
}

const allowed = {
  'Access-Control-Allow-Methods': 'POST, GET, OPTIONS, PUT, DELETE, PATCH',
  'Access-Control-Allow-Headers':
    'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since',
  'Access-Control-Expose-Headers': 'Date',
  'Access-Control-Allow-Credentials': 'true',
};

/** `origins` are Go's regular expressions. Before authentication: a browser asks by OPTIONS whether it may, and shows nothing with that. */
export function cors(origins: readonly string[]): Filter {
  const patterns = origins.map((origin) => RE2JS.compile(origin));
  return async (ctx, next) => {
    const origin = ctx.req.headers.origin;
    if (!origin || !patterns.some((pattern) => pattern.matcher(origin).find())) return next();
    ctx.set({ 'Access-Control-Allow-Origin': origin, ...allowed });
    if (ctx.method !== 'OPTIONS') return next();
    ctx.status = 204;
  };
}
