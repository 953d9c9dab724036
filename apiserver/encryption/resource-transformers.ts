// Which transformers an EncryptionConfiguration has for which resource. They can be exchanged for others while the server
// runs: what is read and written after that goes through the new ones.

import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { HealthCheck } from '../handlers/health.ts';
import { EncryptionConfigurationError, type Key, type Provider, readEncryptionConfiguration } from './configuration.ts';
import type { EncryptionMetrics } from './encryption-metrics.ts';
import { type GroupResource, groupResourceName, parseGroupResource } from './group-resource.ts';
import { aesCbc, aesGcm, identity, secretBox } from './providers.ts';
import { type PrefixedTransformer, prefixTransformers, type RecordTransformation, type Transformer } from './transformer.ts';
import { decodeBase64, validateEncryptionConfiguration } from './validation.ts';

/** A KMS plug-in that a configuration names. */
export interface KmsProvider extends PrefixedTransformer {
  /** How long its answer is waited for at most. */
  readonly timeoutMs: number;
  /** undefined: it is well. */
  problem(): Promise<string | undefined>;
  close(): void;
}

export interface LoadOptions {
  clock: Clock;
  metrics: EncryptionMetrics;
  /** The file is read again when it changes: all KMS plug-ins then share one health check. */
  reloads: boolean;
  /** Makes what speaks to a KMS plug-in; resolves once it has been asked for the first time. */
  openKms(kms: NonNullable<Provider['kms']>): Promise<KmsProvider>;
}

/** A configuration that is ready for use. */
export interface LoadedEncryption {
  readonly rules: ReadonlyMap<string, Rule>;
  readonly kms: readonly KmsProvider[];
  /** `sha256:...` of the file. */
  readonly hash: string;
}

/** Makes the transformer of one resource, whose name the metrics tell. */
type Rule = (resource: string) => Transformer;

