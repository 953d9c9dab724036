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
    if (ctx.state.warnings.size && !ctx.headerSent) ctx.set('Warning', warningHeaders(ctx.state.warnings));
  };
}

/** Of all warnings together, in characters; more than that, and each is cut to `charactersEachMax`. */
const charactersMax = 4096;
const charactersEachMax = 256;

/** What goes into the headers: no empty texts, none that would break a header, and not more than clients can take. */
function warningHeaders(warnings: Iterable<string>): string[] {
  const texts = [...warnings].filter((text) => text !== '' && !/\p{Cc}/u.test(text)).map((text) => [...text]);
  const total = texts.reduce((sum, { length }) => sum + length, 0);
  if (total <= charactersMax) return texts.map(warningHeader);
  const headers: string[] = [];
  let written = 0;
  for (const text of texts) {
    if (written >= charactersMax) break;
    const cut = text.slice(0, charactersEachMax);
    written += cut.length;
    headers.push(warningHeader(cut));
  }
  return headers;
}

/** RFC 7234 section 5.5, code 299, as k8s.io/apimachinery/pkg/util/net writes it. */
function warningHeader(characters: readonly string[]): string {
  return `299 - "${characters.join('').replace(/["\\]/g, '\\$&')}"`;
}
