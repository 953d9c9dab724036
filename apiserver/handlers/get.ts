// GET of one object: the cache's bytes, when the cache is as new as the request needs it to be.

import { notFoundError } from '../../api/status.ts';
import { sendObject } from '../negotiate/render.ts';
import { waitForRevision } from './freshness.ts';
import type { ResourceHandler } from './handler.ts';
import { readRevision } from './list-options.ts';

export const getObject: ResourceHandler = async (ctx, served, server) => {
  const { info, query } = ctx.state;
  const namespace = served.kind.namespaced ? info.namespace : '';
  const asked = readRevision(query.get('resourceVersion') ?? '');
  let isRecent = true;
  if (asked !== undefined) await waitForRevision(server, asked, served);
  else isRecent = (served.conversion ?? server.feed).revision >= (await server.store.currentRevision());
  const key = served.registry.codec.keyOf(namespace, info.name);
  const object = isRecent && served.cache.isReadable ? served.cache.get(key) : await served.registry.fresh(namespace, info.name);
  if (!object) throw notFoundError(served.kind, info.name);
  return sendObject(ctx, served, object, 200, server.clock.nowMs());
};
