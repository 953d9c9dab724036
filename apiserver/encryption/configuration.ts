// EncryptionConfiguration of apiserver.config.k8s.io/v1: which resources are encrypted in the store, and with what.

import { parse, YAMLParseError } from 'yaml';
import { aesCbc, aesGcm, identity, type Transformer } from './transformers.ts';

export interface EncryptionRule {
  /** `secrets`, `deployments.apps`, `*.apps`, `*.` (the core group) or `*.*`. */
  readonly resources: readonly string[];
  /** The first writes; all read. */
  readonly transformers: readonly Transformer[];
}

/** The configuration cannot be used. */
export class EncryptionConfigurationError extends Error {
  override name = 'EncryptionConfigurationError';
}

interface Key {
  name?: string;
  secret?: string;
}

interface Provider {
  aesgcm?: { keys?: Key[] };
  aescbc?: { keys?: Key[] };
  identity?: object | null;
}

const apiVersion = 'apiserver.config.k8s.io/v1';
const kind = 'EncryptionConfiguration';

/** @throws EncryptionConfigurationError */
export function readEncryptionConfiguration(text: string): EncryptionRule[] {
  const document = parseYaml(text) as {
    apiVersion?: string;
    kind?: string;
    resources?: { resources?: string[]; providers?: Provider[] }[];
  } | null;
  if (document?.apiVersion !== apiVersion || document.kind !== kind) fail('', `want apiVersion ${apiVersion} and kind ${kind}`);
  const rules = document?.resources ?? [];
  if (!Array.isArray(rules) || rules.length === 0) fail('resources', 'at least one entry is required');
  return rules.map(({ resources = [], providers = [] }, index) => {
    const path = `resources[${index}]`;
    if (resources.length === 0) fail(`${path}.resources`, 'at least one resource is required');
    if (providers.length === 0) fail(`${path}.providers`, 'at least one provider is required');
    const transformers = providers.flatMap((provider, at) => transformersOf(provider, `${path}.providers[${at}]`));
    return { resources, transformers };
  });
}

function transformersOf(provider: Provider, path: string): Transformer[] {
  const names = Object.keys(provider);
  if (names.length !== 1) fail(path, 'exactly one provider is wanted in each entry');
  if (names[0] === 'identity') return [identity];
  if (provider.aesgcm) return keysOf(provider.aesgcm.keys, `${path}.aesgcm`).map(([name, secret]) => aesGcm(name, secret));
  if (provider.aescbc) return keysOf(provider.aescbc.keys, `${path}.aescbc`).map(([name, secret]) => aesCbc(name, secret));
  return fail(path, `provider ${names[0]} is not supported; there are aesgcm, aescbc and identity`);
}

function keysOf(keys: Key[] | undefined, path: string): [string, Buffer][] {
  if (!keys?.length) fail(`${path}.keys`, 'at least one key is required');
  const names = new Set<string>();
  return (keys ?? []).map(({ name = '', secret = '' }, index) => {
    const at = `${path}.keys[${index}]`;
    if (!name || name.includes(':')) fail(`${at}.name`, "a name without ':' is required");
    if (names.has(name)) fail(`${at}.name`, `duplicate name ${JSON.stringify(name)}`);
    names.add(name);
    const bytes = Buffer.from(secret, 'base64');
    if (![16, 24, 32].includes(bytes.length)) fail(`${at}.secret`, `want 16, 24 or 32 bytes in base64, got ${bytes.length}`);
    return [name, bytes];
  });
}

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof YAMLParseError) return fail('', error.message);
    throw error;
  }
}

function fail(path: string, why: string): never {
  throw new EncryptionConfigurationError(path ? `${path}: ${why}` : why);
}
