// What is wrong with an EncryptionConfiguration, in Kubernetes' words (pkg/apis/apiserver/validation/validation_encryption.go
// of k8s.io/apiserver). Secrets are never part of a message.

import { type FieldError, type FieldPath, invalid, path, required } from '../../api/field-error.ts';
import type { EncryptionConfiguration, Key, KmsConfiguration, Provider } from './configuration.ts';
import { type GroupResource, parseGroupResource } from './group-resource.ts';

const aesKeyBytes = [16, 24, 32];
const secretBoxKeyBytes = [32];

/** `reloads`: the file is read again whenever it changes, which wants names of all KMS plug-ins to differ. */
export function validateEncryptionConfiguration({ resources }: EncryptionConfiguration, reloads: boolean): FieldError[] {
  const root = path('resources');
  if (resources.length === 0) return [required(root, 'at least one resources is required')];
  const errors: FieldError[] = [];
  const kmsNames = new Set<string>();
  for (const [index, rule] of resources.entries()) {
    const at = root.index(index);
    const names = at.child('resources');
    const providers = at.child('providers');
    if (rule.resources.length === 0) errors.push(required(names, `at least one ${names} is required`));
    errors.push(...overlaps(rule.resources, names));
    for (const [nameIndex, name] of rule.resources.entries()) {
      const problem = nameProblem(name);
      if (problem) errors.push(invalid(names.index(nameIndex), name, problem));
    }
    if (rule.providers.length === 0) errors.push(required(providers, `at least one ${providers} is required`));
    for (const [providerIndex, provider] of rule.providers.entries())
      errors.push(...providerProblems(provider, providers.index(providerIndex), { kmsNames, reloads }));
  }
  return errors;
}

function overlaps(names: readonly string[], at: FieldPath): FieldError[] {
  const parsed = names.map(parseGroupResource);
  const isAll = ({ group, resource }: GroupResource) => group === '*' && resource === '*';
  const pairs = parsed.flatMap((one, i) => parsed.filter((_, j) => i !== j).map((other) => [one, other] as const));
  const isSame = ([a, b]: readonly [GroupResource, GroupResource]) => a.group === b.group && a.resource === b.resource;
  const masks = ([a, b]: readonly [GroupResource, GroupResource]) =>
    isAll(a) || (a.group === b.group && (a.resource === '*' || b.resource === '*'));
  const firstSame = pairs.findIndex(isSame);
  const errors: FieldError[] = [];
  if (firstSame >= 0) errors.push(invalid(at, names, 'the same resource cannot be specified multiple times'));
  // The pair that shows a name to be there twice says nothing about masking.
  if (pairs.some((pair, index) => index !== firstSame && masks(pair)))
    errors.push(
      invalid(
        at,
        names,
        "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked",
      ),
    );
  return errors;
}

const withoutApi = ['apiserveripinfo', 'serviceipallocations', 'servicenodeportallocations'];

function nameProblem(name: string): string | undefined {
  if (name.toLowerCase() !== name) return 'resource name should not contain capital letters';
  if (name === '*') return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources";
  if (withoutApi.includes(name)) return 'resources which do not have REST API/s cannot be encrypted';
  const { group, resource } = parseGroupResource(name);
  if (group === 'events.k8s.io')
    return "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file";
  if (group === 'extensions') return "'extensions' group has been removed and cannot be used for encryption";
  if (group === '*' && resource !== '*') return 'encrypting the same resource across groups is not supported';
  return undefined;
}

function providerProblems(provider: Provider, at: FieldPath, kms: { kmsNames: Set<string>; reloads: boolean }): FieldError[] {
  const found = Object.keys(provider).length;
  const errors: FieldError[] = [];
  if (found === 0)
    errors.push(
      invalid(at, shown(provider), 'provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity'),
    );
  if (found > 1)
    errors.push(
      invalid(at, shown(provider), 'more than one provider specified in a single element, should split into different list elements'),
    );
  if (provider.kms) {
    errors.push(...kmsProblems(provider.kms, at.child('kms'), kms));
    kms.kmsNames.add(provider.kms.name);
  } else if (provider.aesgcm) errors.push(...keysProblems(provider.aesgcm.keys, at.child('aesgcm', 'keys'), aesKeyBytes));
  else if (provider.aescbc) errors.push(...keysProblems(provider.aescbc.keys, at.child('aescbc', 'keys'), aesKeyBytes));
  else if (provider.secretbox) errors.push(...keysProblems(provider.secretbox.keys, at.child('secretbox', 'keys'), secretBoxKeyBytes));
  return errors;
}

