// What handlers are given beside the request, and the small things that most of them do.

import { StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Store } from '../../store/store.ts';
import type { AdmissionChain } from '../admission/admission.ts';
import type { ClusterView } from '../admission/cluster-view.ts';
import type { Authenticator } from '../authn/authenticator.ts';
import type { ServiceAccountTokens } from '../authn/service-account-tokens.ts';
import type { Authorizer, RuleResolver } from '../authz/authorizer.ts';
import type { CacheMetrics } from '../cache/cache-metrics.ts';
import type { StoreFeed } from '../cache/store-feed.ts';
import { type ApiContext, annotateAudit } from '../context.ts';
import type { Metrics } from '../metrics.ts';
import { dropRepeatedOwners } from '../registry/admitted-metadata.ts';
import type { WriteRequest } from '../registry/registry.ts';
import type { ResourceTable, Served } from '../registry/resource-table.ts';
import { defaultObject } from '../resources/defaulted.ts';
import { decodeBody, type FieldValidation } from '../schema/decode.ts';
import type { KubeletConnection } from './kubelet-connection.ts';
import { readWriteOptions } from './write-options.ts';

/** The server, as its handlers see it. */
export interface ServerParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly feed: StoreFeed;
  readonly resources: ResourceTable;
  readonly admission: AdmissionChain;
  /** Objects out of the caches, shared. */
  readonly view: ClusterView;
  readonly metrics: Metrics;
  readonly cacheMetrics: CacheMetrics;
  /** Ends of the watches that are open; called when the server closes. */
  readonly openWatches: Set<() => void>;
  /** Watches last from this long to twice as long, unless they ask for another time. */
  readonly watchSecondsMin: number;
  readonly kubelet: KubeletConnection | undefined;
  readonly authenticators: readonly Authenticator[];
  readonly authorizer: Authorizer;
  /** What a user may do in a namespace; absent: the authorizer cannot tell. */
  readonly rulesOf: RuleResolver | undefined;
  /** Signs and knows service account tokens; absent: there are none. */
  readonly serviceAccountTokens: ServiceAccountTokens | undefined;
}

export type ResourceHandler = (ctx: ApiContext, served: Served, server: ServerParts) => Promise<void> | void;

/** The largest request body, in bytes: 3 MiB, as Kubernetes'. */
export const bodyBytesMax = 3 << 20;

/** What the request's parameters say about a write. @throws StatusError Invalid */
export function readWriteRequest(ctx: ApiContext, verb: 'create' | 'update' | 'patch'): WriteRequest {
  const { query, info, user, warnings } = ctx.state;
  const isApply = verb === 'patch' && contentTypeOf(ctx).split(';', 1)[0]?.trim() === applyPatchType;
  const options = readWriteOptions(query, verb, isApply);
  return {
    namespace: info.namespace,
    user,
    dryRun: options.dryRun !== undefined,
    options: { ...options },
    warn: (text) => warnings.add(text),
    annotate: (key, value, level) => annotateAudit(ctx.state, key, value, level),
    deadline: ctx.state.deadline,
  };
}

/** The media type of a patch that is a server-side apply. */
export const applyPatchType = 'application/apply-patch+yaml';

/** The fieldValidation parameter, which `readWriteRequest` has checked. */
export function readFieldValidation(ctx: ApiContext): FieldValidation | undefined {
  const value = ctx.state.query.get('fieldValidation');
  return value ? (value as FieldValidation) : undefined;
}

/** The request's body as an object of the kind, with defaults. */
export async function readObject(ctx: ApiContext, served: Served): Promise<KubeObject> {
  const body = await ctx.state.exchange.body(bodyBytesMax);
  const { object, warnings } = decodeBody(body, {
    contentType: contentTypeOf(ctx),
    kind: served.kind,
    schema: served.schema,
    fieldValidation: readFieldValidation(ctx),
  });
  for (const warning of warnings) ctx.state.warnings.add(warning);
  defaultObject(served.declaration, object);
  dropRepeatedOwners(object, { warn: (text) => ctx.state.warnings.add(text), isAdmitted: false });
  return object;
}

export function contentTypeOf(ctx: ApiContext): string {
  return ctx.req.headers['content-type'] || 'application/json';
}

/** The 405 of a resource. For custom ones Kubernetes says which verb it was; the others it does not tell apart. */
export function methodNotAllowed({ kind, declaration }: Served, verb: string): StatusError {
  if (!declaration.isCustom) return unknownMethod();
  const message = `${verb} is not supported on resources of kind "${kind.plural}.${kind.group}"`;
  return new StatusError('MethodNotAllowed', message, { details: { group: kind.group, kind: kind.plural } });
}

function unknownMethod(): StatusError {
  return new StatusError('MethodNotAllowed', 'the server does not allow this method on the requested resource', { details: {} });
}

/** The 404 of paths that lead to nothing under /api or /apis. */
export function unknownResource(): StatusError {
  return new StatusError('NotFound', 'the server could not find the requested resource', { details: {} });
}

/** For what is only ever read. @throws StatusError MethodNotAllowed */
export function refuseUnlessGet(ctx: ApiContext): void {
  if (ctx.method !== 'GET') throw unknownMethod();
}
