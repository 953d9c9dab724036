// GET of component statuses: the health of the store, asked for at that moment. The parts that Kubernetes lists beside
// it, scheduler and controllers, run as they are configured and tell of themselves elsewhere.

import type { ComponentStatus } from '../../api/core.ts';
import { notFoundError } from '../../api/status.ts';
import { sendList, sendObject } from '../negotiate/render.ts';
import type { StoredObject } from '../registry/object-codec.ts';
import type { Served } from '../registry/resource-table.ts';
import type { ResourceHandler, ServerParts } from './handler.ts';

async function storeStatus({ store }: ServerParts): Promise<ComponentStatus> {
  const error = await store.currentRevision().then(() => undefined, String);
  const condition = error ? { type: 'Healthy', status: 'False', message: '', error } : { type: 'Healthy', status: 'True', message: 'ok' };
  return { metadata: { name: 'etcd-0' }, conditions: [condition] };
}

/** As an object that was read from the store would be. */
async function asObject(served: Served, server: ServerParts): Promise<StoredObject> {
  const { codec } = served.registry;
  const status = await storeStatus(server);
  const typed = { kind: 'ComponentStatus', apiVersion: 'v1', ...status };
  return codec.fromStored(codec.keyOf('', status.metadata?.name ?? ''), 0, codec.encode(typed));
}

export const listComponentStatuses: ResourceHandler = async (ctx, served, server) => {
  return sendList(ctx, served, [await asObject(served, server)], { resourceVersion: '' }, server.clock.nowMs());
};

export const getComponentStatus: ResourceHandler = async (ctx, served, server) => {
  const object = await asObject(served, server);
  if (ctx.state.info.name !== object.name) throw notFoundError(served.kind, ctx.state.info.name);
  return sendObject(ctx, served, object, 200, server.clock.nowMs());
};
