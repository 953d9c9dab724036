// DELETE of one object.

import { type FieldError, invalid, notSupported } from '../../api/field-error.ts';
import { invalidError, type Status } from '../../api/status.ts';
import { type ApiContext, annotateAudit } from '../context.ts';
import { readAccept } from '../negotiate/accept.ts';
import { sendJson, sendObject } from '../negotiate/render.ts';
import type { DeleteOptions } from '../registry/deletion.ts';
import type { WriteRequest } from '../registry/registry.ts';
import type { Served } from '../registry/resource-table.ts';
import { decodeBody } from '../schema/decode.ts';
import { schemaOf } from '../schema/schema.ts';
import { bodyBytesMax, contentTypeOf, type ResourceHandler } from './handler.ts';
import { readBoolean, readInteger } from './query-values.ts';
import { dryRunErrors } from './write-options.ts';

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
  const gracePeriodSeconds = readInteger(query, 'gracePeriodSeconds');
  if (gracePeriodSeconds !== undefined) options.gracePeriodSeconds = gracePeriodSeconds;
  const policy = query.get('propagationPolicy');
  if (policy !== null) options.propagationPolicy = policy as NonNullable<DeleteOptions['propagationPolicy']>;
  const orphan = query.get('orphanDependents');
  if (orphan !== null) options.orphanDependents = readBoolean(orphan);
  const dryRun = query.getAll('dryRun');
  if (dryRun.length) options.dryRun = dryRun;
  const uid = query.get('uid');
  const resourceVersion = query.get('resourceVersion');
  if (uid || resourceVersion) options.preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
  return options;
}

function checkDeleteOptions(options: DeleteOptions): void {
  const subject = { group: 'meta.k8s.io', kind: 'DeleteOptions', plural: 'DeleteOptions' };
  const { propagationPolicy, orphanDependents, dryRun } = options;
  const problems: FieldError[] = [];
  const at = 'propagationPolicy';
  if (orphanDependents !== undefined && propagationPolicy !== undefined) {
    problems.push(invalid(at, propagationPolicy, 'orphanDependents and deletionPropagation cannot be both set'));
  }
  const policies = ['Foreground', 'Background', 'Orphan'];
  if (propagationPolicy !== undefined && !policies.includes(propagationPolicy)) {
    problems.push(notSupported(at, propagationPolicy, [...policies, 'nil']));
  }
  problems.push(...dryRunErrors(dryRun ?? []));
  if (problems.length) throw invalidError(subject, '', problems);
}
