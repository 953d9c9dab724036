import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { configMaps, namespaces, pods, secrets, serviceAccounts } from '../../api/core.ts';
import { endpointSlices } from '../../api/discovery.ts';
import { StatusError } from '../../api/status.ts';
import { silentLog } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createCacheSet } from '../../client/cache-set.ts';
import { FakeApi } from '../../client/fake-api.ts';
import { createClient } from '../../client/rest-client.ts';
import { startControllers } from '../all.ts';

function start(t: TestContext) {
  const api = new FakeApi();
  api.kinds = [namespaces, pods, configMaps, secrets, serviceAccounts, endpointSlices];
  const clock = new VirtualClock();
  const client = createClient(api);
  const random = seededRandom(1);
  const caches = createCacheSet({ client, clock, random, log: silentLog });
  const end = new AbortController();
  const only = ['namespace', 'serviceaccount', 'root-ca-certificate-publisher'];
  void startControllers({ client, caches, clock, random, log: silentLog, signal: end.signal, only, rootCa: 'PEM' });
  t.after(async () => {
    end.abort();
    await caches.close();
  });
  const conditions = async () => {
    const { status } = await client.get(namespaces, { name: 'a' });
    return (status?.conditions ?? []).filter((c) => c.status === 'True').map((c) => `${c.reason}: ${c.message}`);
  };
  return {
    api,
    clock,
    client,
    conditions,
    createNamespace: () => client.create(namespaces, { metadata: { name: 'a' }, spec: { finalizers: ['kubernetes'] } }),
  };
}

test('a new namespace gets its default service account and the root certificate, and gets them back', async (t) => {
  const { clock, client, createNamespace } = start(t);
  await createNamespace();
  await clock.step(0);
  assert.equal((await client.get(configMaps, { namespace: 'a', name: 'kube-root-ca.crt' })).data?.['ca.crt'], 'PEM');
  await client.delete(serviceAccounts, { namespace: 'a', name: 'default' });
  await client.patch(configMaps, { namespace: 'a', name: 'kube-root-ca.crt' }, 'merge', { data: { 'ca.crt': 'forged' } });
  await clock.step(0);
  assert.ok(await client.get(serviceAccounts, { namespace: 'a', name: 'default' }));
  assert.equal((await client.get(configMaps, { namespace: 'a', name: 'kube-root-ca.crt' })).data?.['ca.crt'], 'PEM');
});

test('a namespace that is deleted is emptied, pods first, and then gone; others are left alone', async (t) => {
  const { api, clock, client, createNamespace, conditions } = start(t);
  await createNamespace();
  await client.create(pods, { metadata: { name: 'p', namespace: 'a', finalizers: ['example.com/hold'] } });
  await client.create(secrets, { metadata: { name: 's', namespace: 'a' } });
  await client.create(secrets, { metadata: { name: 's', namespace: 'b' } });
  await client.create(endpointSlices, { metadata: { name: 'e', namespace: 'a' }, addressType: 'IPv4', endpoints: [] });
  await clock.step(0);
  await client.delete(namespaces, { name: 'a' });
  await clock.step(1_000);
  assert.ok(api.objects.has('secrets/a/s'), 'what pods need outlives them');
  assert.deepEqual(await conditions(), [
    'SomeResourcesRemain: Some resources are remaining: pods. has 1 resource instances',
    'SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
  ]);
  await client.patch(pods, { namespace: 'a', name: 'p' }, 'merge', { metadata: { finalizers: null } });
  await clock.step(0);
  assert.deepEqual([...api.objects.keys()], ['secrets/b/s']);
});

test('what keeps a namespace from being emptied stands in its conditions, and it goes on when that is over', async (t) => {
  const { api, clock, client, createNamespace, conditions } = start(t);
  await createNamespace();
  await clock.step(0);
  api.before = (request) => {
    if (request.method === 'DELETE' && request.path.includes('/secrets')) throw new StatusError('Forbidden', 'webhook says no');
  };
  await client.delete(namespaces, { name: 'a' });
  await clock.step(1_000);
  assert.deepEqual(await conditions(), ['ContentDeletionFailed: Failed to delete all resource types, 1 remaining: webhook says no']);
  api.before = () => {};
  await clock.step(60_000);
  assert.equal(api.objects.has('namespaces//a'), false);
});
