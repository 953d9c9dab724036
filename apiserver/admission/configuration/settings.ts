// What flags and configuration files say about admission, read and checked before a server starts with it.

import { defaultPlugins, enabledPlugins, type PluginChoice, type PluginName } from '../plugin-order.ts';

export interface AdmissionSettings {
  /** Those that run, in order. */
  readonly plugins: readonly PluginName[];
}

export const defaultSettings: AdmissionSettings = { plugins: defaultPlugins };

/** @throws AdmissionConfigurationError in Kubernetes' words */
export function readAdmissionSettings(choice: PluginChoice): AdmissionSettings {
  return { plugins: enabledPlugins(choice) };
}
