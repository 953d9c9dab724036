// Who asks: a chain of authenticators, each of which knows the caller, knows nothing of it, or refuses it. Follows
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/.

import { isStatus, StatusError } from '../../api/status.ts';
import type { UserInfo } from '../resources/resource.ts';

export interface ClientCertificate {
  commonName: string;
  organizations: readonly string[];
  /** SHA-256 of the certificate in lower-case hex. */
  fingerprint?: string;
  /** Why it is not to be believed; absent: its chain leads to the clients' authority. */
  problem?: string;
  /** Signed by the authority of front proxies: it is no client's, whatever its name. */
  isProxy?: boolean;
}

/** What an authenticator may look at. */
export interface Credentials {
  /** The bearer token, without its scheme; undefined: none. */
  token: string | undefined;
  /** The client certificate's subject; undefined: none was shown. */
  certificate: ClientCertificate | undefined;
  /** Request headers, names in lower case and each value by itself, for authenticating proxies. */
  headers: Readonly<Record<string, readonly string[] | undefined>>;
}

/** A user, `undefined` when these credentials are none of its business. @throws StatusError Unauthorized when they are and are bad */
export type Authenticator = (credentials: Credentials) => UserInfo | undefined | Promise<UserInfo | undefined>;

export const anonymousUser: UserInfo = Object.freeze({ name: 'system:anonymous', groups: ['system:unauthenticated'] });

/** Who may ask without saying who they are: anybody, or only for some paths. */
export interface AnonymousAccess {
  isEnabled: boolean;
  /** Absent: every path. */
  paths?: readonly string[];
}

/**
 * The first authenticator that knows the caller, who then is also in `system:authenticated`; undefined: nobody does. One
 * that refuses does not keep the others from knowing.
 * @throws StatusError Unauthorized when somebody refused and nobody knows the caller
 */
export async function authenticate(chain: readonly Authenticator[], credentials: Credentials): Promise<UserInfo | undefined> {
  let refusal: Error | undefined;
  for (const authenticator of chain) {
    try {
      const user = await authenticator(credentials);
      if (user) return withAuthenticatedGroup(user);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      refusal ??= error;
    }
  }
  if (refusal) throw isStatus(refusal, 'Unauthorized') ? refusal : new StatusError('Unauthorized', 'Unauthorized', { cause: refusal });
  return undefined;
}

function withAuthenticatedGroup(user: UserInfo): UserInfo {
  if (user.groups.includes('system:authenticated') || user.groups.includes('system:unauthenticated')) return user;
  return { ...user, groups: [...user.groups, 'system:authenticated'] };
}

/** Client certificates: the common name is the user, the organizations are its groups. */
export const certificateAuthenticator: Authenticator = ({ certificate }) => {
  if (!certificate) return undefined;
  if (certificate.problem !== undefined) throw new StatusError('Unauthorized', 'Unauthorized', { cause: new Error(certificate.problem) });
  if (certificate.isProxy)
    throw new StatusError('Unauthorized', 'Unauthorized', { cause: new Error("the certificate is a front proxy's") });
  if (certificate.commonName === '') return undefined;
  return {
    name: certificate.commonName,
    groups: [...certificate.organizations],
    ...(certificate.fingerprint ? { extra: { [credentialIdKey]: [`X509SHA256=${certificate.fingerprint}`] } } : {}),
  };
};

/** The extra by which audit tells one credential of a user from another. */
export const credentialIdKey = 'authentication.kubernetes.io/credential-id';
