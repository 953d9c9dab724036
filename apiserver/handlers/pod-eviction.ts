// POST to a pod's `eviction`: a deletion that a disruption budget may refuse.

import { badRequestError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { type ApiContext, jsonType, send } from '../context.ts';
import type { DeleteOptions } from '../registry/deletion.ts';
import { decodeBody } from '../schema/decode.ts';
import { schemaOf } from '../schema/schema.ts';
import { deleteRequest } from './delete.ts';
import { bodyBytesMax, contentTypeOf, type ResourceHandler, readFieldValidation, readWriteRequest } from './handler.ts';

interface Eviction extends KubeObject {
  deleteOptions?: DeleteOptions;
}

const evictionKind = { group: 'policy', version: 'v1', kind: 'Eviction' };
const success = JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });

export const evictPod: ResourceHandler = async (ctx, served) => {
  const { dryRun } = readWriteRequest(ctx, 'create');
  const eviction = await readEviction(ctx);
  const { name } = ctx.state.info;
  const named = eviction.metadata?.name;
  if (named && named !== name) throw badRequestError(`name in URL does not match name in Eviction object: ${name} != ${named}`);
  const options = eviction.deleteOptions ?? {};
  const request = deleteRequest(ctx, served, options);
  await served.registry.delete(name, { ...request, dryRun: dryRun || request.dryRun }, options);
  send(ctx, 201, jsonType, success);
};

async function readEviction(ctx: ApiContext): Promise<Eviction> {
  const schema = schemaOf(evictionKind.group, evictionKind.version, evictionKind.kind);
  if (!schema) throw new Error('no schema for Eviction');
  const { object } = decodeBody(await ctx.state.exchange.body(bodyBytesMax), {
    contentType: contentTypeOf(ctx),
    kind: evictionKind,
    schema,
    fieldValidation: readFieldValidation(ctx, 'create'),
  });
  return object as Eviction;
}
