// POST of a new object to its collection.

import { sendObject } from '../negotiate/render.ts';
import { trackerOf } from './field-tracking.ts';
import { type ResourceHandler, readObject, readWriteRequest } from './handler.ts';

export const createObject: ResourceHandler = async (ctx, served, server) => {
  const request = readWriteRequest(ctx, 'create');
  const object = await trackerOf(ctx, served, server)(await readObject(ctx, served), undefined);
  const created = await served.registry.create(object, request);
  return sendObject(ctx, served, created, 201, server.clock.nowMs());
};
