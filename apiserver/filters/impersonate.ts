// Lets those who may `impersonate` speak as somebody else, by the Impersonate- headers. Follows
// https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/.

import { badRequestError } from '../../api/status.ts';
import { anonymousUser } from '../authn/authenticator.ts';
import { unescapedExtraKey } from '../authn/request-header.ts';
import { type AuthorizationAttributes, type Authorizer, forbiddenBy } from '../authz/authorizer.ts';
import type { ApiContext, Filter } from '../context.ts';
import type { UserInfo } from '../resources/resource.ts';

const extraPrefix = 'impersonate-extra-';
const accountPrefix = 'system:serviceaccount:';
const authenticationGroup = 'authentication.k8s.io';

type Asked = Pick<AuthorizationAttributes, 'resource' | 'name'> & Partial<AuthorizationAttributes>;

/** After authentication: what follows, authorization too, sees the impersonated user only. */
export function impersonate(authorizer: Authorizer): Filter {
  return async (ctx, next) => {
    const wanted = wantedUser(ctx);
    if (!wanted) return next();
    const { user } = ctx.state;
    for (const asked of whatIsNeeded(wanted)) {
      const attributes: AuthorizationAttributes = {
        user,
        verb: 'impersonate',
        isResourceRequest: true,
        group: '',
        version: 'v1',
        subresource: '',
        namespace: '',
        path: '',
        ...asked,
      };
      const { decision, reason } = await authorizer(attributes);
      if (decision !== 'allow') throw forbiddenBy(attributes, reason);
    }
    ctx.state.user = completed(wanted);
    return next();
  };
}

function wantedUser(ctx: ApiContext): UserInfo | undefined {
  const { headers } = ctx.req;
  const name = headers['impersonate-user'];
  const groups = valuesOf(ctx, 'impersonate-group');
  const uid = headers['impersonate-uid'];
  const extra: Record<string, string[]> = {};
  for (const header in headers) {
    if (header.startsWith(extraPrefix)) extra[unescapedExtraKey(header.slice(extraPrefix.length))] = valuesOf(ctx, header);
  }
  if (typeof name === 'string' && name !== '')
    return { name, groups, ...(typeof uid === 'string' ? { uid } : {}), ...(Object.keys(extra).length ? { extra } : {}) };
  if (groups.length > 0 || uid !== undefined || Object.keys(extra).length > 0)
    throw badRequestError('requested groups, uid or extra without impersonating a user name');
  return undefined;
}

/** Each value of a repeated header; node joins them otherwise. */
function valuesOf(ctx: ApiContext, header: string): string[] {
  const distinct = ctx.req.headersDistinct?.[header];
  if (distinct) return distinct;
  const value = ctx.req.headers[header];
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

function whatIsNeeded({ name, uid, groups, extra = {} }: UserInfo): Asked[] {
  const needed: Asked[] = [];
  const [namespace, account, ...rest] = name.startsWith(accountPrefix) ? name.slice(accountPrefix.length).split(':') : [];
  if (namespace && account && rest.length === 0) needed.push({ resource: 'serviceaccounts', namespace, name: account });
  else needed.push({ resource: 'users', name });
  for (const group of groups) needed.push({ resource: 'groups', name: group });
  for (const [key, values] of Object.entries(extra))
    for (const value of values) needed.push({ group: authenticationGroup, resource: 'userextras', subresource: key, name: value });
  if (uid) needed.push({ group: authenticationGroup, resource: 'uids', name: uid });
  return needed;
}

/** The groups that a user of this name always has. */
function completed(user: UserInfo): UserInfo {
  if (user.name === anonymousUser.name) return { ...user, groups: [...new Set([...user.groups, ...anonymousUser.groups])] };
  const own = user.groups.length === 0 && user.name.startsWith(accountPrefix) ? accountGroups(user.name) : user.groups;
  // Who asks to be nobody known stays that.
  const known = own.includes('system:unauthenticated') ? [] : ['system:authenticated'];
  return { ...user, groups: [...new Set([...own, ...known])] };
}

function accountGroups(name: string): string[] {
  const [namespace = ''] = name.slice(accountPrefix.length).split(':');
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
}
