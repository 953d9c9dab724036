// AdmissionConfiguration of apiserver.config.k8s.io: what --admission-control-config-file says to each plug-in, itself or in a
// file of the plug-in's own (k8s.io/apiserver/pkg/admission/config.go).

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { AdmissionConfigurationError } from '../plugin-order.ts';
import { strictObject } from './strict-object.ts';

/** What one plug-in is told. */
export interface PluginConfiguration {
  /** As parsed; what it means is the plug-in's to check. */
  readonly value: unknown;
  /** Relative paths in it start here. */
  readonly directory: string;
}

export type PluginConfigurations = ReadonlyMap<string, PluginConfiguration>;

interface Entry {
  name?: string;
  path?: string;
  configuration?: unknown;
}

const kind = {
  kind: 'AdmissionConfiguration',
  group: 'apiserver.config.k8s.io',
  versions: ['v1', 'v1alpha1'],
  shape: { plugins: [{ name: 'string', path: 'string', configuration: 'any' }] },
} as const;

/** Files from before there were versions, which hold one of these alone. */
const legacyFields = { imagePolicy: 'ImagePolicyWebhook', podNodeSelectorPluginConfig: 'PodNodeSelector' };

/** By plug-in, the first entry of each. @throws AdmissionConfigurationError */
export async function readAdmissionConfiguration(file: string): Promise<PluginConfigurations> {
  const value = readYaml(file, (why) => `unable to read admission control configuration from ${JSON.stringify(file)} [${why}]`);
  const directory = dirname(resolve(file));
  const legacy = legacyOf(value);
  if (legacy) return new Map(legacy.map((name) => [name, { value, directory }]));
  const { plugins }: { plugins?: Entry[] } = await withPrefix('failed to read plugin config', () => strictObject(value, kind));
  const found = new Map<string, PluginConfiguration>();
  for (const { name = '', path, configuration } of plugins ?? []) {
    if (found.has(name)) continue;
    if (configuration !== undefined && configuration !== null) found.set(name, { value: configuration, directory });
    else if (path) {
      const own = resolve(directory, path);
      const told = readYaml(own, (why) => `couldn't open admission plugin configuration ${own}: ${why}`);
      found.set(name, { value: told, directory: dirname(own) });
    }
  }
  return found;
}

/** Both old plug-ins read an old file, each what it knows. */
function legacyOf(value: unknown): string[] | undefined {
  if (typeof value !== 'object' || value === null || 'kind' in value || 'apiVersion' in value) return undefined;
  return Object.keys(legacyFields).some((field) => field in value) ? Object.values(legacyFields) : undefined;
}

function readYaml(file: string, problem: (why: string) => string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw new AdmissionConfigurationError(problem(whyUnreadable(error, file)));
    throw error;
  }
  try {
    return parse(text) as unknown;
  } catch (error) {
    if (error instanceof YAMLParseError) throw new AdmissionConfigurationError(`${file}: ${error.message}`);
    throw error;
  }
}

const whyUnreadable = (error: Error & { code?: unknown }, file: string) =>
  error.code === 'ENOENT' ? `open ${file}: no such file or directory` : error.message;

/** Awaits `read`; what is wrong is told after `prefix`. */
export async function withPrefix<T>(prefix: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof AdmissionConfigurationError) throw new AdmissionConfigurationError(`${prefix}: ${error.message}`);
    throw error;
  }
}
