// PUT of an object, or of its status.

import { markedJson, parseMarked } from '../../api/json.ts';
import { badRequestError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { sendObject } from '../negotiate/render.ts';
import type { UpdateStrategy } from '../registry/registry.ts';
import { trackerOf } from './field-tracking.ts';
import { type ResourceHandler, readObject, readWriteRequest } from './handler.ts';

/** PUT that is prepared and checked by `strategy`; default: the main resource's. */
export function updateObject(strategyOf?: (served: Parameters<ResourceHandler>[1]) => UpdateStrategy): ResourceHandler {
  return async (ctx, served, server) => {
    const { info } = ctx.state;
    const request = readWriteRequest(ctx, 'update');
    const object = await readObject(ctx, served);
    const name = object.metadata?.name;
    if (!name) throw badRequestError('name must be provided');
    if (name !== info.name) {
      throw badRequestError(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
    }
    const namespace = object.metadata?.namespace;
    if (served.kind.namespaced && namespace && namespace !== info.namespace) {
      throw badRequestError(`the namespace of the object (${namespace}) does not match the namespace on the request (${info.namespace})`);
    }
    const pristine = markedJson(object);
    let isFirst = true;
    const strategy = strategyOf?.(served);
    const track = trackerOf(ctx, served, server, strategy?.subresource);
    const produce = (old: KubeObject | undefined) => {
      const next = isFirst ? object : (parseMarked(pristine) as typeof object);
      isFirst = false;
      return track(next, old);
    };
    const { object: updated, isNew } = await served.registry.update(info.name, request, produce, {
      isReplacement: true,
      createMissing: served.declaration.allowCreateOnUpdate === true && !strategyOf,
      ...(strategy ? { strategy } : {}),
    });
    return sendObject(ctx, served, updated, isNew ? 201 : 200, server.clock.nowMs());
  };
}
