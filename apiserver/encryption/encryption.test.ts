import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { MetricsRegistry } from '../../client/metrics/registry.ts';
import { createMemoryStore } from '../../store/memory.ts';
import type { Store } from '../../store/store.ts';
import { startServer } from '../server-fixture.ts';
import { encryptedStore } from './encrypted-store.ts';
import { EncryptionMetrics } from './encryption-metrics.ts';
import { loadEncryption, ResourceTransformers } from './resource-transformers.ts';

const secretOf = (letter: string) => Buffer.alloc(32, letter).toString('base64');
const provider = (kind: string, ...names: string[]) => ({ [kind]: { keys: names.map((name) => ({ name, secret: secretOf(name) })) } });
const aesgcm = (...names: string[]) => provider('aesgcm', ...names);
const identity = { identity: {} };

const clock = new VirtualClock();
function load(rules: [resources: string[], providers: object[]][], metrics = new EncryptionMetrics(clock, 'a')) {
  const configuration = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: rules.map(([resources, providers]) => ({ resources, providers })),
  };
  const openKms = () => assert.fail('no KMS is named');
  return loadEncryption(JSON.stringify(configuration), { clock, metrics, reloads: false, openKms });
}
const using = async (...rules: Parameters<typeof load>[0]) => new ResourceTransformers(await load(rules));

const path = '/api/v1/namespaces/default/secrets';
const key = '/registry/core/secrets/default/s';
const password = Buffer.from('open sesame').toString('base64');

/** A server on `inner`, as if it had been started again with these providers. */
async function serverOn(t: TestContext, inner: Store, ...providers: object[]) {
  const store = Object.assign(encryptedStore(inner, await using([['secrets'], providers])), { close: async () => {} });
  const fixture = await startServer({ store });
  t.after(fixture.close);
  return fixture;
}

async function atRest(inner: Store, at = key): Promise<string> {
  return Buffer.from((await inner.get(at))?.value ?? '').toString('latin1');
}

