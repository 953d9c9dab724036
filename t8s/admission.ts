// Which admission plug-ins run and what they are told, as the configuration says.

import { type AdmissionSettings, readAdmissionSettings } from '../apiserver/admission/configuration/settings.ts';
import { AdmissionConfigurationError } from '../apiserver/admission/plugin-order.ts';
import { type ClusterConfig, ConfigError } from './config.ts';
import type { Ambient } from './node.ts';

/** @throws ConfigError for names and files that cannot be used */
export async function admissionSettings(config: ClusterConfig, { clock, random }: Ambient): Promise<AdmissionSettings> {
  const { enableAdmissionPlugins: enable, disableAdmissionPlugins: disable, admissionControlConfigFile: file } = config;
  try {
    const lostNodeSeconds = { notReady: config.defaultNotReadyTolerationSeconds, unreachable: config.defaultUnreachableTolerationSeconds };
    return await readAdmissionSettings({ enable, disable, file, lostNodeSeconds, clock, random });
  } catch (error) {
    if (error instanceof AdmissionConfigurationError) throw new ConfigError(error.message);
    throw error;
  }
}
