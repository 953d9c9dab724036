// PATCH: what is stored, changed by what the request says, and then an update like any other.

import { parseJson, throughJson } from '../../api/json.ts';
import { jsonPatch } from '../../api/patch/json-patch.ts';
import { mergePatch } from '../../api/patch/merge-patch.ts';
import { badPatchError } from '../../api/patch/patch-error.ts';
import { strategicMergePatch } from '../../api/patch/strategic-merge-patch.ts';
import { StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { ApiContext } from '../context.ts';
import { sendObject } from '../negotiate/render.ts';
import type { UpdateStrategy } from '../registry/registry.ts';
import type { Served } from '../registry/resource-table.ts';
import { defaultObject } from '../resources/defaulted.ts';
import { type DecodeOptions, decodeObject, duplicatesInPatch } from '../schema/decode.ts';
import type { ObjectNode } from '../schema/node.ts';
import { applyObject } from './apply.ts';
import { trackerOf } from './field-tracking.ts';
import { applyPatchType, bodyBytesMax, contentTypeOf, type ResourceHandler, readFieldValidation, readWriteRequest } from './handler.ts';

/** PATCH that is prepared and checked by `strategy`; default: the main resource's. */
export function patchObject(strategyOf?: (served: Served) => UpdateStrategy): ResourceHandler {
  const apply = applyObject(strategyOf);
  return async (ctx, served, server) => {
    if (mediaTypeOf(ctx) === applyPatchType) return apply(ctx, served, server);
    const request = readWriteRequest(ctx, 'patch');
    const patch = await readPatch(ctx, served.kind, served.schema, served.declaration.isCustom ?? false);
    const strategy = strategyOf?.(served);
    const track = trackerOf(ctx, served, server, strategy?.subresource);
    const produce = (old: KubeObject | undefined) => {
      const before = old as KubeObject;
      // The result may share parts with what it is made from, and is changed further; only a copy can be compared with that.
      const object = throughJson(patch(before));
      defaultObject(served.declaration, object);
      return track(object, before);
    };
    const { object } = await served.registry.update(ctx.state.info.name, request, produce, strategy ? { strategy } : {});
    return sendObject(ctx, served, object, 200, server.clock.nowMs());
  };
}

/** Makes the patched object of the one before; may be called again with a newer one. */
export type Patch = (old: KubeObject) => KubeObject;

/** Reads the request's patch of objects of `kind`. @throws StatusError BadRequest, UnsupportedMediaType */
export async function readPatch(ctx: ApiContext, kind: DecodeOptions['kind'], schema: ObjectNode, isCustom = false): Promise<Patch> {
  const type = mediaTypeOf(ctx);
  const body = await ctx.state.exchange.body(bodyBytesMax);
  const fieldValidation = readFieldValidation(ctx);
  const change = changeOf(type, schema, isCustom);
  // A result may share parts with its patch and is mutated later on, so each attempt reads the patch anew.
  const patch = readJson(body);
  const head = type === 'application/json-patch+json' ? 'json patch ' : '';
  const duplicates = fieldValidation === 'Ignore' ? [] : duplicatesInPatch(body, patch).map((text) => head + text);
  return (old) => {
    const source = () => change(old, readJson(body));
    const decoded = decodeObject(source(), { kind, schema, fieldValidation, duplicates, source });
    for (const warning of decoded.warnings) ctx.state.warnings.add(warning);
    return decoded.object;
  };
}

/** The request's content type, without parameters. */
export function mediaTypeOf(ctx: ApiContext): string {
  return contentTypeOf(ctx).split(';', 1)[0]!.trim();
}

function changeOf(type: string, schema: ObjectNode, isCustom: boolean): (old: KubeObject, patch: unknown) => object {
  if (type === 'application/json-patch+json') return boundedJsonPatch;
  if (type === 'application/merge-patch+json') return mergePatch;
  if (type === 'application/strategic-merge-patch+json' && !isCustom) return (old, patch) => strategicMergePatch(old, patch, schema);
  const accepted = ['application/json-patch+json', 'application/merge-patch+json'];
  if (!isCustom) accepted.push('application/strategic-merge-patch+json');
  accepted.push(applyPatchType);
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  throw new StatusError('UnsupportedMediaType', message);
}

/** Each operation may copy the whole object. */
const jsonPatchOperationsMax = 10_000;

function boundedJsonPatch(old: KubeObject, patch: unknown): object {
  if (Array.isArray(patch) && patch.length > jsonPatchOperationsMax) {
    const why = `The allowed maximum operations in a JSON patch is ${jsonPatchOperationsMax}, got ${patch.length}`;
    throw new StatusError('RequestEntityTooLarge', `Request entity too large: ${why}`);
  }
  return jsonPatch(old, patch);
}

function readJson(body: Buffer): unknown {
  try {
    return parseJson(body.toString());
  } catch (error) {
    if (error instanceof SyntaxError) throw badPatchError(`error decoding patch: ${error.message}`);
    throw error;
  }
}
