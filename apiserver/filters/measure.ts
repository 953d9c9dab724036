// Counts and times every request, whatever becomes of it.

import type { Clock } from '../../base/clock.ts';
import type { Filter, RequestInfo } from '../context.ts';
import type { Metrics } from '../metrics.ts';
import type { ResourceTable } from '../registry/resource-table.ts';

const verbs = new Set([
  'get',
  'list',
  'watch',
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
  'post',
  'put',
  'head',
  'options',
]);

/** What of a request may become labels: nothing that a client can make up. */
function known(info: RequestInfo, resources: ResourceTable): RequestInfo {
  const verb = verbs.has(info.verb) ? info.verb : 'other';
  if (!info.isResource) return verb === info.verb ? info : { ...info, verb };
  const declaration = resources.find(info.group, info.version, info.resource)?.declaration;
  if (!declaration) return { ...info, verb, group: '', version: '', resource: '', subresource: '' };
  const { subresource } = info;
  const isSubresource =
    subresource === '' || subresource === 'status' || subresource === 'scale' || Object.hasOwn(declaration.subresources ?? {}, subresource);
  return isSubresource && verb === info.verb ? info : { ...info, verb, subresource: isSubresource ? subresource : '' };
}

export function measure(metrics: Metrics, clock: Clock, resources: ResourceTable): Filter {
  return async (ctx, next) => {
    const { query, isLongRunning } = ctx.state;
    const info = known(ctx.state.info, resources);
    const startMs = clock.monotonicMs();
    if (isLongRunning) metrics.longRunning(info, 1);
    try {
      await next();
    } finally {
      if (isLongRunning) metrics.longRunning(info, -1);
      metrics.requestDone(info, {
        code: ctx.status,
        isDryRun: query.has('dryRun'),
        seconds: (clock.monotonicMs() - startMs) / 1000,
        waitedSeconds: ctx.state.waitedSeconds ?? 0,
        bytes: typeof ctx.body === 'string' || Buffer.isBuffer(ctx.body) ? ctx.body.length : 0,
      });
    }
  };
}
