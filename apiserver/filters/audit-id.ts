// Gives every request an id that its answer carries, and its warnings a header.

import type { Random } from '../../base/random.ts';
import type { Filter } from '../context.ts';

export function auditId(random: Random): Filter {
  return async (ctx, next) => {
    const given = ctx.get('Audit-Id');
    ctx.state.auditId = given || random.uuid();
    ctx.state.warnings = new Set();
    ctx.set('Audit-Id', ctx.state.auditId);
    ctx.set('Cache-Control', 'no-cache, private');
    await next();
    if (ctx.state.warnings.size && !ctx.headerSent) ctx.set('Warning', [...ctx.state.warnings].map(warningHeader));
  };
}

/** RFC 7234 section 5.5, code 299, as k8s.io/apimachinery/pkg/util/net writes it. */
function warningHeader(text: string): string {
  const printable = text.replace(/[\p{Cc}]/gu, ' ').replace(/["\\]/g, '\\$&');
  return `299 - "${printable}"`;
}
