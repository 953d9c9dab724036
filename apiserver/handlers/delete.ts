// DELETE of one object.

import { badRequestError, invalidError, type Status } from '../../api/status.ts';
import { type ApiContext, annotateAudit } from '../context.ts';
import { readAccept } from '../negotiate/accept.ts';
import { sendJson, sendObject } from '../negotiate/render.ts';
import type { DeleteOptions } from '../registry/deletion.ts';
import type { WriteRequest } from '../registry/registry.ts';
import type { Served } from '../registry/resource-table.ts';
import { decodeBody } from '../schema/decode.ts';
import { schemaOf } from '../schema/schema.ts';
import { bodyBytesMax, contentTypeOf, type ResourceHandler } from './handler.ts';
import { readBoolean } from './list-options.ts';

export const deleteObject: ResourceHandler = async (ctx, served, server) => {
  const { info } = ctx.state;
  const options = await readDeleteOptions(ctx);
  const { object, isGone } = await served.registry.delete(info.name, deleteRequest(ctx, served, options), options);
  const status = !isGone && options.orphanDependents === false ? 202 : 200;
  if (!isGone || served.declaration.returnsDeletedObject) return sendObject(ctx, served, object, status, server.clock.nowMs());
  return sendDeleted(ctx, served, object.parse().metadata?.uid ?? '');
};

function sendDeleted(ctx: ApiContext, { kind }: Served, uid: string): Promise<void> {
  const answer: Omit<Status, 'code'> = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: ctx.state.info.name, ...(kind.group ? { group: kind.group } : {}), kind: kind.plural, uid },
  };
  return sendJson(ctx, 200, JSON.stringify(answer), readAccept(ctx.req.headers.accept, false, 'all'));
}

/** The write that a deletion is. */
export function deleteRequest(ctx: ApiContext, served: Served, options: DeleteOptions): WriteRequest {
  const { info, user, warnings } = ctx.state;
  return {
    namespace: served.kind.namespaced ? info.namespace : '',
    user,
    dryRun: (options.dryRun?.length ?? 0) > 0,
    options,
    warn: (text) => warnings.add(text),
    annotate: (key, value, level) => annotateAudit(ctx.state, key, value, level),
    deadline: ctx.state.deadline,
  };
}

const deleteOptionsKind = { group: '', version: 'v1', kind: 'DeleteOptions' };

/** DeleteOptions from the body, or from parameters when there is none. @throws StatusError BadRequest, Invalid */
export async function readDeleteOptions(ctx: ApiContext): Promise<DeleteOptions> {
  const body = await ctx.state.exchange.body(bodyBytesMax);
  const options = body.length ? readBody(ctx, body) : readParameters(ctx);
  checkDeleteOptions(options);
  return options;
}

function readBody(ctx: ApiContext, body: Buffer): DeleteOptions {
  const schema =
    schemaOf(deleteOptionsKind.group, deleteOptionsKind.version, deleteOptionsKind.kind) ?? schemaOf('meta.k8s.io', 'v1', 'DeleteOptions');
  if (!schema) throw new Error('no schema for DeleteOptions');
  const { object } = decodeBody(body, {
    contentType: contentTypeOf(ctx),
    kind: deleteOptionsKind,
    schema,
    alias: ctx.state.info,
    fieldValidation: 'Ignore',
  });
  return object as DeleteOptions;
}

function readParameters(ctx: ApiContext): DeleteOptions {
  const { query } = ctx.state;
  const options: DeleteOptions = {};
  const grace = query.get('gracePeriodSeconds');
  if (grace) {
    if (!/^-?\d+$/.test(grace)) throw badRequestError(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
    options.gracePeriodSeconds = Number(grace);
  }
  const policy = query.get('propagationPolicy');
  if (policy) options.propagationPolicy = policy as NonNullable<DeleteOptions['propagationPolicy']>;
  const orphan = query.get('orphanDependents');
  if (orphan) options.orphanDependents = readBoolean(orphan);
  const dryRun = query.getAll('dryRun').filter((value) => value !== '');
  if (dryRun.length) options.dryRun = dryRun;
  return options;
}

function checkDeleteOptions(options: DeleteOptions): void {
  const subject = { group: 'meta.k8s.io', kind: 'DeleteOptions', plural: 'DeleteOptions' };
  const { propagationPolicy, orphanDependents, dryRun } = options;
  const problems: { field: string; type: 'FieldValueInvalid' | 'FieldValueNotSupported'; message: string }[] = [];
  if (orphanDependents !== undefined && propagationPolicy !== undefined) {
    const message = `Invalid value: ${JSON.stringify(propagationPolicy)}: orphanDependents and deletionPropagation cannot be both set`;
    problems.push({ field: 'propagationPolicy', type: 'FieldValueInvalid', message });
  }
  if (propagationPolicy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(propagationPolicy)) {
    const message = `Unsupported value: ${JSON.stringify(propagationPolicy)}: supported values: "Background", "Foreground", "Orphan", "nil"`;
    problems.push({ field: 'propagationPolicy', type: 'FieldValueNotSupported', message });
  }
  if (dryRun?.some((value) => value !== 'All')) {
    problems.push({
      field: 'dryRun',
      type: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`,
    });
  }
  if (problems.length) throw invalidError(subject, '', problems);
}
