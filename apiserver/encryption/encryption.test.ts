import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createMemoryStore } from '../../store/memory.ts';
import type { Store } from '../../store/store.ts';
import { startServer } from '../server-fixture.ts';
import { EncryptionConfigurationError, readEncryptionConfiguration } from './configuration.ts';
import { encryptedStore } from './encrypted-store.ts';

const secretOf = (letter: string) => Buffer.alloc(32, letter).toString('base64');
const aesgcm = (...names: string[]) => ({ aesgcm: { keys: names.map((name) => ({ name, secret: secretOf(name) })) } });
const rules = (...providers: object[]) =>
  readEncryptionConfiguration(
    JSON.stringify({
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'EncryptionConfiguration',
      resources: [{ resources: ['secrets'], providers }],
    }),
  );

const path = '/api/v1/namespaces/default/secrets';
const key = '/registry/core/secrets/default/s';
const password = Buffer.from('open sesame').toString('base64');

/** A server on `inner`, as if it had been started again with these providers. */
async function serverOn(t: TestContext, inner: Store, ...providers: object[]) {
  const store = Object.assign(encryptedStore(inner, rules(...providers)), { close: async () => {} });
  const fixture = await startServer({ store });
  t.after(fixture.close);
  return fixture;
}

async function atRest(inner: Store): Promise<string> {
  return Buffer.from((await inner.get(key))?.value ?? '').toString('latin1');
}

test('a secret lies encrypted in the store, other kinds as they are, and clients notice nothing', async (t) => {
  const inner = createMemoryStore();
  const { ask } = await serverOn(t, inner, aesgcm('a'), { identity: {} });
  const made = await ask('POST', path, { metadata: { name: 's' }, data: { p: password } });
  assert.equal(made.status, 201);
  const stored = await atRest(inner);
  assert.ok(stored.startsWith('k8s:enc:aesgcm:v1:a:'));
  assert.ok(!stored.includes(password) && !stored.includes('default'));
  assert.equal((await ask('GET', `${path}/s`)).json.data.p, password);
  assert.equal((await ask('GET', path)).json.items[0].data.p, password);
  assert.equal((await ask('POST', path, { metadata: { name: 's' } })).status, 409);
  await ask('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'c' } });
  const other = await inner.get('/registry/core/configmaps/default/c');
  assert.equal(Buffer.from(other?.value ?? '').toString()[0], '{');
});

test('keys are rotated: the first writes, all read, and a replaced secret changes over although nothing in it is new', async (t) => {
  const inner = createMemoryStore();
  const clear = await serverOn(t, inner, { identity: {} });
  await clear.ask('POST', path, { metadata: { name: 's' }, data: { p: password } });
  assert.ok((await atRest(inner)).includes(password));
  for (const [providers, prefix] of [
    [[aesgcm('a'), { identity: {} }], 'k8s:enc:aesgcm:v1:a:'],
    [[aesgcm('b', 'a')], 'k8s:enc:aesgcm:v1:b:'],
    [[{ identity: {} }, aesgcm('b')], '{'],
  ] as const) {
    const { ask } = await serverOn(t, inner, ...providers);
    const secret = (await ask('GET', `${path}/s`)).json;
    assert.equal(secret.data.p, password);
    assert.equal((await ask('PUT', `${path}/s`, secret)).status, 200);
    assert.ok((await atRest(inner)).startsWith(prefix), prefix);
    const version = (await ask('GET', `${path}/s`)).json.metadata.resourceVersion;
    await ask('PUT', `${path}/s`, { ...secret, metadata: { ...secret.metadata, resourceVersion: version } });
    assert.equal((await ask('GET', `${path}/s`)).json.metadata.resourceVersion, version, 'a second time there is nothing to write');
  }
});

test('a value that was moved, changed or written with a lost key is refused, never served', async () => {
  const inner = createMemoryStore();
  const store = encryptedStore(inner, rules(aesgcm('a')));
  await store.put(key, Buffer.from('{}'));
  const sealed = Buffer.from((await inner.get(key))?.value ?? '');
  await inner.put(`${key}2`, sealed);
  await assert.rejects(store.get(`${key}2`), /cannot be decrypted/);
  const changed = Buffer.from(sealed);
  changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
  await inner.put(key, changed);
  await assert.rejects(store.get(key), /cannot be decrypted/);
  await inner.put(key, sealed);
  await assert.rejects(encryptedStore(inner, rules(aesgcm('b'))).get(key), /no matching prefix found/);
  await assert.rejects(encryptedStore(inner, rules({ identity: {} })).get(key), /identity transformer tried to read encrypted data/);
  await store.close();
});

test('a configuration that cannot be used says where', () => {
  assert.throws(
    () => rules({ aesgcm: { keys: [{ name: 'a', secret: 'c2hvcnQ=' }] } }),
    /resources\[0\]\.providers\[0\]\.aesgcm\.keys\[0\]\.secret/,
  );
  assert.throws(() => rules({ kms: {} }), /kms is not supported/);
  assert.throws(() => rules(aesgcm('a', 'a')), /duplicate name "a"/);
  assert.throws(() => readEncryptionConfiguration('kind: Other'), EncryptionConfigurationError);
});
