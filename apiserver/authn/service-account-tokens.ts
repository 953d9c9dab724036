// Service account tokens: signed here, and believed here as long as the account, and the object that they are bound to,
// are still the same ones. Follows https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/.

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { nodes, type Pod, pods, type Secret, type ServiceAccount, secrets, serviceAccounts } from '../../api/core.ts';
import type { Kind } from '../../api/kind.ts';
import { isStatus, StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { type Clock, timestamp } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { apiServerUser } from '../registry/bootstrap.ts';
import type { ResourceTable } from '../registry/resource-table.ts';
import type { UserInfo } from '../resources/resource.ts';
import type { Authenticator } from './authenticator.ts';

export interface ServiceAccountTokenOptions {
  /** Default `https://kubernetes.default.svc.cluster.local`. */
  issuer?: string;
  /** PEM of the P-256 or RSA key that signs, and of its public half. */
  key: { privatePem: string; publicPem: string };
  clock: Clock;
  random: Random;
}

interface Reference {
  name: string;
  uid: string;
}

/** The private claims, under `kubernetes.io`. */
interface KubernetesClaims {
  namespace: string;
  serviceaccount: Reference;
  pod?: Reference;
  secret?: Reference;
  node?: Reference;
  /** Seconds since the epoch: used after this, the token is stale though still good. */
  warnafter?: number;
}

interface Claims {
  iss: string;
  sub: string;
  aud: string[];
  iat: number;
  nbf: number;
  exp: number;
  jti: string;
  'kubernetes.io': KubernetesClaims;
}

const legacyIssuer = 'kubernetes/serviceaccount';
const legacyClaim = 'kubernetes.io/serviceaccount/';
/** A pod's token outlives the end of its grace period by this. */
const deletionLeewayMs = 60_000;
const verifiedMax = 2048;
const lastUsedLabel = 'kubernetes.io/legacy-token-last-used';
const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since';
/** Clients that asked for an hour and a little are of the old kind that does not reload: theirs are good for a year. */
const warnOnlySeconds = 3607;
const extendedSeconds = 365 * 24 * 3600;

export class ServiceAccountTokens {
  readonly issuer: string;
  /** What a token is for when its request does not say. */
  readonly audiences: readonly string[];
  readonly #options: ServiceAccountTokenOptions;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #algorithm: 'ES256' | 'RS256';
  readonly #keyId: string;
  /** Claims by token: a signature is checked once. */
  readonly #verified = new Map<string, Record<string, unknown>>();
  #resources: ResourceTable | undefined;

  constructor(options: ServiceAccountTokenOptions) {
    this.#options = options;
    this.issuer = options.issuer ?? 'https://kubernetes.default.svc.cluster.local';
    this.audiences = [this.issuer];
    this.#privateKey = createPrivateKey(options.key.privatePem);
    this.#publicKey = createPublicKey(options.key.publicPem);
    this.#algorithm = this.#publicKey.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256';
    const der = this.#publicKey.export({ type: 'spki', format: 'der' });
    this.#keyId = createHash('sha256').update(der).digest('base64url');
  }

  /** Tells where the accounts are. Until then no token is known. */
  attach(resources: ResourceTable): void {
    this.#resources = resources;
  }

  /** Signs a token for `account`. `expirationSeconds` is what was asked for; those of the API itself may live longer. */
  issue(
    account: ServiceAccount,
    request: { audiences: readonly string[]; expirationSeconds: number; bound?: { pod?: Pod; secret?: Secret; node?: Reference } },
  ): string {
    const { clock, random } = this.#options;
    const nowSeconds = Math.floor(clock.nowMs() / 1000);
    const isExtended =
      request.expirationSeconds === warnOnlySeconds && request.audiences.every((audience) => this.audiences.includes(audience));
    const { pod, secret, node } = request.bound ?? {};
    const namespace = account.metadata?.namespace ?? '';
    const claims: Claims = {
      aud: [...request.audiences],
      exp: nowSeconds + (isExtended ? extendedSeconds : request.expirationSeconds),
      iat: nowSeconds,
      iss: this.issuer,
      jti: random.uuid(),
      'kubernetes.io': {
        namespace,
        ...(node ? { node } : {}),
        ...(pod ? { pod: referenceTo(pod) } : {}),
        ...(secret ? { secret: referenceTo(secret) } : {}),
        serviceaccount: referenceTo(account),
        ...(isExtended ? { warnafter: nowSeconds + request.expirationSeconds } : {}),
      },
      nbf: nowSeconds,
      sub: `system:serviceaccount:${namespace}:${account.metadata?.name}`,
    };
    return this.#sign(claims);
  }

  /** A token without an end, good as long as the secret that holds it (`kubernetes.io/service-account-token`). */
  issueLegacy(account: ServiceAccount, secret: Secret): string {
    const { namespace = '', name = '', uid = '' } = account.metadata ?? {};
    return this.#sign({
      iss: legacyIssuer,
      [`${legacyClaim}namespace`]: namespace,
      [`${legacyClaim}secret.name`]: secret.metadata?.name,
      [`${legacyClaim}service-account.name`]: name,
      [`${legacyClaim}service-account.uid`]: uid,
      sub: `system:serviceaccount:${namespace}:${name}`,
    });
  }

  /** Knows tokens that this cluster signed, for one of `audiences`. */
  authenticator(audiences: readonly string[] = this.audiences): Authenticator {
    return ({ token }) => (token === undefined ? undefined : this.authenticate(token, audiences).then((found) => found?.user));
  }

  /**
   * Whose token this is, and which of `audiences` it is for; undefined: none of this issuer's.
   * @throws StatusError Unauthorized when it is, and is no longer good
   */
  async authenticate(token: string, audiences: readonly string[]): Promise<{ user: UserInfo; audiences: string[] } | undefined> {
    const issuer = issuerOf(token);
    if (issuer !== this.issuer && issuer !== legacyIssuer) return undefined;
    const claims = this.#verify(token);
    if (issuer === legacyIssuer) return { user: await this.#legacyUser(token, claims), audiences: [...audiences] };
    const known = claims as unknown as Claims;
    const nowSeconds = this.#options.clock.nowMs() / 1000;
    if (nowSeconds >= known.exp || nowSeconds + 60 < known.nbf) throw unauthorized();
    const shared = audiences.filter((audience) => known.aud.includes(audience));
    if (shared.length === 0) throw unauthorized();
    return { user: await this.#userOf(known), audiences: shared };
  }

  /** RFC 7517: what others check signatures with. */
  jwks(): object {
    const jwk = this.#publicKey.export({ format: 'jwk' });
    return { keys: [{ use: 'sig', kid: this.#keyId, alg: this.#algorithm, ...jwk }] };
  }

  /** OpenID Connect discovery. */
  openIdConfiguration(jwksUri: string): object {
    return {
      issuer: this.issuer,
      jwks_uri: jwksUri,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [this.#algorithm],
    };
  }

  #sign(claims: object): string {
    const head = encode({ alg: this.#algorithm, kid: this.#keyId });
    const signed = `${head}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(signed), { key: this.#privateKey, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  }

  #verify(token: string): Record<string, unknown> {
    const known = this.#verified.get(token);
    if (known) return known;
    const [head = '', body = '', signature = '', ...rest] = token.split('.');
    const header = decode(head);
    if (rest.length > 0 || header?.alg !== this.#algorithm) throw unauthorized();
    const key = { key: this.#publicKey, dsaEncoding: 'ieee-p1363' } as const;
    if (!verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))) throw unauthorized();
    const claims = decode(body);
    if (!claims) throw unauthorized();
    const [oldest] = this.#verified.keys();
    if (this.#verified.size >= verifiedMax && oldest !== undefined) this.#verified.delete(oldest);
    this.#verified.set(token, claims);
    return claims;
  }

  async #userOf({ jti, 'kubernetes.io': { namespace, serviceaccount, pod, secret, node } }: Claims): Promise<UserInfo> {
    await this.#current(serviceAccounts, namespace, serviceaccount);
    const extra: Record<string, string[]> = { 'authentication.kubernetes.io/credential-id': [`JTI=${jti}`] };
    if (secret) await this.#current(secrets, namespace, secret);
    if (pod) {
      await this.#current(pods, namespace, pod);
      extra['authentication.kubernetes.io/pod-name'] = [pod.name];
      extra['authentication.kubernetes.io/pod-uid'] = [pod.uid];
    }
    if (node) {
      // A pod's token only tells of the node; one that is bound to a node ends with it.
      if (!pod) await this.#current(nodes, '', node);
      extra['authentication.kubernetes.io/node-name'] = [node.name];
      extra['authentication.kubernetes.io/node-uid'] = [node.uid];
    }
    return { ...accountUser(namespace, serviceaccount), extra };
  }

  async #legacyUser(token: string, claims: Record<string, unknown>): Promise<UserInfo> {
    const text = (name: string) => String(claims[legacyClaim + name] ?? '');
    const account = { name: text('service-account.name'), uid: text('service-account.uid') };
    await this.#current(serviceAccounts, text('namespace'), account);
    const secret = await this.#find(secrets, text('namespace'), text('secret.name'));
    const held = Buffer.from((secret as Secret | undefined)?.data?.token ?? '', 'base64').toString();
    if (!secret || secret.metadata?.deletionTimestamp || held !== token) throw unauthorized();
    if (secret.metadata?.labels?.[invalidSinceLabel]) throw unauthorized();
    await this.#markUsed(secret);
    return accountUser(text('namespace'), account);
  }

  /** Writes down, once a day, that the token is still in use, so that those that are not can be found. */
  async #markUsed({ metadata }: Secret): Promise<void> {
    const today = timestamp(this.#options.clock).slice(0, 10);
    const registry = this.#resources?.ofKind(secrets)?.registry;
    if (!registry || metadata?.labels?.[lastUsedLabel] === today) return;
    const { namespace = '', name = '' } = metadata ?? {};
    try {
      await registry.update(name, { namespace, user: apiServerUser, dryRun: false, warn: () => {} }, (old = {}) => ({
        ...old,
        metadata: { ...old.metadata, labels: { ...old.metadata?.labels, [lastUsedLabel]: today } },
      }));
    } catch (error) {
      // Somebody else was quicker, or the secret is just going: the caller is known all the same.
      if (!isStatus(error, 'Conflict', 'NotFound')) throw error;
    }
  }

  /** @throws StatusError Unauthorized when the object is gone, going, or another of the same name */
  async #current(kind: Kind, namespace: string, { name, uid }: Reference): Promise<void> {
    const object = await this.#find(kind, namespace, name);
    if (!object || object.metadata?.uid !== uid) throw unauthorized();
    const goingAt = object.metadata.deletionTimestamp;
    if (goingAt && Date.parse(goingAt) + deletionLeewayMs < this.#options.clock.nowMs()) throw unauthorized();
  }

  async #find(kind: Kind, namespace: string, name: string): Promise<KubeObject | undefined> {
    const served = this.#resources?.ofKind(kind);
    if (!served) return undefined;
    const { cache, registry } = served;
    return (cache.get(registry.codec.keyOf(namespace, name)) ?? (await registry.fresh(namespace, name)))?.parse();
  }
}

const unauthorized = () => new StatusError('Unauthorized', 'Unauthorized');
const referenceTo = ({ metadata }: KubeObject): Reference => ({ name: metadata?.name ?? '', uid: metadata?.uid ?? '' });

function accountUser(namespace: string, { name, uid }: Reference): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  };
}

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Not yet believed: only to tell whose business the token is. */
function issuerOf(token: string): unknown {
  const [, body = '', signature] = token.split('.');
  return signature === undefined ? undefined : decode(body)?.iss;
}
