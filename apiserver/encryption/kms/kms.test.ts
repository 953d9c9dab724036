import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { silentLog } from '../../../base/log.ts';
import { seededRandom } from '../../../base/random.ts';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import { MetricsRegistry } from '../../../client/metrics/registry.ts';
import { createMemoryStore } from '../../../store/memory.ts';
import { encryptedStore } from '../encrypted-store.ts';
import { EncryptionMetrics } from '../encryption-metrics.ts';
import { kmsHealthCheck, loadEncryption, ResourceTransformers } from '../resource-transformers.ts';
import type { Opened } from '../transformer.ts';
import { decodeEncryptedObject, encodeEncryptedObject, extendedNonceGcm } from './envelope.ts';
import { KmsPlugin } from './kms-plugin.ts';
import { openKmsProvider } from './provider.ts';

const key = '/registry/core/secrets/default/s';
const value = Buffer.from('{"kind":"Secret"}');

async function pluginFor(t: TestContext): Promise<KmsPlugin> {
  const plugin = new KmsPlugin();
  t.after(() => plugin.remove());
  await plugin.start();
  return plugin;
}

/** A server's encryption with the plug-in, as if it had just been started. */
async function startedWith(t: TestContext, plugin: KmsPlugin, inner = createMemoryStore()) {
  const clock = new VirtualClock();
  const metrics = new EncryptionMetrics(clock, 'a');
  const registry = new MetricsRegistry();
  metrics.join(registry);
  const configuration = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [
      {
        resources: ['secrets'],
        providers: [{ kms: { apiVersion: 'v2', name: 'vault', endpoint: plugin.endpoint, timeout: '5s' } }, { identity: {} }],
      },
    ],
  };
  const loaded = await loadEncryption(JSON.stringify(configuration), {
    clock,
    metrics,
    reloads: false,
    openKms: (kms) => openKmsProvider(kms, { clock, random: seededRandom(1), log: silentLog, metrics }),
  });
  t.after(() => {
    for (const each of loaded.kms) each.close();
  });
  const transformers = new ResourceTransformers(loaded);
  const store = encryptedStore(inner, transformers);
  const [check] = kmsHealthCheck(transformers, false);
  assert.equal(check?.name, 'kms-providers');
  /** Steps until the plug-in has been asked `calls` times in all. */
  const until = async (isSo: () => boolean) => {
    for (let i = 0; !isSo(); i++) {
      assert.ok(i < 500, `it never came to it; calls: ${plugin.calls}`);
      await clock.step(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { clock, store, inner, until, health: async () => check?.problem(), metrics: () => registry.render() };
}

test('values are written in envelopes that only the plug-in opens; it is asked once, not for every value', async (t) => {
  const plugin = await pluginFor(t);
  const first = await startedWith(t, plugin);
  assert.deepEqual(plugin.calls, ['Status', 'Encrypt']);
  for (const name of ['s', 't', 'u']) await first.store.put(key.slice(0, -1) + name, value);
  assert.equal(await first.health(), undefined);
  const stored = Buffer.from((await first.inner.get(key))?.value ?? '');
  const prefix = 'k8s:enc:kms:v2:vault:';
  assert.ok(stored.toString('latin1').startsWith(prefix));
  const object = decodeEncryptedObject(stored.subarray(prefix.length));
  assert.equal(object.keyID, 'key-1');
  assert.equal(object.encryptedDEKSourceType, 1);
  assert.equal(object.annotations['version.kms.example.com']?.toString(), '7');
  assert.equal(object.encryptedData.length, 32 + 12 + value.length + 16);

  const second = await startedWith(t, plugin, first.inner);
  plugin.calls = [];
  const { entries } = await second.store.list('/registry/core/secrets/');
  assert.deepEqual(
    entries.map((entry) => Buffer.from(entry.value)),
    [value, value, value],
  );
  assert.deepEqual(Buffer.from((await second.store.get(key))?.value ?? ''), value);
  assert.deepEqual(plugin.calls, ['Decrypt']);
  assert.equal(await second.store.isOutdated?.(key), false);
  const text = await second.metrics();
  assert.match(text, /apiserver_storage_envelope_transformation_cache_misses_total 1\n/);
  assert.match(text, /apiserver_envelope_encryption_dek_source_cache_size\{provider_name="vault"\} 2\n/);
  assert.match(text, /apiserver_envelope_encryption_key_id_hash_total\{.*provider_name="vault",transformation_type="from_storage"\} 5\n/);
  assert.match(
    text,
    /kms_operations_latency_seconds_count\{grpc_status_code="OK",method_name="\/v2.KeyManagementService\/Decrypt",provider_name="vault"\} 1\n/,
  );
});

test('a plug-in that names another key makes what was written with the old one stale', async (t) => {
  const plugin = await pluginFor(t);
  const { store, until, health } = await startedWith(t, plugin);
  await store.put(key, value);
  plugin.calls = [];
  plugin.status = { ...plugin.status, keyId: 'key-2' };
  await until(() => plugin.calls.includes('Encrypt'));
  assert.equal(await health(), undefined);
  assert.equal(await store.isOutdated?.(key), true);
  await store.put(key, value);
  assert.equal(await store.isOutdated?.(key), false);
  assert.ok(!plugin.calls.includes('Decrypt'), 'seeds that were written with are still known');

  plugin.calls = [];
  plugin.status = { ...plugin.status, keyId: 'key-3' };
  plugin.encryptsWith = 'key-2';
  await until(() => plugin.calls.includes('Encrypt'));
  assert.match(
    (await health()) ?? '',
    /^kms-provider-0: kmsv2 Provider vault is not healthy, error: failed to rotate DEK uid=".*", useSeed=true, errState=<nil>, errGen=<nil>/,
  );
  await store.put(key, value);
});

test('without its plug-in a server reads what it has seeds for, writes for three minutes, and recovers', async (t) => {
  const plugin = await pluginFor(t);
  const { store, until, health, clock, metrics } = await startedWith(t, plugin);
  await store.put(key, value);
  plugin.failure = { code: status.UNAVAILABLE, details: 'the vault is shut' };
  plugin.calls = [];
  await until(() => plugin.calls.length > 0);
  const unavailable = 'rpc error: code = Unavailable desc = the vault is shut';
  assert.match(
    (await health()) ?? '',
    new RegExp(`failed to perform status section of the healthz check for KMS Provider vault, error: ${unavailable}$`),
  );
  await store.put(key, value);
  await clock.step(180_000);
  await assert.rejects(
    store.put(key, value),
    /^Error: encryptedDEKSource with keyID hash "sha256:.*" expired at 2026-.*Z \(current time is 2026-/,
  );
  assert.deepEqual(Buffer.from((await store.get(key))?.value ?? ''), value);
  plugin.failure = undefined;
  plugin.calls = [];
  await until(() => plugin.calls.length > 0);
  await store.put(key, value);
  assert.match(
    await metrics(),
    /transformation_operations_total\{resource="secrets",status="unknown-non-grpc",transformation_type="to_storage"/,
  );
});

test('a plug-in that comes later than the server is found; until then nothing is written in clear instead', async (t) => {
  const plugin = await pluginFor(t);
  plugin.failure = { code: status.UNAVAILABLE, details: 'not yet' };
  const { store, until, health } = await startedWith(t, plugin);
  await assert.rejects(store.put(key, value), { message: 'got unexpected nil transformer' });
  plugin.failure = undefined;
  plugin.calls = [];
  await until(() => plugin.calls.includes('Encrypt'));
  assert.equal(await health(), undefined);
  await store.put(key, value);
});

test('a call that is not answered in time is given up', async (t) => {
  const plugin = await pluginFor(t);
  const { health, clock } = await startedWith(t, plugin);
  await clock.step(30_000);
  plugin.isSilent = true;
  plugin.calls = [];
  const asked = health();
  while (plugin.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await clock.step(5000);
  assert.match((await asked) ?? '', /rpc error: code = DeadlineExceeded desc = context deadline exceeded$/);
});

test('what a plug-in may not say makes it unhealthy', async (t) => {
  const plugin = await pluginFor(t);
  const { health, clock, metrics } = await startedWith(t, plugin);
  const says = async (change: Partial<KmsPlugin['status']>, pattern: RegExp) => {
    plugin.status = { version: 'v2', healthz: 'ok', keyId: 'key-1', ...change };
    await clock.step(25_000);
    assert.match((await health()) ?? '', pattern);
  };
  await says({ healthz: 'sealed' }, /got unexpected healthz status: sealed/);
  await says({ version: 'v1' }, /expected KMSv2 API version v2, got v1/);
  await says({ version: 'v2beta1' }, /API version should not change after the initial status response version v2, got v2beta1/);
  await says({ keyId: '' }, /got invalid KMSv2 KeyID hash "": keyID is empty/);
  await says({ keyId: 'k'.repeat(1025) }, /keyID is 1025 bytes, which exceeds the max size of 1024/);
  plugin.annotations = { nodots: Buffer.of(1) };
  await says(
    { keyId: 'key-9' },
    /failed to validate annotations: annotations: Invalid value: "nodots": should be a domain with at least two segments/,
  );
  const text = await metrics();
  assert.match(text, /invalid_key_id_from_status_total\{error="empty",provider_name="vault"\} [1-9]/);
  assert.match(text, /invalid_key_id_from_status_total\{error="too_long",provider_name="vault"\} [1-9]/);
});

test('any value comes back from a seed, at its own key alone, and no flipped bit is read over', () => {
  const seed = Date.now() | 0;
  console.log(`seed ${seed}`);
  const transformer = extendedNonceGcm(Buffer.alloc(32, 's'));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.nat(7), (bytes, at, bit) => {
      const stored = Buffer.from(transformer.encrypt(bytes, key));
      assert.deepEqual(Buffer.from((transformer.decrypt(stored, key) as Opened).value), Buffer.from(bytes));
      assert.throws(() => transformer.decrypt(stored, `${key}2`));
      const index = at % stored.length;
      stored[index] = (stored[index] as number) ^ (1 << bit);
      assert.throws(() => transformer.decrypt(stored, key));
    }),
    { seed, numRuns: 200 },
  );
  assert.throws(() => extendedNonceGcm(Buffer.alloc(31)), { message: 'invalid seed length 31 used for key generation' });
});

test('an envelope has all that it needs, within bounds', () => {
  const good = {
    encryptedData: Buffer.of(1),
    keyID: 'k',
    encryptedDEKSource: Buffer.of(2),
    annotations: {},
    encryptedDEKSourceType: 1,
  };
  // Field numbers and wire types are those of Kubernetes' own message.
  assert.equal(encodeEncryptedObject(good).toString('hex'), '0a010112016b1a01022801');
  assert.deepEqual(decodeEncryptedObject(encodeEncryptedObject(good)).keyID, 'k');
  for (const [change, message] of [
    [{ encryptedDEKSourceType: 2 }, 'unknown encryptedDEKSourceType: 2'],
    [{ encryptedData: Buffer.alloc(0) }, 'encrypted data is empty'],
    [{ encryptedDEKSource: Buffer.alloc(0) }, 'failed to validate encrypted DEK source: encrypted DEK source is empty'],
    [{ keyID: '' }, 'failed to validate key id: keyID is empty'],
    [
      { annotations: { 'a.example.com': Buffer.alloc(32 * 1024) } },
      'failed to validate annotations: total size of annotations is 32781, which exceeds the max size of 32768',
    ],
  ] as const)
    assert.throws(() => encodeEncryptedObject({ ...good, ...change }), { message });
});
