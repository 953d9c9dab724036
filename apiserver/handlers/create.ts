// POST of a new object to its collection.

import { sendObject } from '../negotiate/render.ts';
import { type ResourceHandler, readObject, readWriteRequest } from './handler.ts';

export const createObject: ResourceHandler = async (ctx, served, server) => {
  const request = readWriteRequest(ctx, 'create');
  const object = await readObject(ctx, served, 'create');
  const created = await served.registry.create(object, request);
  return sendObject(ctx, served, created, 201, server.clock.nowMs());
};
