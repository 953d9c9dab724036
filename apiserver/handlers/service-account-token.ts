// POST to a service account's `token`: a token for it, bound to a pod, secret or node when asked for. And the two
// documents with which others check such tokens.

import { nodes, type Pod, pods, type Secret, type ServiceAccount, secrets } from '../../api/core.ts';
import { type FieldError, invalid } from '../../api/field-error.ts';
import { badRequestError, conflictError, invalidError, StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { ServiceAccountTokens } from '../authn/service-account-tokens.ts';
import { type ApiContext, jsonType, send } from '../context.ts';
import { readAccept } from '../negotiate/accept.ts';
import { sendJson } from '../negotiate/render.ts';
import { decodeBody } from '../schema/decode.ts';
import { schemaOf } from '../schema/schema.ts';
import type { PathHandler } from './dispatch.ts';
import {
  bodyBytesMax,
  contentTypeOf,
  type ResourceHandler,
  readFieldValidation,
  readWriteRequest,
  refuseUnlessGet,
  type ServerParts,
} from './handler.ts';
import { admitPosted } from './subresource-admission.ts';

interface BoundObjectReference {
  kind?: string;
  apiVersion?: string;
  name?: string;
  uid?: string;
}

interface TokenRequest extends KubeObject {
  spec?: { audiences?: string[]; expirationSeconds?: number; boundObjectRef?: BoundObjectReference };
}

const tokenRequestKind = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', plural: 'tokenrequests' };
const expirationSecondsDefault = 3600;
const expirationSecondsMin = 600;
const expirationSecondsMax = 2 ** 32;

export const requestToken: ResourceHandler = async (ctx, served, server) => {
  const tokens = server.serviceAccountTokens;
  if (!tokens) throw new StatusError('NotFound', 'the server could not find the requested resource', { details: {} });
  const { namespace, name } = ctx.state.info;
  const account = (await served.registry.current(namespace, name)).parse() as ServiceAccount;
  const request = await readTokenRequest(ctx);
  const write = readWriteRequest(ctx, 'create');
  const validate = await admitPosted(ctx, served, server, { object: request, objectKind: tokenRequestKind, request: write });
  const { spec = {} } = request;
  const audiences = spec.audiences?.length ? spec.audiences : [...tokens.audiences];
  const expirationSeconds = spec.expirationSeconds ?? expirationSecondsDefault;
  checkExpiration(expirationSeconds, name);
  await validate();
  const bound = spec.boundObjectRef ? await boundObject(spec.boundObjectRef, account, server) : undefined;
  const token = tokens.issue(account, { audiences, expirationSeconds, ...(bound ? { bound } : {}) });
  const expirationTimestamp = `${new Date(server.clock.nowMs() + expirationSeconds * 1000).toISOString().slice(0, 19)}Z`;
  const answer = {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: `${new Date(server.clock.nowMs()).toISOString().slice(0, 19)}Z` },
    spec: { audiences, expirationSeconds, boundObjectRef: spec.boundObjectRef ?? null },
    status: { token, expirationTimestamp },
  };
  return sendJson(ctx, 201, JSON.stringify(answer), readAccept(ctx.req.headers.accept, false, 'all'));
};

async function readTokenRequest(ctx: ApiContext): Promise<TokenRequest> {
  const schema = schemaOf(tokenRequestKind.group, tokenRequestKind.version, tokenRequestKind.kind);
  if (!schema) throw new Error('no schema for TokenRequest');
  const { object } = decodeBody(await ctx.state.exchange.body(bodyBytesMax), {
    contentType: contentTypeOf(ctx),
    kind: tokenRequestKind,
    schema,
    fieldValidation: readFieldValidation(ctx),
  });
  return object as TokenRequest;
}

function checkExpiration(expirationSeconds: number, name: string): void {
  const errors: FieldError[] = [];
  const at = 'spec.expirationSeconds';
  if (expirationSeconds < expirationSecondsMin)
    errors.push(invalid(at, expirationSeconds, 'may not specify a duration less than 10 minutes'));
  if (expirationSeconds > expirationSecondsMax)
    errors.push(invalid(at, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'));
  if (errors.length) throw invalidError(tokenRequestKind, name, errors);
}

type Bound = NonNullable<Parameters<ServiceAccountTokens['issue']>[1]['bound']>;

async function boundObject(reference: BoundObjectReference, account: ServiceAccount, server: ServerParts): Promise<Bound> {
  const { kind = '', apiVersion = '', name = '', uid } = reference;
  const namespace = account.metadata?.namespace ?? '';
  const find = async <T extends KubeObject>(of: Parameters<typeof server.resources.ofKind>[0], within: string): Promise<T> => {
    const registry = server.resources.ofKind(of)?.registry;
    if (!registry) throw badRequestError(`cannot bind token to object of type ${describe(reference)}`);
    const object = (await registry.current(within, name)).parse() as T;
    if (!uid || uid === object.metadata?.uid) return object;
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflictError({ group: '', plural: kind, kind }, name, why);
  };
  if (apiVersion === 'v1' && kind === 'Pod') {
    const pod = await find<Pod>(pods, namespace);
    const accountName = account.metadata?.name ?? '';
    if ((pod.spec?.serviceAccountName || 'default') !== accountName) {
      throw badRequestError(
        `cannot bind token for serviceaccount ${JSON.stringify(accountName)} to pod running with different serviceaccount name.`,
      );
    }
    const node = pod.spec?.nodeName ? await nodeReference(pod.spec.nodeName, server) : undefined;
    return { pod, ...(node ? { node } : {}) };
  }
  if (apiVersion === 'v1' && kind === 'Secret') return { secret: await find<Secret>(secrets, namespace) };
  if (apiVersion === 'v1' && kind === 'Node') {
    const { metadata } = await find<KubeObject>(nodes, '');
    return { node: { name: metadata?.name ?? '', uid: metadata?.uid ?? '' } };
  }
  throw badRequestError(`cannot bind token to object of type ${describe(reference)}`);
}

async function nodeReference(name: string, server: ServerParts): Promise<{ name: string; uid: string } | undefined> {
  const served = server.resources.ofKind(nodes);
  const node = served?.cache.get(served.registry.codec.keyOf('', name))?.parse();
  return { name, uid: node?.metadata?.uid ?? '' };
}

function describe({ apiVersion = '', kind = '' }: BoundObjectReference): string {
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
}

/** `/.well-known/openid-configuration` and `/openid/v1/jwks`. */
export function tokenIssuerPaths(tokens: ServiceAccountTokens, serverAddress: () => string): PathHandler {
  return (ctx) => {
    const path = ctx.state.info.path.replace(/\/$/, '');
    if (path !== '/openid/v1/jwks' && path !== '/.well-known/openid-configuration') return false;
    refuseUnlessGet(ctx);
    if (path === '/openid/v1/jwks') send(ctx, 200, 'application/jwk-set+json', JSON.stringify(tokens.jwks()));
    else send(ctx, 200, jsonType, JSON.stringify(tokens.openIdConfiguration(`https://${serverAddress()}/openid/v1/jwks`)));
    ctx.set('Cache-Control', 'public, max-age=3600');
    return true;
  };
}
