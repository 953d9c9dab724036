// Turns every failure into a Status: those the handlers mean, and those nobody meant.

import { stringify as stringifyYaml } from 'yaml';
import { internalError, StatusError } from '../../api/status.ts';
import { isAbortError } from '../../base/abort.ts';
import type { Log } from '../../base/log.ts';
import { type ApiContext, type Filter, jsonType, send } from '../context.ts';
import { formatOfStatus } from '../negotiate/accept.ts';
import { objectProtobuf } from '../negotiate/protobuf.ts';
import { protobufType } from '../protobuf/envelope.ts';

export function renderErrors(log: Log): Filter {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (isAbortError(error) && ctx.headerSent) return;
      const status = asStatusError(error, ctx, log);
      if (ctx.headerSent || ctx.respond === false) return;
      sendStatusError(ctx, status);
    }
  };
}

function asStatusError(error: unknown, ctx: ApiContext, log: Log): StatusError {
  if (error instanceof StatusError) return error;
  log.error('a request failed', {
    method: ctx.method,
    path: ctx.state.info.path,
    error: error instanceof Error ? error.stack : String(error),
  });
  return internalError(error instanceof Error ? error.message : String(error));
}

/** Answers with the error's Status. */
export function sendStatusError(ctx: ApiContext, error: StatusError): void {
  const retryAfterSeconds = error.details?.retryAfterSeconds;
  if (retryAfterSeconds) ctx.set('Retry-After', String(retryAfterSeconds));
  const format = formatOfStatus(ctx.req.headers.accept);
  const status = error.toStatus();
  if (format === 'protobuf') send(ctx, error.code, protobufType, objectProtobuf(status));
  else if (format === 'yaml') send(ctx, error.code, 'application/yaml', stringifyYaml(status));
  else send(ctx, error.code, jsonType, `${JSON.stringify(status)}\n`);
}
