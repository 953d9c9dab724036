// What handlers are given beside the request, and the small things that most of them do.

import type { PolicyRule } from '../../api/rbac.ts';
import { invalidError, StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Store } from '../../store/store.ts';
import type { AdmissionChain } from '../admission/admission.ts';
import type { ClusterView } from '../admission/cluster-view.ts';
import type { Authenticator } from '../authn/authenticator.ts';
import type { ServiceAccountTokens } from '../authn/service-account-tokens.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import type { StoreFeed } from '../cache/store-feed.ts';
import { type ApiContext, annotateAudit, send } from '../context.ts';
import type { Metrics } from '../metrics.ts';
import { dropRepeatedOwners } from '../registry/admitted-metadata.ts';
import type { WriteRequest } from '../registry/registry.ts';
import type { ResourceTable, Served } from '../registry/resource-table.ts';
import type { UserInfo } from '../resources/resource.ts';
import { decodeBody, type FieldValidation } from '../schema/decode.ts';
import type { KubeletConnection } from './kubelet-connection.ts';

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
  /** Ends of the watches that are open; called when the server closes. */
  readonly openWatches: Set<() => void>;
  readonly kubelet: KubeletConnection | undefined;
  readonly authenticators: readonly Authenticator[];
  readonly authorizer: Authorizer;
  /** What a user may do in a namespace; absent: the authorizer cannot tell. */
  readonly rulesOf: ((user: UserInfo, namespace: string) => { rules: PolicyRule[]; problems: string[] }) | undefined;
  /** Signs and knows service account tokens; absent: there are none. */
  readonly serviceAccountTokens: ServiceAccountTokens | undefined;
}

export type ResourceHandler = (ctx: ApiContext, served: Served, server: ServerParts) => Promise<void> | void;

/** The largest request body, in bytes: 3 MiB, as Kubernetes'. */
export const bodyBytesMax = 3 << 20;

const optionsKinds = { create: 'CreateOptions', update: 'UpdateOptions', patch: 'PatchOptions' } as const;

/** What the request's parameters say about a write. @throws StatusError Invalid */
export function readWriteRequest(ctx: ApiContext, verb: 'create' | 'update' | 'patch'): WriteRequest {
  const { query, info, user, warnings } = ctx.state;
  const dryRun = query.getAll('dryRun').filter((value) => value !== '');
  const kind = optionsKinds[verb];
  if (dryRun.some((value) => value !== 'All')) {
    const message = `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`;
    throw invalidError({ group: 'meta.k8s.io', kind, plural: kind }, '', [{ type: 'FieldValueNotSupported', field: 'dryRun', message }]);
  }
  const fieldManager = query.get('fieldManager');
  const fieldValidation = query.get('fieldValidation');
  return {
    namespace: info.namespace,
    user,
    dryRun: dryRun.length > 0,
    options: {
      kind,
      apiVersion: 'meta.k8s.io/v1',
      ...(dryRun.length ? { dryRun } : {}),
      ...(fieldManager ? { fieldManager } : {}),
      ...(fieldValidation ? { fieldValidation } : {}),
    },
    warn: (text) => warnings.add(text),
    annotate: (key, value, level) => annotateAudit(ctx.state, key, value, level),
    deadline: ctx.state.deadline,
  };
}

/** The fieldValidation parameter. @throws StatusError Invalid */
export function readFieldValidation(ctx: ApiContext, verb: 'create' | 'update' | 'patch'): FieldValidation | undefined {
  const value = ctx.state.query.get('fieldValidation');
  if (!value) return undefined;
  if (value === 'Ignore' || value === 'Warn' || value === 'Strict') return value;
  const kind = optionsKinds[verb];
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: "Ignore", "Strict", "Warn"`;
  throw invalidError({ group: 'meta.k8s.io', kind, plural: kind }, '', [
    { type: 'FieldValueNotSupported', field: 'fieldValidation', message },
  ]);
}

/** The request's body as an object of the kind, with defaults. */
export async function readObject(ctx: ApiContext, served: Served, verb: 'create' | 'update'): Promise<KubeObject> {
  const body = await ctx.state.exchange.body(bodyBytesMax);
  const { object, warnings } = decodeBody(body, {
    contentType: contentTypeOf(ctx),
    kind: served.kind,
    schema: served.schema,
    fieldValidation: readFieldValidation(ctx, verb),
  });
  for (const warning of warnings) ctx.state.warnings.add(warning);
  served.declaration.defaults?.(object);
  dropRepeatedOwners(object, { warn: (text) => ctx.state.warnings.add(text), isAdmitted: false });
  return object;
}

export function contentTypeOf(ctx: ApiContext): string {
  return ctx.req.headers['content-type'] || 'application/json';
}

export function methodNotAllowed(served: Served, verb: string): StatusError {
  const { kind } = served;
  const shown = served.declaration.isCustom ? `${kind.plural}.${kind.group}` : kind.plural;
  return new StatusError('MethodNotAllowed', `${verb} is not supported on resources of kind "${shown}"`, {
    details: { ...(kind.group ? { group: kind.group } : {}), kind: kind.plural },
  });
}

/** The 404 of paths that lead to nothing under /api or /apis. */
export function unknownResource(): StatusError {
  return new StatusError('NotFound', 'the server could not find the requested resource', { details: {} });
}

/** What is only ever read: other methods are answered with 405, in text as Kubernetes does outside of resources. True: answered. */
export function refusedUnlessGet(ctx: ApiContext): boolean {
  if (ctx.method === 'GET') return false;
  ctx.set('Allow', 'GET');
  send(ctx, 405, 'text/plain; charset=utf-8', '405: Method Not Allowed');
  return true;
}
