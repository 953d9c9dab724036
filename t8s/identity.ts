// Who may come in, and who decides what they may do, as the configuration says: constructs authenticators and authorizers
// from kube-apiserver's flags.

import { readFileSync } from 'node:fs';
import { type AnonymousAccess, type Authenticator, certificateAuthenticator } from '../apiserver/authn/authenticator.ts';
import type { BootstrapTokens } from '../apiserver/authn/bootstrap-tokens.ts';
import type { ServiceAccountTokens } from '../apiserver/authn/service-account-tokens.ts';
import { parseTokenFile, staticTokenAuthenticator } from '../apiserver/authn/static-tokens.ts';
import { type Authorizer, mastersAuthorizer, unionAuthorizer } from '../apiserver/authz/authorizer.ts';
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

/** Those of `authorizationMode`, in its order; masters come before all of them. @throws ConfigError */
export async function createAuthorizer(
  config: ClusterConfig,
  own: { node: Authorizer; rbac: Authorizer },
  ambient: Ambient,
): Promise<Authorizer> {
  const chain = [mastersAuthorizer];
  for (const mode of config.authorizationMode) {
    if (mode === 'Node') chain.push(own.node);
    else if (mode === 'RBAC') chain.push(own.rbac);
    else if (mode === 'AlwaysAllow') chain.push(() => ({ decision: 'allow' }));
    else if (mode === 'AlwaysDeny') chain.push(() => ({ decision: 'no opinion', reason: 'Everything is forbidden.' }));
    else {
      const { webhookAuthorizer } = await import('../apiserver/authz/webhook-authorizer.ts');
      const ask = await askFrom('--authorization-webhook-config-file', config.authorizationWebhookConfigFile ?? '', ambient);
      chain.push(webhookAuthorizer({ ask, clock: ambient.clock, log: ambient.log }));
    }
  }
  return unionAuthorizer(chain);
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
