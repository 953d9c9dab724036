// OpenID Connect: ID tokens of an issuer that the operator names, checked with the keys that it publishes. Follows
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens.

import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { StatusError } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import { readBody, type Transport } from '../../client/transport.ts';
import type { UserInfo } from '../resources/resource.ts';
import { type Authenticator, credentialIdKey } from './authenticator.ts';

export interface OidcTokensOptions {
  issuerUrl: string;
  /** What the token has to be for. */
  clientId: string;
  /** Default `sub`. */
  usernameClaim?: string;
  /** Default: the issuer and `#`, except before e-mail addresses; `-` for none. */
  usernamePrefix?: string;
  groupsClaim?: string;
  groupsPrefix?: string;
  /** Claims that a token has to carry, with their values. */
  requiredClaims?: Readonly<Record<string, string>>;
  /** Default RS256. */
  signingAlgorithms?: readonly string[];
  clock: Clock;
  /** The way to a server (`https://host:port`), trusting whom the operator trusts. */
  connect(origin: string): Transport;
}

const documentBytesMax = 1 << 20;
/** Keys that nobody knows are not looked for more often than this. */
const refreshMsMin = 10_000;

export function oidcAuthenticator(options: OidcTokensOptions): Authenticator {
  const { issuerUrl, clientId, signingAlgorithms = ['RS256'], clock } = options;
  const keys = new IssuerKeys(options);
  const verify = async (token: string, isSecondTry = false): Promise<JWTPayload> => {
    const known = await keys.get(isSecondTry);
    try {
      const { payload } = await jwtVerify(token, createLocalJWKSet(known), {
        issuer: issuerUrl,
        audience: clientId,
        algorithms: [...signingAlgorithms],
        currentDate: new Date(clock.nowMs()),
        requiredClaims: ['exp'],
      });
      return payload;
    } catch (error) {
      // The issuer may have changed its keys since.
      const isUnknownKey = error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed;
      if (isUnknownKey && !isSecondTry && keys.mayRefresh()) return verify(token, true);
      throw error;
    }
  };
  return async ({ token }) => {
    if (token === undefined || issuerOf(token) !== issuerUrl) return undefined;
    try {
      return userOf(await verify(token), options);
    } catch (error) {
      throw new StatusError('Unauthorized', 'Unauthorized', { cause: error });
    }
  };
}

/** The issuer's published keys, fetched when they are first needed and when they may have changed. */
class IssuerKeys {
  readonly #options: OidcTokensOptions;
  #keys: Promise<JSONWebKeySet> | undefined;
  #fetchedMs = Number.NEGATIVE_INFINITY;

  constructor(options: OidcTokensOptions) {
    this.#options = options;
  }

  mayRefresh(): boolean {
    return this.#options.clock.monotonicMs() - this.#fetchedMs >= refreshMsMin;
  }

  get(isRefresh: boolean): Promise<JSONWebKeySet> {
    if (!this.#keys || isRefresh) {
      this.#fetchedMs = this.#options.clock.monotonicMs();
      const fetched = this.#fetch();
      this.#keys = fetched;
      fetched.catch(() => {
        // The next token asks again.
        if (this.#keys === fetched) this.#keys = undefined;
      });
    }
    return this.#keys;
  }

  async #fetch(): Promise<JSONWebKeySet> {
    const { issuerUrl } = this.#options;
    const base = issuerUrl.replace(/\/$/, '');
    const document = (await this.#get(new URL(`${base}/.well-known/openid-configuration`))) as { issuer?: string; jwks_uri?: string };
    if (document.issuer !== issuerUrl)
      throw new Error(`oidc: issuer did not match the issuer returned by provider, expected "${issuerUrl}" got "${document.issuer}"`);
    if (!document.jwks_uri) throw new Error('oidc: the provider names no jwks_uri');
    return (await this.#get(new URL(document.jwks_uri))) as JSONWebKeySet;
  }

  async #get(url: URL): Promise<unknown> {
    const transport = this.#options.connect(url.origin);
    try {
      const response = await transport.request({ method: 'GET', path: url.pathname + url.search, headers: { accept: 'application/json' } });
      const text = (await readBody(response, documentBytesMax)).toString();
      if (response.status !== 200) throw new Error(`${url}: status ${response.status}`);
      return JSON.parse(text) as unknown;
    } finally {
      await transport.close();
    }
  }
}

function userOf(claims: JWTPayload, options: OidcTokensOptions): UserInfo {
  const { usernameClaim = 'sub', groupsClaim, groupsPrefix = '', requiredClaims = {} } = options;
  for (const [name, value] of Object.entries(requiredClaims)) {
    if (!(name in claims)) throw new Error(`oidc: required claim ${name} not present in ID token`);
    if (claims[name] !== value)
      throw new Error(`oidc: required claim ${name} value does not match. Got = ${claims[name]}, want = ${value}`);
  }
  const name = claims[usernameClaim];
  if (typeof name !== 'string' || name === '') throw new Error(`oidc: claim "${usernameClaim}" is no string, or not in the ID token`);
  if (usernameClaim === 'email' && claims['email_verified'] !== undefined && claims['email_verified'] !== true)
    throw new Error('oidc: email not verified');
  const groups = groupsClaim === undefined ? [] : claims[groupsClaim];
  const { jti } = claims;
  return {
    name: prefixOf(options) + name,
    groups: groupList(groups, groupsClaim ?? '').map((group) => groupsPrefix + group),
    ...(jti ? { extra: { [credentialIdKey]: [`JTI=${jti}`] } } : {}),
  };
}

function prefixOf({ usernamePrefix, usernameClaim, issuerUrl }: OidcTokensOptions): string {
  if (usernamePrefix === '-') return '';
  return usernamePrefix ?? (usernameClaim === 'email' ? '' : `${issuerUrl}#`);
}

/** One group may stand without a list around it. */
function groupList(value: unknown, claim: string): string[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((each): each is string => typeof each === 'string')) return value;
  throw new Error(`oidc: parse groups claim "${claim}": want a string or a list of strings`);
}

/** Not yet believed: only to tell whose business the token is. */
function issuerOf(token: string): unknown {
  try {
    return decodeJwt(token).iss;
  } catch (error) {
    if (error instanceof errors.JWTInvalid) return undefined;
    throw error;
  }
}
