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
import { type PluginConfiguration, readAdmissionConfiguration, withPrefix } from './admission-configuration.ts';

export interface AdmissionSettings {
  /** Those that run, in order. */
  readonly plugins: readonly PluginName[];
  readonly podSecurity?: PodSecurityConfiguration;
  readonly eventLimits?: readonly EventLimit[];
  readonly nodeSelectors?: Readonly<Record<string, string>>;
  readonly tolerations?: TolerationRestriction;
  readonly limitedResources?: readonly LimitedResource[];
  readonly imagePolicy?: ImagePolicyConfiguration & { readonly ask: AskReview };
}

export const defaultSettings: AdmissionSettings = { plugins: defaultPlugins };

export interface SettingsOptions extends PluginChoice {
  /** An AdmissionConfiguration. */
  file?: string | undefined;
  clock: Clock;
  random: Random;
}

/** What plug-ins are told is read only when they run. @throws AdmissionConfigurationError in Kubernetes' words */
export async function readAdmissionSettings({ file, clock, random, ...choice }: SettingsOptions): Promise<AdmissionSettings> {
  const plugins = enabledPlugins(choice);
  const told = file ? readAdmissionConfiguration(file) : new Map<string, PluginConfiguration>();
  const of = <T>(name: PluginName, read: (configuration?: PluginConfiguration) => T): T | undefined =>
    plugins.includes(name) ? withPrefix(problemWith(name), () => read(told.get(name))) : undefined;
  const podSecurity = of('PodSecurity', readPodSecurityConfiguration);
  const eventLimits = of('EventRateLimit', readEventLimits);
  const nodeSelectors = of('PodNodeSelector', readNodeSelectors);
  const tolerations = of('PodTolerationRestriction', readTolerationRestriction);
  const limitedResources = of('ResourceQuota', readLimitedResources);
  const imagePolicy = of('ImagePolicyWebhook', readImagePolicy);
  return {
    plugins,
    ...(podSecurity ? { podSecurity } : {}),
    ...(eventLimits ? { eventLimits } : {}),
    ...(nodeSelectors ? { nodeSelectors } : {}),
    ...(tolerations ? { tolerations } : {}),
    ...(limitedResources ? { limitedResources } : {}),
    ...(imagePolicy ? { imagePolicy: { ...imagePolicy, ask: await askFor(imagePolicy, { clock, random }) } } : {}),
  };
}

const problemWith = (name: string) => `couldn't init admission plugin ${JSON.stringify(name)}`;

async function askFor(
  { kubeConfigFile, retryBackoffMs }: ImagePolicyConfiguration,
  ambient: { clock: Clock; random: Random },
): Promise<AskReview> {
  try {
    const { transport } = await readKubeconfig(kubeConfigFile);
    return reviewClient({ transport: createHttpsTransport(transport), ...ambient, timeoutMs: 30_000, backoffBaseMs: retryBackoffMs });
  } catch (error) {
    if (error instanceof KubeconfigError || (error instanceof Error && 'code' in error))
      throw new AdmissionConfigurationError(`${problemWith('ImagePolicyWebhook')}: ${error.message}`);
    throw error;
  }
}
