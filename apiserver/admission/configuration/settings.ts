// What flags and configuration files say about admission, read and checked before a server starts with it.

import type { Clock } from '../../../base/clock.ts';
import type { Random } from '../../../base/random.ts';
import { createHttpsTransport } from '../../../client/https-transport.ts';
import { KubeconfigError, readKubeconfig } from '../../../client/kubeconfig.ts';
import { type AskReview, reviewClient } from '../../reviews/review-client.ts';
import { type EventLimit, readEventLimits } from '../event-rate-limit.ts';
import { type ImagePolicyConfiguration, readImagePolicy } from '../image-policy.ts';
import { type LimitedResource, readLimitedResources } from '../limited-resources.ts';
import { AdmissionConfigurationError, defaultPlugins, enabledPlugins, type PluginChoice, type PluginName } from '../plugin-order.ts';
import { readNodeSelectors } from '../pod-node-selector.ts';
import { type PodSecurityConfiguration, readPodSecurityConfiguration } from '../pod-security/configuration.ts';
import { readTolerationRestriction, type TolerationRestriction } from '../pod-toleration-restriction.ts';
import type { LostNodeSeconds } from '../pod-tolerations.ts';
import { readWebhookCredentials, type WebhookCredentials } from '../webhooks/credentials.ts';
import { type PluginConfiguration, readAdmissionConfiguration, withPrefix } from './admission-configuration.ts';

export interface AdmissionSettings {
  /** Those that run, in order. */
  readonly plugins: readonly PluginName[];
  /** Default: five minutes. */
  readonly lostNodeSeconds?: LostNodeSeconds;
  readonly podSecurity?: PodSecurityConfiguration;
  readonly eventLimits?: readonly EventLimit[];
  readonly nodeSelectors?: Readonly<Record<string, string>>;
  readonly tolerations?: TolerationRestriction;
  readonly limitedResources?: readonly LimitedResource[];
  readonly mutatingCredentials?: WebhookCredentials;
  readonly validatingCredentials?: WebhookCredentials;
  readonly imagePolicy?: ImagePolicyConfiguration & { readonly ask: AskReview };
}

export const defaultSettings: AdmissionSettings = { plugins: defaultPlugins };

export interface SettingsOptions extends PluginChoice {
  /** An AdmissionConfiguration. */
  file?: string | undefined;
  lostNodeSeconds?: LostNodeSeconds;
  clock: Clock;
  random: Random;
}

/** What plug-ins are told is read only when they run. @throws AdmissionConfigurationError in Kubernetes' words */
export async function readAdmissionSettings({
  file,
  lostNodeSeconds,
  clock,
  random,
  ...choice
}: SettingsOptions): Promise<AdmissionSettings> {
  const plugins = enabledPlugins(choice);
  const told = file ? await readAdmissionConfiguration(file) : new Map<string, PluginConfiguration>();
  const of = async <T>(name: PluginName, read: (configuration?: PluginConfiguration) => T | Promise<T>): Promise<T | undefined> =>
    plugins.includes(name) ? withPrefix(`couldn't init admission plugin ${JSON.stringify(name)}`, () => read(told.get(name))) : undefined;
  const imagePolicy = await of('ImagePolicyWebhook', (configuration) => imagePolicyOf(readImagePolicy(configuration), { clock, random }));
  const podSecurity = await of('PodSecurity', readPodSecurityConfiguration);
  const nodeSelectors = await of('PodNodeSelector', readNodeSelectors);
  const tolerations = await of('PodTolerationRestriction', readTolerationRestriction);
  const eventLimits = await of('EventRateLimit', readEventLimits);
  const mutatingCredentials = await of('MutatingAdmissionWebhook', readWebhookCredentials);
  const validatingCredentials = await of('ValidatingAdmissionWebhook', readWebhookCredentials);
  const limitedResources = await of('ResourceQuota', readLimitedResources);
  return {
    plugins,
    ...(lostNodeSeconds ? { lostNodeSeconds } : {}),
    ...(podSecurity ? { podSecurity } : {}),
    ...(eventLimits ? { eventLimits } : {}),
    ...(nodeSelectors ? { nodeSelectors } : {}),
    ...(tolerations ? { tolerations } : {}),
    ...(limitedResources ? { limitedResources } : {}),
    ...(imagePolicy ? { imagePolicy } : {}),
    ...(mutatingCredentials ? { mutatingCredentials } : {}),
    ...(validatingCredentials ? { validatingCredentials } : {}),
  };
}

async function imagePolicyOf(
  configuration: ImagePolicyConfiguration,
  ambient: { clock: Clock; random: Random },
): Promise<NonNullable<AdmissionSettings['imagePolicy']>> {
  try {
    const { transport } = await readKubeconfig(configuration.kubeConfigFile);
    const options = { transport: createHttpsTransport(transport), timeoutMs: 30_000, backoffBaseMs: configuration.retryBackoffMs };
    return { ...configuration, ask: reviewClient({ ...options, ...ambient }) };
  } catch (error) {
    if (error instanceof KubeconfigError || (error instanceof Error && 'code' in error))
      throw new AdmissionConfigurationError(error.message);
    throw error;
  }
}
