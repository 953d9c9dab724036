// Counts and times every request, whatever becomes of it.

import type { Clock } from '../../base/clock.ts';
import { type ApiContext, type Filter, jsonType, type RequestInfo } from '../context.ts';
import type { Metrics, RequestLabels } from '../metrics.ts';
import type { ResourceTable } from '../registry/resource-table.ts';

const methods = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
/** Subresources that are streams, or lead elsewhere. */
const connections = new Set(['log', 'exec', 'portforward', 'attach', 'proxy']);
const healthPaths = new Set(['/healthz', '/livez', '/readyz']);

/** As dashboards know it: the method, told apart where one method does several things. */
export function reportedVerb(method: string, info: RequestInfo, contentType = jsonType): string {
  if (info.isResource && connections.has(info.subresource)) return 'CONNECT';
  if (info.verb === 'watch') return 'WATCH';
  if (method === 'PATCH' && contentType.startsWith('application/apply-patch+')) return 'APPLY';
  if (method === 'GET' || method === 'HEAD') return info.isResource && !info.name ? 'LIST' : 'GET';
  return methods.has(method) ? method : 'other';
}

/** What one request speaks of: new objects too are single ones. */
export function scopeOf({ isResource, name, verb, namespace }: RequestInfo): string {
  if (name || verb === 'create') return 'resource';
  if (namespace) return 'namespace';
  return isResource ? 'cluster' : '';
}

/** What of a request may become labels: nothing that a client can make up. */
function labelsOf({ method, request, state }: ApiContext, resources: ResourceTable): RequestLabels {
  const { info } = state;
  const common = { verb: reportedVerb(method, info, request.get('content-type') || undefined), scope: scopeOf(info) };
  const { group, version, resource, subresource } = info;
  if (!info.isResource)
    return { ...common, group: '', version: '', resource: '', subresource: healthPaths.has(info.path) ? info.path : '' };
  const declaration = resources.find(group, version, resource)?.declaration;
  if (!declaration) return { ...common, group: '', version: '', resource: '', subresource: '' };
  const isSubresource =
    subresource === '' || subresource === 'status' || subresource === 'scale' || Object.hasOwn(declaration.subresources ?? {}, subresource);
  return { ...common, group, version, resource, subresource: isSubresource ? subresource : '' };
}

/** Every value once, sorted; what is none that exists is not told apart. */
function dryRunOf(query: URLSearchParams): string {
  const values = query.getAll('dryRun');
  return values.every((value) => value === 'All') ? (values[0] ?? '') : 'invalid';
}

export function measure(metrics: Metrics, clock: Clock, resources: ResourceTable): Filter {
  return async (ctx, next) => {
    const { query, isLongRunning } = ctx.state;
    const labels = labelsOf(ctx, resources);
    const startMs = clock.monotonicMs();
    if (isLongRunning) metrics.longRunning(labels, 1);
    try {
      await next();
    } finally {
      if (isLongRunning) metrics.longRunning(labels, -1);
      metrics.requestDone(labels, {
        code: ctx.status,
        dryRun: dryRunOf(query),
        seconds: (clock.monotonicMs() - startMs) / 1000,
        waitedSeconds: ctx.state.waitedSeconds ?? 0,
        bytes: typeof ctx.body === 'string' || Buffer.isBuffer(ctx.body) ? ctx.body.length : 0,
      });
    }
  };
}
