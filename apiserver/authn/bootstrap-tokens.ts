// Bootstrap tokens: `id.secret`, kept in Secrets of kube-system, with which new machines ask for their certificates.
// Follows https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/.

import { timingSafeEqual } from 'node:crypto';
import { type Secret, secrets } from '../../api/core.ts';
import type { Clock } from '../../base/clock.ts';
import type { ResourceTable } from '../registry/resource-table.ts';
import type { UserInfo } from '../resources/resource.ts';
import type { Authenticator } from './authenticator.ts';

const namespace = 'kube-system';
const type = 'bootstrap.kubernetes.io/token';
const group = 'system:bootstrappers';
const extraGroup = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

export class BootstrapTokens {
  readonly #clock: Clock;
  #resources: ResourceTable | undefined;

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /** Tells where the secrets are. Until then no token is known. */
  attach(resources: ResourceTable): void {
    this.#resources = resources;
  }

  readonly authenticator: Authenticator = ({ token }) => {
    const [, id, secretPart] = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(token ?? '') ?? [];
    if (id === undefined || secretPart === undefined) return undefined;
    const served = this.#resources?.ofKind(secrets);
    const stored = served?.cache.get(served.registry.codec.keyOf(namespace, `bootstrap-token-${id}`));
    return stored && this.#userOf(stored.parse() as Secret, id, secretPart);
  };

  #userOf(secret: Secret, id: string, secretPart: string): UserInfo | undefined {
    if (secret.type !== type || secret.metadata?.deletionTimestamp) return undefined;
    const text = (key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString();
    const [held, given] = [Buffer.from(text('token-secret')), Buffer.from(secretPart)];
    if (held.length !== given.length || !timingSafeEqual(held, given) || text('token-id') !== id) return undefined;
    const expiration = text('expiration');
    // What is no time counts as past: better than a token without an end.
    if (expiration !== '' && !(time.test(expiration) && Date.parse(expiration) > this.#clock.nowMs())) return undefined;
    if (text('usage-bootstrap-authentication') !== 'true') return undefined;
    const extra = text('auth-extra-groups')
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '');
    if (!extra.every((each) => extraGroup.test(each))) return undefined;
    return { name: `system:bootstrap:${id}`, groups: [...new Set([group, ...extra])] };
  }
}