test('a secret lies encrypted in the store, other kinds as they are, and clients notice nothing', async (t) => {
  const inner = createMemoryStore();
  const { ask } = await serverOn(t, inner, aesgcm('a'), identity);
  const made = await ask('POST', path, { metadata: { name: 's' }, data: { p: password } });
  assert.equal(made.status, 201);
  const stored = await atRest(inner);
  assert.ok(stored.startsWith('k8s:enc:aesgcm:v1:a:'));
  assert.ok(!stored.includes(password) && !stored.includes('default'));
  assert.equal((await ask('GET', `${path}/s`)).json.data.p, password);
  assert.equal((await ask('GET', path)).json.items[0].data.p, password);
  assert.equal((await ask('POST', path, { metadata: { name: 's' } })).status, 409);
  await ask('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'c' } });
  assert.equal((await atRest(inner, '/registry/core/configmaps/default/c'))[0], '{');
});

test('keys are rotated: the first writes, all read, and a replaced secret changes over although nothing in it is new', async (t) => {
  const inner = createMemoryStore();
  const clear = await serverOn(t, inner, identity);
  await clear.ask('POST', path, { metadata: { name: 's' }, data: { p: password } });
  assert.ok((await atRest(inner)).includes(password));
  for (const [providers, prefix] of [
    [[aesgcm('a'), identity], 'k8s:enc:aesgcm:v1:a:'],
    [[aesgcm('b', 'a')], 'k8s:enc:aesgcm:v1:b:'],
    [[aesgcm('c'), aesgcm('b')], 'k8s:enc:aesgcm:v1:c:'],
    [[provider('secretbox', 'd'), aesgcm('c')], 'k8s:enc:secretbox:v1:d:'],
    [[provider('aescbc', 'e'), provider('secretbox', 'd')], 'k8s:enc:aescbc:v1:e:'],
    [[identity, provider('aescbc', 'e')], '{'],
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

test('a rule names resources of groups, whole groups and everything; what is exchanged counts from then on', async () => {
  const transformers = await using(
    [['secrets', 'widgets.example.com'], [aesgcm('a')]],
    [['*.apps'], [aesgcm('b')]],
    [['*.'], [aesgcm('c')]],
    [['*.*'], [aesgcm('d')]],
  );
  const inner = createMemoryStore();
  const store = encryptedStore(inner, transformers);
  for (const [at, prefix] of [
    ['/registry/core/secrets/default/s', 'k8s:enc:aesgcm:v1:a:'],
    ['/registry/example.com/widgets/default/w', 'k8s:enc:aesgcm:v1:a:'],
    ['/registry/apps/deployments/default/d', 'k8s:enc:aesgcm:v1:b:'],
    ['/registry/core/configmaps/default/c', 'k8s:enc:aesgcm:v1:c:'],
    ['/registry/example.com/gadgets/g', 'k8s:enc:aesgcm:v1:d:'],
    ['/registry/ranges/serviceips/10.96.0.1', 'value'],
    ['elsewhere', 'value'],
  ] as const) {
    await store.put(at, Buffer.from('value'));
    assert.ok((await atRest(inner, at)).startsWith(prefix), at);
    assert.equal(Buffer.from((await store.get(at))?.value ?? '').toString(), 'value');
  }
  const { entries } = await store.list('/registry/');
  assert.deepEqual(new Set(entries.map(({ value }) => Buffer.from(value).toString())), new Set(['value']));
  transformers.use(await load([[['secrets'], [aesgcm('e', 'a')]]]));
  assert.ok(await store.isOutdated?.(key));
  await store.put(key, Buffer.from('value'));
  assert.ok((await atRest(inner)).startsWith('k8s:enc:aesgcm:v1:e:'));
  assert.ok(!(await store.isOutdated?.(key)));
  await assert.rejects(Promise.resolve(store.get('/registry/apps/deployments/default/d')), {
    name: 'UnreadableValueError',
    message: 'identity transformer tried to read encrypted data',
  });
  await store.close();
});

test('a rule that an earlier one leaves nothing to is refused', async () => {
  const masked = (resource: string, by: string) =>
    `error while building transformers: resource "${resource}" is masked by earlier rule "${by}"`;
  const a = [aesgcm('a')];
  await assert.rejects(load([[['*.*'], a], [['secrets'], a]]), { message: masked('secrets', '*.*') }); // biome-ignore format: pairs
  await assert.rejects(load([[['*.'], a], [['secrets'], a]]), { message: masked('secrets', '*.') }); // biome-ignore format: pairs
  await assert.rejects(load([[['*.apps'], a], [['deployments.apps'], a]]), { message: masked('deployments.apps', '*.apps') }); // biome-ignore format: pairs
});

test('a value that was moved, changed or written with a lost key is refused, never served', async () => {
  const inner = createMemoryStore();
  const storeWith = async (...providers: object[]) => encryptedStore(inner, await using([['secrets'], providers]));
  const store = await storeWith(aesgcm('a'));
  await store.put(key, Buffer.from('{}'));
  const sealed = Buffer.from((await inner.get(key))?.value ?? '');
  const refused = (of: Store, message: string, at = key) => assert.rejects(async () => of.get(at), { message });
  await inner.put(`${key}2`, sealed);
  await refused(store, 'cipher: message authentication failed', `${key}2`);
  await assert.rejects(store.list('/registry/core/secrets/'), {
    message: `unable to transform key "${key}2": cipher: message authentication failed`,
  });
  await refused(await storeWith(aesgcm('b')), 'no matching key was found for the provided AES transformer');
  await refused(
    await storeWith(aesgcm('b'), aesgcm('c'), provider('secretbox', 'd')),
    'no matching key was found for the provided AES transformer',
  );
  await refused(await storeWith(provider('secretbox', 'b')), 'no matching prefix found');
  await refused(await storeWith(identity), 'no matching prefix found');
  await refused(encryptedStore(inner, new ResourceTransformers()), 'identity transformer tried to read encrypted data');
  await store.close();
});

test('one secret that cannot be read fails lists and watches of secrets, and nothing else; once it has gone all is well', async (t) => {
  const inner = createMemoryStore();
  const { ask, clock: time, server } = await serverOn(t, inner, aesgcm('a'));
  for (const name of ['s', 'good']) await ask('POST', path, { metadata: { name }, data: { p: password } });
  const sealed = Buffer.from((await inner.get(key))?.value ?? '');
  const current = async () => server.resources.find('', 'v1', 'secrets')?.cache.isReadable;
  const until = async (isReadable: boolean) => {
    for (let i = 0; (await current()) !== isReadable; i++) {
      assert.ok(i < 1000, `the cache never became ${isReadable ? 'readable' : 'unreadable'}`);
      await time.step(100);
    }
  };
  await inner.put(key, Buffer.from(`k8s:enc:aesgcm:v1:b:${sealed.toString('latin1')}`, 'latin1'));
  await until(false);
  const lost = 'no matching key was found for the provided AES transformer';
  const list = await ask('GET', path);
  assert.equal(list.status, 500);
  assert.equal(list.json.reason, 'InternalError');
  assert.equal(list.json.message, `Internal error occurred: unable to transform key "${key}": ${lost}`);
  const watch = JSON.parse((await ask('GET', `${path}?watch=true`)).text);
  assert.equal(watch.type, 'ERROR');
  assert.equal(watch.object.code, 500);
  assert.equal((await ask('GET', `${path}/s`)).json.message, `Internal error occurred: ${lost}`);
  assert.equal((await ask('GET', `${path}/good`)).json.data.p, password);
  assert.equal(
    (await ask('PATCH', `${path}/good`, { data: { q: password } }, { 'content-type': 'application/merge-patch+json' })).status,
    200,
  );
  assert.equal((await ask('GET', '/api/v1/configmaps')).status, 200);
  assert.equal((await ask('GET', '/readyz/informer-sync')).status, 500);
  assert.equal((await ask('GET', '/livez')).status, 200);
  await inner.put(key, sealed);
  await until(true);
  const again = await ask('GET', path);
  assert.deepEqual(
    again.json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name),
    ['good', 's'],
  );
  assert.equal(again.json.items[0].data.q, password);
  assert.equal((await ask('GET', '/readyz/informer-sync')).status, 200);
});

test('transformations are counted by resource, direction, transformer and outcome', async () => {
  const registry = new MetricsRegistry();
  const metrics = new EncryptionMetrics(clock, 'a');
  metrics.join(registry);
  const inner = createMemoryStore();
  const store = encryptedStore(inner, new ResourceTransformers(await load([[['secrets'], [aesgcm('a'), identity]]], metrics)));
  await store.put(key, Buffer.from('{}'));
  await store.get(key);
  await inner.put(`${key}2`, Buffer.from('{}'));
  await store.get(`${key}2`);
  await inner.put(`${key}3`, Buffer.from('k8s:enc:aesgcm:v1:b:'));
  await assert.rejects(async () => store.get(`${key}3`));
  const text = await registry.render();
  const counted = (type: string, prefix: string, status = 'OK') =>
    text.includes(
      `apiserver_storage_transformation_operations_total{resource="secrets",status="${status}",transformation_type="${type}",transformer_prefix="${prefix}"} 1\n`,
    );
  assert.ok(counted('to_storage', 'k8s:enc:aesgcm:v1:'));
  assert.ok(counted('from_storage', 'k8s:enc:aesgcm:v1:'));
  assert.ok(counted('from_storage', 'identity'));
  assert.ok(counted('from_storage', 'k8s:enc:aesgcm:v1:', 'unknown-non-grpc'));
  assert.match(
    text,
    /apiserver_storage_transformation_duration_seconds_count\{transformation_type="to_storage",transformer_prefix="k8s:enc:aesgcm:v1:"\} 1/,
  );
  await store.close();
});
