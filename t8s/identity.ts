// Who may come in, and who decides what they may do, as the configuration says: constructs authenticators and authorizers
// from kube-apiserver's flags.

import { readFileSync } from 'node:fs';
import type { PolicyRule } from '../api/rbac.ts';
import { type AnonymousAccess, type Authenticator, certificateAuthenticator } from '../apiserver/authn/authenticator.ts';
import type { BootstrapTokens } from '../apiserver/authn/bootstrap-tokens.ts';
import type { ServiceAccountTokens } from '../apiserver/authn/service-account-tokens.ts';
import { parseTokenFile, staticTokenAuthenticator } from '../apiserver/authn/static-tokens.ts';
import {
  type Authorizer,
  mastersAuthorizer,
  namedAuthorizer,
  type RuleResolver,
  unionAuthorizer,
  unionRules,
} from '../apiserver/authz/authorizer.ts';
import { type AskReview, reviewClient } from '../apiserver/reviews/review-client.ts';
import { createHttpsTransport } from '../client/https-transport.ts';
import { KubeconfigError, readKubeconfig } from '../client/kubeconfig.ts';
import { type ClusterConfig, ConfigError } from './config.ts';
import type { Ambient } from './node.ts';

/** @throws ConfigError for a file that cannot be used */
export async function createAuthenticators(
  config: ClusterConfig,
  own: { serviceAccountTokens: ServiceAccountTokens; bootstrapTokens: BootstrapTokens },
  ambient: Ambient,
): Promise<Authenticator[]> {
  const { tokenAuthFile, oidcIssuerUrl, authenticationTokenWebhookConfigFile: webhookFile } = config;
  const authenticators: Authenticator[] = [certificateAuthenticator];
  if (tokenAuthFile) authenticators.push(staticTokenAuthenticator(parseTokenFile(readFileSync(tokenAuthFile, 'utf8'))));
  authenticators.push(own.serviceAccountTokens.authenticator(), own.bootstrapTokens.authenticator);
  if (oidcIssuerUrl) authenticators.push(await oidcFrom(config, oidcIssuerUrl, ambient));
  if (webhookFile) {
    const { webhookTokenAuthenticator } = await import('../apiserver/authn/webhook-tokens.ts');
    const ask = await askFrom('--authentication-token-webhook-config-file', webhookFile, ambient);
    authenticators.push(webhookTokenAuthenticator({ ask, clock: ambient.clock, audiences: own.serviceAccountTokens.audiences }));
  }
  return authenticators;
}

export function anonymousAccess({ anonymousAuth }: ClusterConfig): AnonymousAccess {
  return { isEnabled: anonymousAuth };
}

/** What decides, and what lists what would be allowed. */
export interface Authorization {
  authorizer: Authorizer;
  rulesOf: RuleResolver;
}

/** Those of `authorizationMode`, in its order; masters come before all of them. @throws ConfigError */
export async function createAuthorization(
  config: ClusterConfig,
  own: { node: Authorization; rbac: Authorization },
  ambient: Ambient,
): Promise<Authorization> {
  const named: Authorizer[] = [mastersAuthorizer];
  const resolvers: RuleResolver[] = [];
  for (const mode of config.authorizationMode) {
    const { authorizer, rulesOf } =
      mode === 'Node' ? own.node : mode === 'RBAC' ? own.rbac : mode === 'Webhook' ? await webhookFrom(config, ambient) : always[mode];
    named.push(namedAuthorizer({ type: mode, name: mode === 'Webhook' ? 'default' : mode.toLowerCase() }, authorizer));
    resolvers.push(rulesOf);
  }
  return { authorizer: unionAuthorizer(named), rulesOf: unionRules(resolvers) };
}

const everything: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

const always: Record<'AlwaysAllow' | 'AlwaysDeny', Authorization> = {
  AlwaysAllow: {
    authorizer: () => ({ decision: 'allow' }),
    rulesOf: () => ({ rules: everything, problems: [], isIncomplete: false }),
  },
  AlwaysDeny: {
    authorizer: () => ({ decision: 'no opinion', reason: 'Everything is forbidden.' }),
    rulesOf: () => ({ rules: [], problems: [], isIncomplete: false }),
  },
};

async function webhookFrom(config: ClusterConfig, ambient: Ambient): Promise<Authorization> {
  const { webhookAuthorizer, webhookRuleResolver } = await import('../apiserver/authz/webhook-authorizer.ts');
  const ask = await askFrom('--authorization-webhook-config-file', config.authorizationWebhookConfigFile ?? '', ambient);
  return { authorizer: webhookAuthorizer({ ask, clock: ambient.clock, log: ambient.log }), rulesOf: webhookRuleResolver };
}

/** The service that a kubeconfig leads to. @throws ConfigError naming the flag and the file */
export async function askFrom(flag: string, file: string, { clock, random }: Ambient): Promise<AskReview> {
  try {
    const { transport } = await readKubeconfig(file);
    return reviewClient({ transport: createHttpsTransport(transport), clock, random });
  } catch (error) {
    if (error instanceof KubeconfigError || (error instanceof Error && 'code' in error))
      throw new ConfigError(`${flag} ${file}: ${error.message}`);
    throw error;
  }
}

async function oidcFrom(config: ClusterConfig, issuerUrl: string, { clock }: Ambient): Promise<Authenticator> {
  // Its library is large, and most clusters need none.
  const { oidcAuthenticator } = await import('../apiserver/authn/oidc-tokens.ts');
  const { oidcClientId = '', oidcUsernameClaim, oidcUsernamePrefix, oidcGroupsClaim, oidcGroupsPrefix, oidcCaFile } = config;
  const ca = oidcCaFile ? readFileSync(oidcCaFile) : undefined;
  return oidcAuthenticator({
    issuerUrl,
    clientId: oidcClientId,
    ...(oidcUsernameClaim ? { usernameClaim: oidcUsernameClaim } : {}),
    ...(oidcUsernamePrefix ? { usernamePrefix: oidcUsernamePrefix } : {}),
    ...(oidcGroupsClaim ? { groupsClaim: oidcGroupsClaim } : {}),
    ...(oidcGroupsPrefix ? { groupsPrefix: oidcGroupsPrefix } : {}),
    requiredClaims: config.oidcRequiredClaim,
    signingAlgorithms: config.oidcSigningAlgs,
    clock,
    connect: (origin) => createHttpsTransport({ server: origin, ...(ca ? { ca } : {}) }),
  });
}
