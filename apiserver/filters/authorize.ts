// Refuses what the authorizer does not allow: 401 to those who have not said who they are, 403 to the others.

import { StatusError } from '../../api/status.ts';
import { anonymousUser } from '../authn/authenticator.ts';
import { type AuthorizationAttributes, type Authorizer, forbiddenBy } from '../authz/authorizer.ts';
import type { Filter } from '../context.ts';

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
    };
    const { decision, reason } = await authorizer(attributes);
    if (decision === 'allow') return next();
    if (user === anonymousUser) throw new StatusError('Unauthorized', 'Unauthorized');
    throw forbiddenBy(attributes, reason);
  };
}
