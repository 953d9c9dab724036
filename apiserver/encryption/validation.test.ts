import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEncryptionConfiguration } from './configuration.ts';
import { validateEncryptionConfiguration } from './validation.ts';

const secret = Buffer.alloc(32, 'a').toString('base64');
const good = { aesgcm: { keys: [{ name: 'a', secret }] } };
const file = (resources: unknown) =>
  JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration', resources });

function problems(resources: unknown, reloads = false): string[] {
  const configuration = readEncryptionConfiguration(file(resources));
  return validateEncryptionConfiguration(configuration, reloads).map(({ field, message }) => `${field}: ${message}`);
}
const ofNames = (...resources: string[]) => problems([{ resources, providers: [good] }]);
const ofProviders = (...providers: object[]) => problems([{ resources: ['secrets'], providers }]);
const kms = (more: object) => ({ kms: { apiVersion: 'v2', name: 'k', endpoint: 'unix:///k.sock', ...more } });

test('names of resources are refused that would mask each other or that name nothing', () => {
  assert.deepEqual(ofNames('secrets', 'configmaps', 'widgets.example.com', '*.apps'), []);
  assert.deepEqual(ofNames('*.*'), []);
  assert.deepEqual(ofNames('secrets', '*.'), [
    `resources[0].resources: Invalid value: ["secrets","*."]: using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked`,
  ]);
  assert.deepEqual(ofNames('secrets', 'secrets'), [
    'resources[0].resources: Invalid value: ["secrets","secrets"]: the same resource cannot be specified multiple times',
  ]);
  assert.equal(ofNames('*.*', '*.*', 'secrets').length, 2);
  assert.equal(ofNames('*.apps', 'deployments.apps').length, 1);
  for (const [name, why] of [
    ['Secrets', 'resource name should not contain capital letters'],
    ['*', "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources"],
    ['serviceipallocations', 'resources which do not have REST API/s cannot be encrypted'],
    [
      '*.events.k8s.io',
      "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file",
    ],
    ['ingresses.extensions', "'extensions' group has been removed and cannot be used for encryption"],
    ['secrets.*', 'encrypting the same resource across groups is not supported'],
  ] as const)
    assert.deepEqual(ofNames(name), [`resources[0].resources[0]: Invalid value: "${name}": ${why}`]);
});

test('what is missing is named', () => {
  assert.deepEqual(problems([]), ['resources: Required value: at least one resources is required']);
  assert.deepEqual(problems([{}]), [
    'resources[0].resources: Required value: at least one resources[0].resources is required',
    'resources[0].providers: Required value: at least one resources[0].providers is required',
  ]);
  assert.deepEqual(ofProviders({ secretbox: {} }), [
    'resources[0].providers[0].secretbox.keys: Required value: at least one keys is required',
  ]);
  assert.deepEqual(ofProviders({ aescbc: { keys: [{}] } }), [
    'resources[0].providers[0].aescbc.keys[0].name: Required value: name is a mandatory field for a key',
    'resources[0].providers[0].aescbc.keys[0].secret: Required value: secret is a mandatory field for a key',
  ]);
});

test('keys have a length that their cipher knows, and no message tells them', () => {
  const keyOf = (kind: string, bytes: number) =>
    ofProviders({ [kind]: { keys: [{ name: 'a', secret: Buffer.alloc(bytes).toString('base64') }] } });
  for (const bytes of [16, 24, 32]) assert.deepEqual(keyOf('aescbc', bytes), []);
  assert.deepEqual(keyOf('aesgcm', 5), [
    'resources[0].providers[0].aesgcm.keys[0].secret: Invalid value: "REDACTED": secret is not of the expected length, got 5, expected one of [16 24 32]',
  ]);
  assert.deepEqual(keyOf('secretbox', 16), [
    'resources[0].providers[0].secretbox.keys[0].secret: Invalid value: "REDACTED": secret is not of the expected length, got 16, expected one of [32]',
  ]);
  assert.deepEqual(ofProviders({ aesgcm: { keys: [{ name: 'a', secret: 'not base64!' }] } }), [
    'resources[0].providers[0].aesgcm.keys[0].secret: Invalid value: "REDACTED": secrets must be base64 encoded',
  ]);
  assert.deepEqual(ofProviders({ ...good, identity: {} }), [
    'resources[0].providers[0]: Invalid value: {"AESGCM":{"Keys":[{"Name":"a","Secret":"REDACTED"}]},"AESCBC":null,"Secretbox":null,"Identity":{},"KMS":null}: more than one provider specified in a single element, should split into different list elements',
  ]);
  assert.deepEqual(ofProviders({}), [
    'resources[0].providers[0]: Invalid value: {"AESGCM":null,"AESCBC":null,"Secretbox":null,"Identity":null,"KMS":null}: provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity',
  ]);
});

