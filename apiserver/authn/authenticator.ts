// Who asks: a chain of authenticators, each of which knows the caller, knows nothing of it, or refuses it. Follows
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/.

import type { UserInfo } from '../resources/resource.ts';

/** What an authenticator may look at. */
export interface Credentials {
  /** The bearer token, without its scheme; undefined: none. */
  token: string | undefined;
  /** The verified client certificate's subject; undefined: none was shown. */
  certificate: { commonName: string; organizations: readonly string[] } | undefined;
  /** Request headers, names in lower case, for authenticating proxies. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A user, `undefined` when these credentials are none of its business. @throws StatusError Unauthorized when they are and are bad */
export type Authenticator = (credentials: Credentials) => UserInfo | undefined | Promise<UserInfo | undefined>;

export const anonymousUser: UserInfo = Object.freeze({ name: 'system:anonymous', groups: ['system:unauthenticated'] });

/** The first authenticator that knows the caller, who then is also in `system:authenticated`; undefined: nobody does. */
export async function authenticate(chain: readonly Authenticator[], credentials: Credentials): Promise<UserInfo | undefined> {
  for (const authenticator of chain) {
    const user = await authenticator(credentials);
    if (user) return withAuthenticatedGroup(user);
  }
  return undefined;
}

function withAuthenticatedGroup(user: UserInfo): UserInfo {
  if (user.groups.includes('system:authenticated') || user.groups.includes('system:unauthenticated')) return user;
  return { ...user, groups: [...user.groups, 'system:authenticated'] };
}

/** Client certificates: the common name is the user, the organizations are its groups. */
export const certificateAuthenticator: Authenticator = ({ certificate }) =>
  certificate && certificate.commonName !== '' ? { name: certificate.commonName, groups: [...certificate.organizations] } : undefined;
