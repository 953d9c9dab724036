// PATCH: what is stored, changed by what the request says, and then an update like any other.

import jsonPatch, { type Operation } from 'fast-json-patch';
import { badRequestError, invalidError, StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { mergePatch } from '../../client/merge-patch.ts';
import { sendObject } from '../negotiate/render.ts';
import type { UpdateStrategy } from '../registry/registry.ts';
import type { Served } from '../registry/resource-table.ts';
import { decodeObject } from '../schema/decode.ts';
import { bodyBytesMax, type ResourceHandler, readFieldValidation, readWriteRequest } from './handler.ts';

const accepted = ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json'];

/** PATCH that is prepared and checked by `strategy`; default: the main resource's. */
export function patchObject(strategyOf?: (served: Served) => UpdateStrategy): ResourceHandler {
  return async (ctx, served, server) => {
    const { info, warnings } = ctx.state;
    const request = readWriteRequest(ctx, 'patch');
    const fieldValidation = readFieldValidation(ctx, 'patch');
    const patch = readPatch(
      (ctx.req.headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '',
      await ctx.state.exchange.body(bodyBytesMax),
    );
    const produce = (old: KubeObject | undefined) => {
      const patched = patch(old as KubeObject, served);
      const decoded = decodeObject(patched, { kind: served.kind, schema: served.schema, fieldValidation });
      for (const warning of decoded.warnings) warnings.add(warning);
      served.declaration.defaults?.(decoded.object);
      return decoded.object;
    };
    const { object } = await served.registry.update(info.name, request, produce, strategyOf ? { strategy: strategyOf(served) } : {});
    return sendObject(ctx, served, object, 200, server.clock.nowMs());
  };
}

type Patch = (old: KubeObject, served: Served) => KubeObject;

function readPatch(type: string, body: Buffer): Patch {
  switch (type) {
    case 'application/json-patch+json': {
      const operations = readJson(body);
      if (!Array.isArray(operations)) throw badRequestError('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
      return (old, served) => applyJsonPatch(old, operations as Operation[], served);
    }
    case 'application/merge-patch+json': {
      const change = readJson(body);
      return (old) => mergePatch(old, change) as KubeObject;
    }
    default: {
      const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
      throw new StatusError('UnsupportedMediaType', message);
    }
  }
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    if (error instanceof SyntaxError) throw badRequestError(`error decoding patch: ${error.message}`);
    throw error;
  }
}

function applyJsonPatch(old: KubeObject, operations: Operation[], served: Served): KubeObject {
  try {
    return jsonPatch.applyPatch(old, operations, true, true, true).newDocument;
  } catch (error) {
    if (!(error instanceof jsonPatch.JsonPatchError)) throw error;
    const text = error.message.split('\n', 1)[0] ?? '';
    throw invalidError(served.kind, old.metadata?.name ?? '', [
      { type: 'FieldValueInvalid', field: 'patch', message: `Invalid value: ${text}` },
    ]);
  }
}
