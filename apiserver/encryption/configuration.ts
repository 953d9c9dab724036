// EncryptionConfiguration of apiserver.config.k8s.io/v1 as it stands in its file: read strictly, with its defaults. Whether it
// makes sense is validation.ts's to say.

import { parse, YAMLParseError } from 'yaml';
import { strictObject } from '../admission/configuration/strict-object.ts';
import { AdmissionConfigurationError } from '../admission/plugin-order.ts';

/** The configuration cannot be used. */
export class EncryptionConfigurationError extends Error {
  override name = 'EncryptionConfigurationError';
}

export interface Key {
  readonly name: string;
  /** In base64. */
  readonly secret: string;
}

export interface KmsConfiguration {
  readonly apiVersion: string;
  readonly name: string;
  readonly cachesize: number | undefined;
  readonly endpoint: string;
  readonly timeoutMs: number;
}

/** Exactly one is there in a provider that makes sense. */
export interface Provider {
  readonly aesgcm?: { readonly keys: readonly Key[] };
  readonly aescbc?: { readonly keys: readonly Key[] };
  readonly secretbox?: { readonly keys: readonly Key[] };
  readonly identity?: object;
  readonly kms?: KmsConfiguration;
}

export interface ResourceConfiguration {
  /** `secrets`, `deployments.apps`, `*.apps`, `*.` (the core group) or `*.*`. */
  readonly resources: readonly string[];
  /** The first writes; all read. */
  readonly providers: readonly Provider[];
}

export interface EncryptionConfiguration {
  readonly resources: readonly ResourceConfiguration[];
}

const keys = { keys: [{ name: 'string', secret: 'string' }] } as const;
const kind = {
  kind: 'EncryptionConfiguration',
  group: 'apiserver.config.k8s.io',
  versions: ['v1'],
  shape: {
    resources: [
      {
        resources: ['string'],
        providers: [
          {
            aesgcm: keys,
            aescbc: keys,
            secretbox: keys,
            identity: {},
            kms: { apiVersion: 'string', name: 'string', cachesize: 'integer', endpoint: 'string', timeout: 'string' },
          },
        ],
      },
    ],
  },
} as const;

interface KeysJson {
  keys?: ({ name?: string; secret?: string } | null)[] | null;
}
interface KmsJson {
  apiVersion?: string;
  name?: string;
  cachesize?: number | null;
  endpoint?: string;
  timeout?: string | null;
}
interface ProviderJson {
  aesgcm?: KeysJson | null;
  aescbc?: KeysJson | null;
  secretbox?: KeysJson | null;
  identity?: object | null;
  kms?: KmsJson | null;
}
interface ConfigurationJson {
  resources?: ({ resources?: string[] | null; providers?: (ProviderJson | null)[] | null } | null)[] | null;
}

const timeoutMsDefault = 3000;
/** Of KMS v1, which alone has such a cache. */
const cacheSizeDefault = 1000;

/** @throws EncryptionConfigurationError */
export function readEncryptionConfiguration(text: string): EncryptionConfiguration {
  const { resources } = strictly(text) as ConfigurationJson;
  return {
    resources: (resources ?? []).map((rule) => ({
      resources: rule?.resources ?? [],
      providers: (rule?.providers ?? []).map((provider) => providerOf(provider ?? {})),
    })),
  };
}

function strictly(text: string): unknown {
  try {
    return strictObject(parse(text), kind);
  } catch (error) {
    if (error instanceof YAMLParseError || error instanceof AdmissionConfigurationError)
      throw new EncryptionConfigurationError(error.message, { cause: error });
    throw error;
  }
}

function providerOf({ aesgcm, aescbc, secretbox, identity, kms }: ProviderJson): Provider {
  return {
    ...(aesgcm ? { aesgcm: keysOf(aesgcm) } : {}),
    ...(aescbc ? { aescbc: keysOf(aescbc) } : {}),
    ...(secretbox ? { secretbox: keysOf(secretbox) } : {}),
    ...(identity ? { identity } : {}),
    ...(kms ? { kms: kmsOf(kms) } : {}),
  };
}

const keysOf = ({ keys: list }: KeysJson) => ({
  keys: (list ?? []).map((key) => ({ name: key?.name ?? '', secret: key?.secret ?? '' })),
});

function kmsOf({ apiVersion, name = '', cachesize, endpoint = '', timeout }: KmsJson): KmsConfiguration {
  const version = apiVersion || 'v1';
  return {
    apiVersion: version,
    name,
    endpoint,
    cachesize: cachesize ?? (version === 'v1' ? cacheSizeDefault : undefined),
    timeoutMs: timeout ? durationMs(timeout) : timeoutMsDefault,
  };
}

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration as Go writes it, also a negative one, which is refused later. */
function durationMs(text: string): number {
  const [, sign, amounts = ''] = /^([+-]?)(0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$/.exec(text) ?? [];
  if (!amounts) throw new EncryptionConfigurationError(`time: invalid duration ${JSON.stringify(text)}`);
  let ms = 0;
  for (const [, amount, unit] of amounts.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)) ms += Number(amount) * (unitMs[unit as string] ?? 0);
  return sign === '-' ? -ms : ms;
}
