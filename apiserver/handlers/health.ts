// /healthz, /livez and /readyz: the answers of a list of checks, each also by itself.

import { type ApiContext, send } from '../context.ts';
import type { HealthMetrics } from '../slis.ts';

export interface HealthCheck {
  name: string;
  /** Only asked whether the server is ready, not whether it lives. */
  isReadinessOnly?: boolean;
  /** Not asked whether the server lives: what is wrong is outside of it, and a restart would not help. */
  sparesLiveness?: boolean;
  /** undefined: fine; otherwise why not. */
  problem(): Promise<string | undefined> | string | undefined;
}

const textType = 'text/plain; charset=utf-8';

/** Whether `endpoint` asks this check: healthz, livez or readyz. */
export function isAskedAt({ isReadinessOnly = false, sparesLiveness = false }: HealthCheck, endpoint: string): boolean {
  return endpoint === 'readyz' || (!isReadinessOnly && !(sparesLiveness && endpoint === 'livez'));
}

/** Serves `/healthz`, `/healthz/NAME` and the like; false when the path is none of them. */
export async function serveHealth(ctx: ApiContext, checks: readonly HealthCheck[], metrics: HealthMetrics): Promise<boolean> {
  // A check's name may have slashes of its own.
  const [, endpoint = '', ...names] = ctx.state.info.path.split('/');
  if (endpoint !== 'healthz' && endpoint !== 'livez' && endpoint !== 'readyz') return false;
  const asked = checks.filter((check) => isAskedAt(check, endpoint));
  const checkName = names.join('/');
  ctx.set('X-Content-Type-Options', 'nosniff');
  if (checkName) {
    const one = asked.find((check) => check.name === checkName);
    if (!one) return false;
    const problem = await one.problem();
    send(ctx, problem === undefined ? 200 : 500, textType, problem === undefined ? 'ok' : `internal server error: ${problem}\n`);
    return true;
  }
  const { query } = ctx.state;
  const excluded = new Set(query.getAll('exclude'));
  const results = await Promise.all(
    asked.map(async (check) => {
      if (excluded.has(check.name)) return { check, problem: undefined };
      const problem = await check.problem();
      metrics.observe(check.name, endpoint, problem === undefined);
      return { check, problem };
    }),
  );
  const lines = results.map(({ check: { name }, problem }) => {
    if (excluded.has(name)) return `[+]${name} excluded: ok`;
    // Anybody may ask here; who may know more asks the one check.
    return problem === undefined ? `[+]${name} ok` : `[-]${name} failed: reason withheld`;
  });
  const unknown = [...excluded].filter((name) => !asked.some((check) => check.name === name)).sort();
  if (unknown.length > 0) {
    lines.push(`warn: some health checks cannot be excluded: no matches for ${unknown.map((name) => JSON.stringify(name)).join(',')}`);
  }
  const isFine = results.every(({ problem }) => problem === undefined);
  if (isFine && !query.has('verbose')) send(ctx, 200, textType, 'ok');
  else send(ctx, isFine ? 200 : 500, textType, `${lines.join('\n')}\n${endpoint} check ${isFine ? 'passed' : 'failed'}\n`);
  return true;
}
