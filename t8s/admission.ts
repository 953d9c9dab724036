// Which admission plug-ins run and what they are told, as the configuration says.

import { type AdmissionSettings, readAdmissionSettings } from '../apiserver/admission/configuration/settings.ts';
import { AdmissionConfigurationError } from '../apiserver/admission/plugin-order.ts';
import { type ClusterConfig, ConfigError } from './config.ts';

/** @throws ConfigError for names and files that cannot be used */
export function admissionSettings(config: ClusterConfig): AdmissionSettings {
  try {
    return readAdmissionSettings({ enable: config.enableAdmissionPlugins, disable: config.disableAdmissionPlugins });
  } catch (error) {
    if (error instanceof AdmissionConfigurationError) throw new ConfigError(error.message);
    throw error;
  }
}
