// Records requests as audit events, as the policy says: when they come, when a long answer begins, and when they end.

import { parseJson } from '../../api/json.ts';
import { StatusError } from '../../api/status.ts';
import { type Clock, microTimestamp } from '../../base/clock.ts';
import type { AuditLog } from '../audit/log-file.ts';
import type { AuditPolicy } from '../audit/policy.ts';
import type { ApiContext, Exchange, Filter } from '../context.ts';

export interface AuditOptions {
  policy: AuditPolicy;
  log: AuditLog;
}

export function audit({ policy, log }: AuditOptions, clock: Clock): Filter {
  return async (ctx, next) => {
    const { level, omitStages } = policy.decide(ctx.state.info, ctx.state.user);
    if (level === 'None') return next();
    const annotations = new Map<string, string>();
    ctx.state.auditAnnotations = annotations;
    ctx.state.auditLevel = level;
    const event = beginEvent(ctx, level, microTimestamp(clock));
    const record = (stage: string, more: object = {}) => {
      if (!omitStages.includes(stage)) log.write({ ...event, stage, ...more, stageTimestamp: microTimestamp(clock), ...annotated() });
    };
    const { exchange } = ctx.state;
    const annotated = () => (annotations.size ? { annotations: Object.fromEntries(annotations) } : {});
    let requestObject: unknown;
    if (level !== 'Metadata') ctx.state.exchange = overhearing(exchange, (body) => (requestObject = parsed(body)));
    const request = () => (requestObject === undefined ? {} : { requestObject });
    record('RequestReceived');
    if (ctx.state.isLongRunning) record('ResponseStarted', { responseStatus: { metadata: {}, code: 200 } });
    try {
      await next();
    } catch (error) {
      const { code, reason, message } =
        error instanceof StatusError ? error : { code: 500, reason: 'InternalError', message: String(error) };
      record('ResponseComplete', { ...request(), responseStatus: { metadata: {}, status: 'Failure', message, reason, code } });
      throw error;
    }
    const responseObject = level === 'RequestResponse' ? parsed(ctx.body) : undefined;
    const response = responseObject === undefined ? {} : { responseObject };
    record('ResponseComplete', { ...request(), ...response, responseStatus: { metadata: {}, code: ctx.status } });
  };
}

function beginEvent(ctx: ApiContext, level: string, requestReceivedTimestamp: string): object {
  const { info, user, auditId } = ctx.state;
  const { group, version, namespace, resource, subresource, name } = info;
  const objectRef = {
    resource,
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    ...(group ? { apiGroup: group } : {}),
    apiVersion: version,
    ...(subresource ? { subresource } : {}),
  };
  const userAgent = ctx.req.headers['user-agent'];
  const address = ctx.req.socket?.remoteAddress;
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level,
    auditID: auditId,
    requestURI: ctx.req.url,
    verb: info.verb,
    user: {
      username: user.name,
      ...(user.uid ? { uid: user.uid } : {}),
      groups: user.groups,
      ...(user.extra ? { extra: user.extra } : {}),
    },
    ...(address ? { sourceIPs: [address] } : {}),
    ...(userAgent ? { userAgent } : {}),
    ...(info.isResource ? { objectRef } : {}),
    requestReceivedTimestamp,
  };
}

/** The exchange, whose request body is also shown to `hear`. */
function overhearing(exchange: Exchange, hear: (body: Buffer) => void): Exchange {
  return {
    upgrade: exchange.upgrade,
    localUser: exchange.localUser,
    get signal() {
      return exchange.signal;
    },
    open: (status) => exchange.open(status),
    bodyStream: () => exchange.bodyStream(),
    async body(bytesMax) {
      const body = await exchange.body(bytesMax);
      hear(body);
      return body;
    },
  };
}

/** What is not JSON is left out. */
function parsed(body: unknown): unknown {
  if (!(typeof body === 'string' || Buffer.isBuffer(body)) || body.length === 0) return undefined;
  try {
    return parseJson(body.toString());
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
