import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type ConfigMap, configMaps } from '../api/core.ts';
import { StatusError } from '../api/status.ts';
import { silentLog } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { settleEventLoop, VirtualClock } from '../base/virtual-clock.ts';
import { createCacheSet } from './cache-set.ts';
import { FakeApi } from './fake-api.ts';
import { createClient } from './rest-client.ts';

const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({ metadata: { name, namespace: 'a' }, data });

function start(t: TestContext, pageLimit = 500) {
  const api = new FakeApi();
  const clock = new VirtualClock();
  const client = createClient(api);
  const caches = createCacheSet({ client, clock, random: seededRandom(1), log: silentLog, pageLimit });
  t.after(() => caches.close());
  return { api, clock, client, caches };
}

test('a cache holds what was there before it and what comes after', async (t) => {
  const { client, caches } = start(t);
  await client.create(configMaps, configMap('one'));
  const cache = caches.of(configMaps);
  await cache.synced();
  assert.deepEqual(
    [...cache.list('a')].map((c) => c.metadata?.name),
    ['one'],
  );
  const two = await client.create(configMaps, configMap('two'));
  await settleEventLoop();
  assert.deepEqual(cache.get('a/two'), two);
  assert.equal(cache.resourceVersion, two.metadata?.resourceVersion);
  await client.delete(configMaps, { namespace: 'a', name: 'one' });
  await settleEventLoop();
  assert.deepEqual(
    cache.list().map((c) => c.metadata?.name),
    ['two'],
  );
});

test('the same kind and scope share one reflector', async (t) => {
  const { api, caches } = start(t);
  assert.equal(caches.of(configMaps), caches.of(configMaps, {}));
  assert.notEqual(caches.of(configMaps), caches.of(configMaps, { namespace: 'a' }));
  await settleEventLoop();
  assert.equal(api.requests.filter((r) => r.path.includes('watch=true')).length, 2);
});

test('objects in a cache are frozen all the way down', async (t) => {
  const { client, caches } = start(t);
  await client.create(configMaps, configMap('one', { key: 'value' }));
  const cache = caches.of(configMaps);
  await cache.synced();
  const data = cache.get('a/one')?.data;
  assert.ok(data);
  assert.throws(() => {
    data.key = 'other';
  }, TypeError);
});

test('a list of several pages shows nothing before its last page', async (t) => {
  const { api, client, caches } = start(t, 2);
  for (const name of ['one', 'two', 'three', 'four', 'five']) await client.create(configMaps, configMap(name));
  const cache = caches.of(configMaps);
  const seen: number[] = [];
  api.after = () => seen.push(cache.list().length);
  await cache.synced();
  assert.deepEqual(seen, [0, 0, 0]);
  assert.equal(cache.list().length, 5);
});

test('a watch that breaks goes on from the last event, without listing again', async (t) => {
  const { api, clock, client, caches } = start(t);
  const cache = caches.of(configMaps);
  await cache.synced();
  await client.create(configMaps, configMap('one'));
  await settleEventLoop();
  const lists = () => api.requests.filter((r) => r.method === 'GET' && !r.path.includes('watch=true')).length;
  assert.equal(lists(), 1);
  // Longer than the longest watch and its grace: the reflector gives the silent watch up.
  api.isHeld = true;
  await client.create(configMaps, configMap('two'));
  await clock.step(700_000);
  assert.equal(cache.list().length, 1);
  api.release();
  await clock.step(1_000);
  assert.equal(cache.list().length, 2);
  assert.equal(lists(), 1);
});

test('an expired watch is answered by one atomic relist, and what vanished meanwhile is told as gone', async (t) => {
  const { api, clock, client, caches } = start(t);
  for (const name of ['one', 'two']) await client.create(configMaps, configMap(name));
  const cache = caches.of(configMaps);
  await cache.synced();
  api.isHeld = true;
  await client.delete(configMaps, { namespace: 'a', name: 'one' });
  await client.create(configMaps, configMap('three'));
  const told: string[] = [];
  cache.changes.subscribe(({ key, before, after }) =>
    told.push(`${key} ${before ? 'was' : 'new'} ${after ? 'is' : 'gone'} ${cache.list().length}`),
  );
  api.compact();
  await clock.step(1_000);
  assert.deepEqual(told, ['a/one was gone 2', 'a/three new is 2']);
});

test('a list that fails is tried again, later each time', async (t) => {
  const { api, clock, caches } = start(t);
  api.before = () => {
    throw new StatusError('ServiceUnavailable', 'not yet');
  };
  const cache = caches.of(configMaps);
  await clock.step(10_000);
  const early = api.requests.length;
  await clock.step(110_000);
  assert.ok(early >= 4 && early <= 8, `${early} tries in the first ten seconds`);
  assert.ok(api.requests.length - early <= 8, `${api.requests.length - early} tries in the next two minutes`);
  assert.equal(cache.isSynced, false);
  api.before = () => {};
  await clock.step(60_000);
  assert.equal(cache.isSynced, true);
});

test('an answer of another kind is refused and never reaches the cache', async (t) => {
  const { api, clock, client, caches } = start(t);
  await client.create(configMaps, { ...configMap('one'), kind: 'Secret', apiVersion: 'v1' } as ConfigMap).catch(() => {});
  assert.equal(api.objects.size, 1);
  const cache = caches.of(configMaps);
  await clock.step(1_000);
  assert.equal(cache.isSynced, false);
});

test('an index follows every change', async (t) => {
  const { client, caches } = start(t);
  const cache = caches.of(configMaps);
  await client.create(configMaps, configMap('one', { color: 'red' }));
  await cache.synced();
  cache.addIndex('color', (c) => (c.data?.color ? [c.data.color] : []));
  const names = (color: string) => cache.byIndex('color', color).map((c) => c.metadata?.name);
  assert.deepEqual(names('red'), ['one']);
  await client.patch(configMaps, { namespace: 'a', name: 'one' }, 'merge', { data: { color: 'blue' } });
  await settleEventLoop();
  assert.deepEqual([names('red'), names('blue')], [[], ['one']]);
});
