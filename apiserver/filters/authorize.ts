// Refuses what the authorizer does not allow, to the anonymous as to everyone.

import { type AuthorizationAttributes, type Authorizer, forbiddenBy } from '../authz/authorizer.ts';
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
      name: name || nameSelected(ctx, verb),
      path,
    };
    const { decision, reason } = await authorizer(attributes);
    annotateAudit(ctx.state, 'authorization.k8s.io/decision', decision === 'allow' ? 'allow' : 'forbid');
    annotateAudit(ctx.state, 'authorization.k8s.io/reason', reason ?? '');
    if (decision === 'allow') return next();
    throw forbiddenBy(attributes, reason);
  };
}

/** A list or watch of one name, by field selector, asks for that object only. */
function nameSelected(ctx: ApiContext, verb: string): string {
  if (verb !== 'list' && verb !== 'watch' && verb !== 'deletecollection') return '';
  const selector = ctx.state.query.get('fieldSelector');
  return selector ? (/(?:^|,)metadata\.name==?([^,]*)/.exec(selector)?.[1] ?? '') : '';
}