/** @throws EncryptionConfigurationError, in Kubernetes' words */
export async function loadEncryption(text: string, options: LoadOptions): Promise<LoadedEncryption> {
  const configuration = within('error while parsing file', () => readEncryptionConfiguration(text));
  const problems = validateEncryptionConfiguration(configuration, options.reloads).map(({ field, message }) => `${field}: ${message}`);
  if (problems.length > 0)
    throw new EncryptionConfigurationError(`error while parsing file: ${problems.length > 1 ? `[${problems.join(', ')}]` : problems[0]}`);
  const kms: KmsProvider[] = [];
  try {
    const lists = new Map<string, ListedProvider[]>();
    for (const { resources, providers } of configuration.resources) {
      const listed = await listedProviders(providers, kms, options);
      for (const name of resources) addProviders(lists, parseGroupResource(name), listed);
    }
    const rules = new Map([...lists].map(([name, listed]) => [name, ruleOf(listed, options)]));
    return { rules, kms, hash: hashOf(text) };
  } catch (error) {
    for (const each of kms) each.close();
    if (error instanceof EncryptionConfigurationError)
      throw new EncryptionConfigurationError(`error while building transformers: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Of a configuration file; keys themselves need not be kept to see whether it has changed. */
export function hashOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** A provider's transformer counts for the resource that it is used for. */
interface ListedProvider {
  prefix: string;
  make(record: RecordTransformation): Transformer;
}

function addProviders(lists: Map<string, ListedProvider[]>, named: GroupResource, listed: ListedProvider[]): void {
  for (const mask of [{ group: named.group, resource: '*' }, everything]) {
    if (lists.has(groupResourceName(mask))) {
      const [resource, earlier] = [groupResourceName(named), groupResourceName(mask)].map((name) => JSON.stringify(name));
      throw new EncryptionConfigurationError(`resource ${resource} is masked by earlier rule ${earlier}`);
    }
  }
  const name = groupResourceName(named);
  lists.set(name, [...(lists.get(name) ?? []), ...listed]);
}

async function listedProviders(providers: readonly Provider[], kms: KmsProvider[], options: LoadOptions): Promise<ListedProvider[]> {
  const listed: ListedProvider[] = [];
  for (const provider of providers) {
    const { aesgcm, aescbc, secretbox } = provider;
    if (aesgcm) listed.push(keyed('aesgcm', 'AES', aesgcm.keys, aesGcm, options));
    else if (aescbc) listed.push(keyed('aescbc', 'AES', aescbc.keys, aesCbc, options));
    else if (secretbox) listed.push(keyed('secretbox', 'Secretbox', secretbox.keys, secretBox, options));
    else if (provider.kms) {
      const opened = await openKms(provider.kms, options);
      kms.push(opened);
      listed.push({ prefix: opened.prefix, make: () => opened.transformer });
    } else listed.push({ prefix: '', make: () => identity });
  }
  return listed;
}

function openKms(kms: NonNullable<Provider['kms']>, options: LoadOptions): Promise<KmsProvider> {
  if (kms.apiVersion === 'v1')
    throw new EncryptionConfigurationError(
      'KMSv1 is deprecated and will only receive security updates going forward. Use KMSv2 instead.  Set --feature-gates=KMSv1=true to use the deprecated KMSv1 feature.',
    );
  return options.openKms(kms);
}

function keyed(
  name: string,
  title: string,
  keys: readonly Key[],
  transformerOf: (secret: Uint8Array) => Transformer,
  { clock }: LoadOptions,
): ListedProvider {
  const list = keys.map((key) => ({ prefix: `${key.name}:`, transformer: transformerOf(decodeBase64(key.secret) ?? Buffer.alloc(0)) }));
  const noMatch = `no matching key was found for the provided ${title} transformer`;
  return {
    prefix: `k8s:enc:${name}:v1:`,
    make: (record) => prefixTransformers(list, { noMatch, record, nowMs: () => clock.monotonicMs() }),
  };
}

function ruleOf(listed: readonly ListedProvider[], { clock, metrics }: LoadOptions): Rule {
  return (resource) => {
    const record: RecordTransformation = (done) => metrics.transformed(resource, done);
    const list = listed.map(({ prefix, make }) => ({ prefix, transformer: make(record) }));
    return prefixTransformers(list, { noMatch: 'no matching prefix found', record, nowMs: () => clock.monotonicMs() });
  };
}

const everything: GroupResource = { group: '*', resource: '*' };

/** The transformers that are in use now. */
export class ResourceTransformers {
  #loaded: LoadedEncryption;
  #known = new Map<string, Transformer>();

  /** Without a configuration values are as they are, and encrypted ones are refused. */
  constructor(loaded: LoadedEncryption = { rules: new Map(), kms: [], hash: '' }) {
    this.#loaded = loaded;
  }

  get loaded(): LoadedEncryption {
    return this.#loaded;
  }

  /** Uses others from now on; what was used before is the caller's to close. */
  use(loaded: LoadedEncryption): void {
    this.#loaded = loaded;
    this.#known = new Map();
  }

  of(named: GroupResource): Transformer {
    const name = groupResourceName(named);
    let transformer = this.#known.get(name);
    if (!transformer) {
      const { rules } = this.#loaded;
      const rule = [named, { group: named.group, resource: '*' }, everything]
        .map((each) => rules.get(groupResourceName(each)))
        .find(Boolean);
      transformer = rule?.(name) ?? identity;
      this.#known.set(name, transformer);
    }
    return transformer;
  }
}

/** What `/healthz` and its kin say about KMS plug-ins: one check for all of them, always so when the file may change. */
export function kmsHealthCheck(transformers: ResourceTransformers, reloads: boolean): HealthCheck[] {
  if (!reloads && transformers.loaded.kms.length === 0) return [];
  return [{ name: 'kms-providers', sparesLiveness: true, problem: () => kmsProblem(transformers.loaded.kms) }];
}

/** The plug-ins are asked one after the other. */
export async function kmsProblem(kms: readonly KmsProvider[]): Promise<string | undefined> {
  const problems: string[] = [];
  for (const [index, each] of kms.entries()) {
    const problem = await each.problem();
    if (problem !== undefined) problems.push(`kms-provider-${index}: ${problem}`);
  }
  if (problems.length === 0) return undefined;
  return problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`;
}

function within<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof EncryptionConfigurationError)
      throw new EncryptionConfigurationError(`${what}: ${error.message}`, { cause: error });
    throw error;
  }
}
