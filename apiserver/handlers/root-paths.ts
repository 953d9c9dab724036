// `/`: every path that leads somewhere, as metav1.RootPaths.

import { type ApiContext, jsonType, send } from '../context.ts';
import type { RemoteVersion } from '../discovery/documents.ts';
import type { ResourceTable } from '../registry/resource-table.ts';
import { type HealthCheck, isAskedAt } from './health.ts';

export interface RootPathsOptions {
  resources: ResourceTable;
  remote: readonly RemoteVersion[];
  checks: readonly HealthCheck[];
  /** What is served beside API groups and health. */
  others: readonly string[];
}

/** False when the path is another one. */
export function serveRootPaths(ctx: ApiContext, options: RootPathsOptions): boolean {
  const { path } = ctx.state.info;
  if (path !== '/' && path !== '/index.html') return false;
  send(ctx, 200, jsonType, JSON.stringify({ paths: rootPaths(options) }, null, 2));
  return true;
}

/** Every path that leads somewhere, sorted. */
export function rootPaths({ resources, remote, checks, others }: RootPathsOptions): string[] {
  const paths = new Set(['/api', '/apis', '/apis/', '/healthz', '/livez', '/metrics', '/metrics/slis', '/readyz', '/version', ...others]);
  for (const { group, version } of [...resources.all.map(({ kind }) => kind), ...remote]) {
    paths.add(group ? `/apis/${group}` : '/api');
    paths.add(group ? `/apis/${group}/${version}` : `/api/${version}`);
  }
  for (const check of checks)
    for (const endpoint of ['readyz', 'healthz', 'livez']) if (isAskedAt(check, endpoint)) paths.add(`/${endpoint}/${check.name}`);
  return [...paths].sort();
}
