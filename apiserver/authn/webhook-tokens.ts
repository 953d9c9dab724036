// Bearer tokens that somebody else knows: a TokenReview to the service of --authentication-token-webhook-config-file,
// whose answers hold for a while. Follows
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication.

import { createHash } from 'node:crypto';
import { StatusError } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import type { UserInfo } from '../resources/resource.ts';
import { ExpiringCache } from '../reviews/expiring-cache.ts';
import type { AskReview } from '../reviews/review-client.ts';
import type { Authenticator } from './authenticator.ts';

export interface WebhookTokensOptions {
  ask: AskReview;
  clock: Clock;
  /** The API's own: a token has to be for one of them. */
  audiences: readonly string[];
  /** How long an answer, either way, holds. Default 2 minutes. */
  cacheTtlMs?: number;
}

interface TokenStatus {
  authenticated?: boolean;
  user?: { username?: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> };
  audiences?: string[];
  error?: string;
}

const entriesMax = 4096;

export function webhookTokenAuthenticator({ ask, clock, audiences, cacheTtlMs = 120_000 }: WebhookTokensOptions): Authenticator {
  const cache = new ExpiringCache<{ user: UserInfo | undefined }>({ clock, entriesMax });
  return async ({ token }) => {
    if (token === undefined) return undefined;
    // Tokens themselves are not kept.
    const key = createHash('sha256').update(token).digest('base64url');
    const known = cache.get(key);
    if (known) return known.user;
    const review = await ask({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences } });
    const status = (review['status'] ?? {}) as TokenStatus;
    const isForUs = !status.audiences?.length || status.audiences.some((audience) => audiences.includes(audience));
    const user = status.authenticated && isForUs ? userOf(status) : undefined;
    if (!user && status.error) throw new StatusError('Unauthorized', 'Unauthorized', { cause: new Error(status.error) });
    cache.set(key, { user }, cacheTtlMs);
    return user;
  };
}

function userOf({ user = {} }: TokenStatus): UserInfo {
  const { username = '', uid, groups = [], extra } = user;
  return { name: username, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
}
