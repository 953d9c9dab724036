// Encryption at rest as the configuration says: reads the file that names keys and plug-ins, and follows it when asked to.

import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Registry } from 'prom-client';
import { EncryptionConfigurationError } from '../apiserver/encryption/configuration.ts';
import { EncryptionMetrics } from '../apiserver/encryption/encryption-metrics.ts';
import { followConfigurationFile } from '../apiserver/encryption/reload.ts';
import { kmsHealthCheck, loadEncryption, ResourceTransformers } from '../apiserver/encryption/resource-transformers.ts';
import type { HealthCheck } from '../apiserver/handlers/health.ts';
import { type ClusterConfig, ConfigError } from './config.ts';
import type { Ambient } from './node.ts';

export interface Encryption {
  transformers: ResourceTransformers;
  healthChecks: readonly HealthCheck[];
  /** Once there is a server: shows the metrics with its own, and follows the file from then on. */
  begin(registry: Registry): void;
  close(): void;
}

/** Without a file nothing is encrypted, and what is encrypted is not read. @throws ConfigError for a file that cannot be used */
export async function openEncryption(config: ClusterConfig, { clock, random, log }: Ambient): Promise<Encryption> {
  const { encryptionProviderConfig: file, encryptionProviderConfigAutomaticReload: reloads } = config;
  const transformers = new ResourceTransformers();
  if (file === undefined) return { transformers, healthChecks: [], begin: () => {}, close: () => {} };
  const metrics = new EncryptionMetrics(clock, `apiserver-${config.name}-${hostname()}`);
  const end = new AbortController();
  const read = async () => {
    const text = await readFile(file, 'utf8');
    if (text === '') throw new EncryptionConfigurationError(`encryption provider configuration file ${JSON.stringify(file)} is empty`);
    return text;
  };
  const load = (text: string) =>
    loadEncryption(text, {
      clock,
      metrics,
      reloads,
      async openKms(kms) {
        // gRPC is large, and most clusters need none of it here.
        const { openKmsProvider } = await import('../apiserver/encryption/kms/provider.ts');
        return openKmsProvider(kms, { clock, random, log, metrics });
      },
    });
  try {
    const loaded = await load(await read());
    metrics.using(loaded.hash);
    transformers.use(loaded);
  } catch (error) {
    if (error instanceof EncryptionConfigurationError || (error instanceof Error && 'code' in error))
      throw new ConfigError(`--encryption-provider-config ${file}: ${error.message}`);
    throw error;
  }
  return {
    transformers,
    healthChecks: kmsHealthCheck(transformers, reloads),
    begin(registry) {
      metrics.join(registry);
      if (reloads) void followConfigurationFile({ read, load, transformers, metrics, clock, log, signal: end.signal });
    },
    close() {
      end.abort();
      for (const each of transformers.loaded.kms) each.close();
    },
  };
}