/** A provider as Kubernetes shows it, but for the secrets. */
function shown({ aesgcm, aescbc, secretbox, identity, kms }: Provider): object {
  const keysOf = (of: { keys: readonly Key[] } | undefined) =>
    of ? { Keys: of.keys.map(({ name }) => ({ Name: name, Secret: 'REDACTED' })) } : null;
  return {
    AESGCM: keysOf(aesgcm),
    AESCBC: keysOf(aescbc),
    Secretbox: keysOf(secretbox),
    Identity: identity ? {} : null,
    KMS: kms
      ? {
          APIVersion: kms.apiVersion,
          Name: kms.name,
          CacheSize: kms.cachesize ?? null,
          Endpoint: kms.endpoint,
          Timeout: goSeconds(kms.timeoutMs),
        }
      : null,
  };
}

function keysProblems(keys: readonly Key[], at: FieldPath, lengths: readonly number[]): FieldError[] {
  if (keys.length === 0) return [required(at, 'at least one keys is required')];
  return keys.flatMap((key, index) => keyProblems(key, at.index(index), lengths));
}

function keyProblems({ name, secret }: Key, at: FieldPath, lengths: readonly number[]): FieldError[] {
  const errors: FieldError[] = [];
  if (!name) errors.push(required(at.child('name'), 'name is a mandatory field for a key'));
  if (!secret) return [...errors, required(at.child('secret'), 'secret is a mandatory field for a key')];
  const bytes = decodeBase64(secret);
  if (!bytes) return [...errors, invalid(at.child('secret'), 'REDACTED', 'secrets must be base64 encoded')];
  if (!lengths.includes(bytes.length)) {
    const why = `secret is not of the expected length, got ${bytes.length}, expected one of [${lengths.join(' ')}]`;
    errors.push(invalid(at.child('secret'), 'REDACTED', why));
  }
  return errors;
}

/** Strictly, as Go: with padding, and nothing but lines' ends between. */
export function decodeBase64(text: string): Buffer | undefined {
  const plain = text.replace(/[\r\n]/g, '');
  const isBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(plain);
  return isBase64 ? Buffer.from(plain, 'base64') : undefined;
}

function kmsProblems(
  kms: KmsConfiguration,
  at: FieldPath,
  { kmsNames, reloads }: { kmsNames: Set<string>; reloads: boolean },
): FieldError[] {
  const { apiVersion, name, cachesize, endpoint, timeoutMs } = kms;
  const isFirst = apiVersion === 'v1';
  const errors: FieldError[] = [];
  if (!name) errors.push(required(at.child('name'), 'name is a mandatory field for a provider'));
  if (!isFirst && name.includes(':'))
    errors.push(invalid(at.child('name'), name, `invalid KMS provider name ${name}, must not contain ':'`));
  if ((reloads || !isFirst) && kmsNames.has(name))
    errors.push(invalid(at.child('name'), name, `duplicate KMS provider name ${name}, names must be unique`));
  if (timeoutMs <= 0) errors.push(invalid(at.child('timeout'), goSeconds(timeoutMs), 'timeout should be a positive value'));
  errors.push(...endpointProblems(endpoint, at.child('endpoint')));
  if (!isFirst && cachesize !== undefined) errors.push(invalid(at.child('cachesize'), cachesize, 'cachesize is not supported in v2'));
  if (isFirst && cachesize === 0)
    errors.push(invalid(at.child('cachesize'), cachesize, 'cachesize should be a positive value, or negative to disable'));
  if (!isFirst && apiVersion !== 'v2')
    // Kubernetes names the field where it means the value.
    errors.push(
      invalid(at.child('apiVersion'), apiVersion, 'unsupported apiVersion apiVersion for KMS provider, only v1 and v2 are supported'),
    );
  return errors;
}

function endpointProblems(endpoint: string, at: FieldPath): FieldError[] {
  if (!endpoint) return [invalid(at, '', 'endpoint is a mandatory field for a kms')];
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(endpoint)?.[1]?.toLowerCase() ?? '';
  if (!scheme && endpoint.startsWith(':')) {
    const why = `invalid endpoint for kms provider, error: parse ${JSON.stringify(endpoint)}: missing protocol scheme`;
    return [invalid(at, endpoint, why)];
  }
  return scheme === 'unix'
    ? []
    : [invalid(at, endpoint, `unsupported scheme ${JSON.stringify(scheme)} for KMS provider, only unix is supported`)];
}

const goSeconds = (ms: number) => `${ms / 1000}s`;
