// POST of a review: the answer comes back in its status, and nothing is stored.

import type { SelfSubjectReview, TokenReview } from '../../api/authentication.ts';
import type {
  NonResourceAttributes,
  ResourceAttributes,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
} from '../../api/authorization.ts';
import { type FieldError, invalid } from '../../api/field-error.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { badRequestError, invalidError, isStatus } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { authenticate } from '../authn/authenticator.ts';
import { type AuthorizationAttributes, aggregateErrors } from '../authz/authorizer.ts';
import { type AuthorizationSelectors, reviewSelectorErrors, selectorsOfReview } from '../authz/selectors.ts';
import { type ApiContext, jsonType, send } from '../context.ts';
import type { Served } from '../registry/resource-table.ts';
import type { UserInfo } from '../resources/resource.ts';
import { type ResourceHandler, readObject, readWriteRequest, type ServerParts } from './handler.ts';

type AccessSpec = SubjectAccessReview['spec'];

const subjectAccessReview: ResourceHandler = async (ctx, served, server) => {
  const review = (await readReview(ctx, served, server)) as SubjectAccessReview;
  const spec = review.spec ?? {};
  const errors = [...accessErrors(spec), ...subjectErrors(spec), ...metadataErrors(review, '')];
  if (errors.length) throw invalidError(served.kind, '', errors);
  answer(ctx, served, review, await decide(server, subjectOf(spec), spec));
};

const localSubjectAccessReview: ResourceHandler = async (ctx, served, server) => {
  const review = (await readReview(ctx, served, server)) as SubjectAccessReview;
  const spec = review.spec ?? {};
  const { namespace } = ctx.state.info;
  const errors = [...accessErrors(spec), ...subjectErrors(spec), ...metadataErrors(review, namespace)];
  const asked = spec.resourceAttributes?.namespace ?? '';
  if (spec.resourceAttributes && asked !== namespace)
    errors.push(invalid('spec.resourceAttributes.namespace', asked, 'must match metadata.namespace'));
  if (spec.nonResourceAttributes)
    errors.push(invalid('spec.nonResourceAttributes', spec.nonResourceAttributes, 'disallowed on this kind of request'));
  if (errors.length) throw invalidError(served.kind, '', errors);
  answer(ctx, served, review, await decide(server, subjectOf(spec), spec));
};

const selfSubjectAccessReview: ResourceHandler = async (ctx, served, server) => {
  const review = (await readReview(ctx, served, server)) as SelfSubjectAccessReview;
  const spec = review.spec ?? {};
  const errors = [...accessErrors(spec), ...metadataErrors(review, '')];
  if (errors.length) throw invalidError(served.kind, '', errors);
  answer(ctx, served, review, await decide(server, ctx.state.user, spec));
};

const selfSubjectRulesReview: ResourceHandler = async (ctx, served, server) => {
  const review = (await readReview(ctx, served, server)) as SelfSubjectRulesReview;
  const namespace = review.spec?.namespace;
  if (!namespace) throw badRequestError('no namespace on request');
  const found = server.rulesOf?.(ctx.state.user, namespace);
  const rules = found?.rules ?? [];
  const problems = found?.problems ?? ['the authorizer cannot list rules'];
  answer(ctx, served, review, {
    resourceRules: rules
      .filter(({ resources }) => resources?.length)
      .map(({ verbs, apiGroups, resources, resourceNames }) => ({
        verbs,
        apiGroups,
        resources,
        ...(resourceNames ? { resourceNames } : {}),
      })),
    nonResourceRules: rules
      .filter(({ nonResourceURLs }) => nonResourceURLs?.length)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: found?.isIncomplete ?? true,
    ...(problems.length > 0 ? { evaluationError: aggregateErrors(problems) } : {}),
  });
};

const selfSubjectReview: ResourceHandler = async (ctx, served, server) => {
  const review = (await readReview(ctx, served, server)) as SelfSubjectReview;
  answer(ctx, served, review, { userInfo: wireUser(ctx.state.user) });
};

const tokenReview: ResourceHandler = async (ctx, served, server) => {
  const review = (await readReview(ctx, served, server)) as TokenReview;
  const { token, audiences } = review.spec ?? {};
  if (!token) throw badRequestError('token is required for TokenReview in authentication');
  answer(ctx, served, review, await reviewToken(server, token, audiences ?? []));
};

/** The review, admitted as any creation is. */
async function readReview(ctx: ApiContext, served: Served, server: ServerParts): Promise<KubeObject> {
  const request = readWriteRequest(ctx, 'create');
  const object = await readObject(ctx, served);
  const { name, namespace, ...write } = { name: object.metadata?.name ?? '', annotate: () => {}, ...request };
  const attributes = {
    ...write,
    operation: 'CREATE' as const,
    kind: served.kind,
    subresource: '',
    name,
    namespace,
    object,
    old: undefined,
  };
  await server.admission.admit(attributes);
  await server.admission.validate(attributes);
  return object;
}

