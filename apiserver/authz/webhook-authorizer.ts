// Lets somebody else decide: a SubjectAccessReview to the service of --authorization-webhook-config-file, whose answers
// hold for a while. Follows https://kubernetes.io/docs/reference/access-authn-authz/webhook/.

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { ExpiringCache } from '../reviews/expiring-cache.ts';
import type { AskReview } from '../reviews/review-client.ts';
import type { AuthorizationAttributes, Authorizer, Decision, RuleResolver } from './authorizer.ts';
import { reviewSelectors } from './selectors.ts';

export interface WebhookAuthorizerOptions {
  ask: AskReview;
  clock: Clock;
  log: Log;
  /** How long a yes holds. Default 5 minutes. */
  authorizedTtlMs?: number;
  /** How long anything else holds. Default 30 seconds. */
  unauthorizedTtlMs?: number;
}

interface AccessStatus {
  allowed?: boolean;
  denied?: boolean;
  reason?: string;
}

/** What a webhook would allow, nobody can list. */
export const webhookRuleResolver: RuleResolver = () => ({
  rules: [],
  problems: ['webhook authorizer does not support user rule resolution'],
  isIncomplete: true,
});

const entriesMax = 8192;
/** Longer questions are not worth remembering. */
const keyCharsMax = 10_000;

export function webhookAuthorizer(options: WebhookAuthorizerOptions): Authorizer {
  const { ask, clock, log, authorizedTtlMs = 300_000, unauthorizedTtlMs = 30_000 } = options;
  const cache = new ExpiringCache<AccessStatus>({ clock, entriesMax });
  return async (asked) => {
    const spec = specOf(asked);
    const key = JSON.stringify(spec);
    const known = cache.get(key);
    if (known) return decisionOf(known);
    try {
      const review = await ask({ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec });
      const status = (review['status'] ?? {}) as AccessStatus;
      if (key.length <= keyCharsMax) cache.set(key, status, status.allowed ? authorizedTtlMs : unauthorizedTtlMs);
      return decisionOf(status);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // Others may still allow it; nobody is let in because nobody could be asked.
      log.warn(`the authorization webhook did not answer: ${error.message}`);
      return { decision: 'no opinion', error: error.message };
    }
  };
}

function decisionOf({ allowed, denied, reason }: AccessStatus): Decision {
  const decision = denied ? 'deny' : allowed ? 'allow' : 'no opinion';
  const error = denied && allowed ? 'webhook subject access review returned both allow and deny response' : undefined;
  return { decision, ...(reason ? { reason } : {}), ...(error ? { error } : {}) };
}

function specOf(asked: AuthorizationAttributes) {
  const { user, isResourceRequest, verb, path, namespace, group, version, resource, subresource, name } = asked;
  const given = (values: Record<string, string>) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
  return {
    user: user.name,
    ...(user.uid ? { uid: user.uid } : {}),
    groups: user.groups,
    ...(user.extra ? { extra: user.extra } : {}),
    ...(isResourceRequest
      ? { resourceAttributes: { ...given({ namespace, verb, group, version, resource, subresource, name }), ...reviewSelectors(asked) } }
      : { nonResourceAttributes: { path, verb } }),
  };
}
