// PATCH with application/apply-patch+yaml: server-side apply. The object is created when it is not there.

import { throughJson } from '../../api/json.ts';
import { badRequestError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { timestamp } from '../../base/clock.ts';
import { type ApplyRequest, applyPatch } from '../apply/apply-patch.ts';
import type { ApiContext } from '../context.ts';
import { sendObject } from '../negotiate/render.ts';
import type { UpdateStrategy } from '../registry/registry.ts';
import { versionsOf } from '../registry/served-versions.ts';
import { defaultObject } from '../resources/defaulted.ts';
import { DecodeError } from '../schema/check.ts';
import { decodeObject } from '../schema/decode.ts';
import { parseYamlBody } from '../schema/yaml-body.ts';
import { resetFieldsOf } from './field-tracking.ts';
import { bodyBytesMax, type ResourceHandler, readFieldValidation, readWriteRequest } from './handler.ts';
import { readBoolean } from './query-values.ts';

export function applyObject(strategyOf?: (served: Parameters<ResourceHandler>[1]) => UpdateStrategy): ResourceHandler {
  return async (ctx, served, server) => {
    const { info } = ctx.state;
    const request = readWriteRequest(ctx, 'patch');
    const { applied, manager, force } = await readApply(ctx);
    const strategy = strategyOf?.(served);
    const subresource = strategy?.subresource ?? '';
    const { kind, schema } = served;
    const versions = versionsOf(served, server.resources);
    const produce = async (old: KubeObject | undefined) => {
      const merged = await applyPatch({
        live: old,
        applied,
        manager,
        force,
        kind: kind.kind,
        versions,
        subresource,
        time: timestamp(server.clock),
        resets: resetFieldsOf(served, subresource),
      });
      // What was merged shares parts with the body, which another attempt needs again.
      const own = throughJson(merged);
      const { object } = decodeObject(own, { kind, schema, fieldValidation: 'Ignore' });
      defaultObject(served.declaration, object);
      return object;
    };
    const options = strategy ? { strategy } : { createMissing: true };
    const { object, isNew } = await served.registry.update(info.name, request, produce, options);
    return sendObject(ctx, served, object, isNew ? 201 : 200, server.clock.nowMs());
  };
}

/** What the request applies, and as whom. @throws StatusError Invalid, BadRequest */
export async function readApply(ctx: ApiContext): Promise<Pick<ApplyRequest, 'applied' | 'manager' | 'force'>> {
  const { info, query } = ctx.state;
  // Required: `readWriteRequest` has seen to it.
  const manager = query.get('fieldManager') ?? '';
  const body = readApplied(ctx, await ctx.state.exchange.body(bodyBytesMax));
  const name = body.metadata?.name;
  if (name && name !== info.name) {
    throw badRequestError(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
  }
  const applied = { ...body, metadata: { ...body.metadata, name: info.name } };
  return { applied, manager, force: readBoolean(query.get('force')) };
}

/** The body, YAML or JSON; repeated fields are warned of or refused. @throws StatusError BadRequest */
function readApplied(ctx: ApiContext, body: Buffer): KubeObject {
  const fieldValidation = readFieldValidation(ctx) ?? 'Warn';
  try {
    const { value, duplicates } = parseYamlBody(body.toString());
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw badRequestError('error decoding patch: the body is no object');
    if (duplicates.length > 0 && fieldValidation === 'Strict') {
      const lines = duplicates.map((line) => `\n  ${line}`).join('');
      throw badRequestError(`error strict decoding patch: error converting YAML to JSON: yaml: unmarshal errors:${lines}`);
    }
    if (fieldValidation === 'Warn') for (const line of duplicates) ctx.state.warnings.add(line);
    return value as KubeObject;
  } catch (error) {
    if (error instanceof DecodeError) throw badRequestError(`error decoding patch: ${error.message}`);
    throw error;
  }
}
