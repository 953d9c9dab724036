// Refuses what the authorizer does not allow, to the anonymous as to everyone.

import { type AuthorizationAttributes, type Authorizer, forbiddenBy } from '../authz/authorizer.ts';
import { selectorsFrom } from '../authz/selectors.ts';
import { type ApiContext, annotateAudit, type Filter } from '../context.ts';

export function authorize(authorizer: Authorizer): Filter {
  return async (ctx, next) => {
    const { isResource, verb, group, version, resource, subresource, namespace, name, path } = ctx.state.info;
    const { user } = ctx.state;
    const attributes: AuthorizationAttributes = {
      user,
      verb,
      isResourceRequest: isResource,
      group,
      version,
      resource,
      subresource,
      namespace,
      name,
      path,
      ...limitsOf(ctx),
    };
    const { decision, reason } = await authorizer(attributes);
    annotateAudit(ctx.state, 'authorization.k8s.io/decision', decision === 'allow' ? 'allow' : 'forbid');
    annotateAudit(ctx.state, 'authorization.k8s.io/reason', reason ?? '');
    if (decision === 'allow') return next();
    throw forbiddenBy(attributes, reason);
  };
}

/**
 * What selectors say of who may: a list or watch of one name, by field selector, asks for that object only; authorizers
 * see the rest as it is. The old paths under `/watch/` take no selectors everywhere, so that none counts there.
 */
function limitsOf({ state }: ApiContext): Partial<AuthorizationAttributes> {
  const { verb, name, path } = state.info;
  const isList = verb === 'list' || verb === 'watch';
  if ((!isList && verb !== 'deletecollection') || watchPath.test(path)) return {};
  const selectors = selectorsFrom(state.query.get('fieldSelector'), state.query.get('labelSelector'));
  const named =
    isList && !name ? selectors.fieldSelector?.find(({ field, operator }) => field === 'metadata.name' && operator === '=') : undefined;
  return { ...selectors, ...(named && isPathSegment(named.value) ? { name: named.value } : {}) };
}

const watchPath = /^\/(?:api\/[^/]+|apis\/[^/]+\/[^/]+)\/watch\//;

const isPathSegment = (name: string) => name !== '.' && name !== '..' && !/[/%]/.test(name);