async function reviewToken(server: ServerParts, token: string, asked: readonly string[]): Promise<object> {
  const own = server.serviceAccountTokens;
  const audiences = asked.length > 0 ? asked : (own?.audiences ?? []);
  try {
    const account = await own?.authenticate(token, audiences);
    // Other tokens have no audience: they are for the API and nothing else.
    const isForApi = asked.length === 0 || asked.some((audience) => own?.audiences.includes(audience));
    const find = account ? () => account.user : undefined;
    const chain = find ? [find] : isForApi ? server.authenticators : [];
    const user = await authenticate(chain, { token, certificate: undefined, headers: {} });
    if (!user) return { user: {}, error: 'invalid bearer token' };
    return { authenticated: true, user: wireUser(user), audiences: account?.audiences ?? audiences };
  } catch (error) {
    if (!isStatus(error, 'Unauthorized')) throw error;
    return { user: {}, error: 'invalid bearer token' };
  }
}

/** After pkg/apis/authorization/validation of Kubernetes. */
function accessErrors({ resourceAttributes, nonResourceAttributes }: AccessSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (resourceAttributes && nonResourceAttributes)
    errors.push(invalid('spec.nonResourceAttributes', nonResourceAttributes, 'cannot be specified in combination with resourceAttributes'));
  if (!resourceAttributes && !nonResourceAttributes)
    errors.push(invalid('spec.resourceAttributes', null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified'));
  reviewSelectorErrors(resourceAttributes, errors);
  return errors;
}

const subjectErrors = ({ user = '', groups = [] }: AccessSpec): FieldError[] =>
  user || groups.length > 0 ? [] : [invalid('spec.user', user, 'at least one of user or group must be specified')];

/** Reviews have no names: nothing but what the server itself adds. */
function metadataErrors({ metadata }: KubeObject, namespace: string): FieldError[] {
  const own = new Set(['managedFields', ...(namespace ? ['namespace'] : [])]);
  const isGiven = ([key, value]: [string, unknown]) => !own.has(key) && value !== null && value !== undefined && value !== '';
  if (!Object.entries(metadata ?? {}).some(isGiven)) return [];
  return [invalid('metadata', metadata, namespace ? 'must be empty except for namespace' : 'must be empty')];
}

function subjectOf({ user = '', uid, groups = [], extra }: AccessSpec): UserInfo {
  return { name: user, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
}

async function decide(server: ServerParts, user: UserInfo, { resourceAttributes, nonResourceAttributes }: AccessSpec): Promise<object> {
  const { selectors, problems } = selectorsOfReview(resourceAttributes ?? {});
  const asked = attributesOf(user, { resource: resourceAttributes, path: nonResourceAttributes, selectors });
  const { decision, reason, error } = await server.authorizer(asked);
  const evaluationError = [...(error ? [error] : []), ...problems].join('; ');
  return {
    allowed: decision === 'allow',
    ...(decision === 'deny' ? { denied: true } : {}),
    ...(reason ? { reason } : {}),
    ...(evaluationError ? { evaluationError } : {}),
  };
}

function attributesOf(
  user: UserInfo,
  {
    resource,
    path,
    selectors,
  }: { resource: ResourceAttributes | undefined; path: NonResourceAttributes | undefined; selectors: AuthorizationSelectors },
): AuthorizationAttributes {
  return {
    user,
    verb: resource?.verb ?? path?.verb ?? '',
    isResourceRequest: resource !== undefined,
    group: resource?.group ?? '',
    version: resource?.version || '*',
    resource: resource?.resource ?? '',
    subresource: resource?.subresource ?? '',
    namespace: resource?.namespace ?? '',
    name: resource?.name ?? '',
    path: path?.path ?? '',
    ...selectors,
  };
}

const wireUser = ({ name, uid, groups, extra }: UserInfo) => ({
  username: name,
  ...(uid ? { uid } : {}),
  groups,
  ...(extra ? { extra } : {}),
});

function answer(ctx: ApiContext, { kind }: Served, review: KubeObject, status: object): void {
  const object = { ...review, kind: kind.kind, apiVersion: apiVersionOf(kind), metadata: review.metadata ?? {}, status };
  send(ctx, 201, jsonType, JSON.stringify(object));
}

/** By the name that a declaration gives as its handler. */
export const reviewHandlers: Record<string, ResourceHandler> = {
  'subject-access-review': subjectAccessReview,
  'local-subject-access-review': localSubjectAccessReview,
  'self-subject-access-review': selfSubjectAccessReview,
  'self-subject-rules-review': selfSubjectRulesReview,
  'self-subject-review': selfSubjectReview,
  'token-review': tokenReview,
};