test('a KMS plug-in has a name of its own and is reached through a unix socket', () => {
  const at = 'resources[0].providers[0].kms';
  assert.deepEqual(ofProviders(kms({})), []);
  assert.deepEqual(ofProviders(kms({ name: '' })), [`${at}.name: Required value: name is a mandatory field for a provider`]);
  assert.deepEqual(ofProviders(kms({ name: 'a:b' })), [
    `${at}.name: Invalid value: "a:b": invalid KMS provider name a:b, must not contain ':'`,
  ]);
  assert.deepEqual(ofProviders(kms({}), kms({})), [
    'resources[0].providers[1].kms.name: Invalid value: "k": duplicate KMS provider name k, names must be unique',
  ]);
  assert.deepEqual(ofProviders(kms({ timeout: '0s' })), [`${at}.timeout: Invalid value: "0s": timeout should be a positive value`]);
  assert.deepEqual(ofProviders(kms({ endpoint: '' })), [`${at}.endpoint: Invalid value: "": endpoint is a mandatory field for a kms`]);
  assert.deepEqual(ofProviders(kms({ endpoint: 'https://k' })), [
    `${at}.endpoint: Invalid value: "https://k": unsupported scheme "https" for KMS provider, only unix is supported`,
  ]);
  assert.deepEqual(ofProviders(kms({ cachesize: 3 })), [`${at}.cachesize: Invalid value: 3: cachesize is not supported in v2`]);
  assert.deepEqual(ofProviders(kms({ apiVersion: 'v3' })), [
    `${at}.apiVersion: Invalid value: "v3": unsupported apiVersion apiVersion for KMS provider, only v1 and v2 are supported`,
  ]);
  const twiceFirst = [{ resources: ['secrets'], providers: [kms({ apiVersion: 'v1' }), kms({ apiVersion: '' })] }];
  assert.deepEqual(problems(twiceFirst), []);
  assert.equal(problems(twiceFirst, true).length, 1, 'a file that is read again tells plug-ins apart by their names');
});

test('the file is read strictly, with the defaults of Kubernetes', () => {
  const read = (text: string) => () => readEncryptionConfiguration(text);
  assert.throws(read('kind: Other'), /^EncryptionConfigurationError: Object 'apiVersion' is missing/);
  assert.throws(read('apiVersion: v1\nkind: Pod'), /no kind "Pod" is registered for version "v1"/);
  assert.throws(
    read(file([{ resources: ['secrets'], providers: [{ aesgcn: {} }] }])),
    /strict decoding error: unknown field "resources\[0\]\.providers\[0\]\.aesgcn"/,
  );
  assert.throws(read(file([{ resources: ['secrets'], providers: [kms({ timeout: '3 s' })] }])), /time: invalid duration "3 s"/);
  assert.throws(read('a: ['), { name: 'EncryptionConfigurationError' });
  const { resources } = readEncryptionConfiguration(
    file([{ resources: ['secrets'], providers: [kms({ timeout: '1m0.5s' }), kms({ apiVersion: undefined })] }]),
  );
  assert.deepEqual(resources[0]?.providers, [
    { kms: { apiVersion: 'v2', name: 'k', cachesize: undefined, endpoint: 'unix:///k.sock', timeoutMs: 60_500 } },
    { kms: { apiVersion: 'v1', name: 'k', cachesize: 1000, endpoint: 'unix:///k.sock', timeoutMs: 3000 } },
  ]);
});
