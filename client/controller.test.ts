import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type ConfigMap,
  configMaps,
  pods,
  type ReplicationController,
  replicationControllers,
  type Service,
  services,
} from '../api/core.ts';
import { controllerReference } from '../api/owners.ts';
import { silentLog } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { settleEventLoop, VirtualClock } from '../base/virtual-clock.ts';
import { createCacheSet } from './cache-set.ts';
import { type Controller, controller, settled, watching } from './controller.ts';
import { FakeApi } from './fake-api.ts';
import { createClient } from './rest-client.ts';

function start(t: TestContext, subject: Controller, seed = 1) {
  const api = new FakeApi(seededRandom(seed));
  const clock = new VirtualClock();
  const client = createClient(api);
  const random = seededRandom(seed);
  const caches = createCacheSet({ client, clock, random, log: silentLog });
  const end = new AbortController();
  const run = () => subject.run({ client, caches, clock, random, log: silentLog, signal: end.signal });
  t.after(async () => {
    end.abort();
    await caches.close();
  });
  return { api, clock, client, caches, end, run };
}

const rc = (name: string, replicas: number): ReplicationController => ({ metadata: { name, namespace: 'a' }, spec: { replicas } });

/** The least that can over-create: makes up the difference that it sees, all at once. */
const counting = controller({
  name: 'counting',
  of: replicationControllers,
  owns: [pods],
  async reconcile(object, { cache, api }) {
    const owned = cache.ownedBy(object, pods);
    const wanted = object.spec?.replicas ?? 0;
    const namespace = object.metadata?.namespace ?? '';
    const ownerReferences = [controllerReference(replicationControllers, object)];
    const writes: Promise<unknown>[] = [];
    for (let i = owned.length; i < wanted; i++) {
      writes.push(api.create(pods, { metadata: { generateName: 'p-', namespace, ownerReferences } }));
    }
    // Whichever come first in the cache: two looks at different states choose different victims.
    for (const pod of owned.slice(0, Math.max(0, owned.length - wanted))) {
      const { name = '', uid = '' } = pod.metadata ?? {};
      writes.push(api.delete(pods, { namespace, name }, { preconditions: { uid } }));
    }
    const results = await Promise.allSettled(writes);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    return settled;
  },
});

test('what an object owns brings it to reconcile again', async (t) => {
  const { client, clock, run } = start(t, counting);
  void run();
  await client.create(replicationControllers, rc('one', 2));
  await clock.step(0);
  const made = (await client.list(pods)).items;
  assert.equal(made.length, 2);
  await client.delete(pods, { namespace: 'a', name: made[0]?.metadata?.name ?? '' });
  await clock.step(0);
  assert.equal((await client.list(pods)).items.length, 2);
});

for (let seed = 1; seed <= 20; seed++) {
  test(`never over-creates and never over-deletes on a stale cache with lost answers, seed ${seed}`, async (t) => {
    const { api, client, clock, run } = start(t, counting, seed);
    const random = seededRandom(seed * 7919);
    void run();
    await client.create(replicationControllers, rc('one', 7));
    api.isHeld = true;
    let creates = 0;
    let deletes = 0;
    api.after = (request) => {
      if (!request.path.includes('/pods')) return;
      if (request.method === 'POST') creates++;
      if (request.method === 'DELETE') deletes++;
      if (request.method !== 'GET' && random.float() < 0.3) throw new Error('the connection was reset');
    };
    const stumble = async () => {
      for (let turn = 0; turn < 60; turn++) {
        api.deliver(Math.floor(random.float() * 3));
        await clock.step(Math.floor(random.float() * 400));
      }
      api.deliver(100);
      await clock.step(2_000_000);
    };
    await stumble();
    assert.deepEqual({ creates, deletes }, { creates: 7, deletes: 0 });
    await client.patch(replicationControllers, { namespace: 'a', name: 'one' }, 'merge', { spec: { replicas: 3 } });
    await stumble();
    assert.deepEqual(
      { creates, deletes, left: [...api.objects.keys()].filter((id) => id.startsWith('pods/')).length },
      { creates: 7, deletes: 4, left: 3 },
    );
  });
}

test('waits for its own writes however long they take to come back, and then goes on at once', async (t) => {
  const { api, client, clock, caches, run } = start(t, counting);
  void run();
  await caches.of(pods).synced();
  await client.create(replicationControllers, rc('one', 3));
  api.isHeld = true;
  api.deliver(1);
  await clock.step(0);
  assert.equal((await client.list(pods)).items.length, 3);
  // A second wish arrives while the first one's pods are still unseen.
  await client.patch(replicationControllers, { namespace: 'a', name: 'one' }, 'merge', { spec: { replicas: 4 } });
  const pathsBefore = api.requests.length;
  for (let hour = 0; hour < 3; hour++) await clock.step(3_600_000);
  assert.equal(api.requests.slice(pathsBefore).filter((r) => r.method === 'POST').length, 0);
  api.release();
  await settleEventLoop();
  assert.equal((await client.list(pods)).items.length, 4);
});

test('a reconcile that fails is tried again, later each time, and succeeds without a new event', async (t) => {
  const times: number[] = [];
  const { client, clock, run } = start(
    t,
    controller({
      name: 'failing',
      of: configMaps,
      async reconcile(_object, context) {
        times.push(context.clock.monotonicMs());
        if (times.length < 5) throw new Error('not yet');
        return settled;
      },
    }),
  );
  void run();
  await client.create(configMaps, { metadata: { name: 'x', namespace: 'a' } });
  await clock.step(60_000);
  assert.deepEqual(times, [0, 5, 15, 35, 75]);
});

test('afterSeconds brings the object back on the clock', async (t) => {
  const times: number[] = [];
  const { client, clock, run } = start(
    t,
    controller({
      name: 'periodic',
      of: configMaps,
      async reconcile(_object, context) {
        times.push(context.clock.monotonicMs() / 1000);
        return { afterSeconds: 30 };
      },
    }),
  );
  void run();
  await client.create(configMaps, { metadata: { name: 'x', namespace: 'a' } });
  await clock.step(95_000);
  assert.deepEqual(times, [0, 30, 60, 90]);
});

test('one object is reconciled by one at a time, others beside it up to the concurrency', async (t) => {
  const running: string[] = [];
  let most = 0;
  const gates: (() => void)[] = [];
  const { client, clock, run } = start(
    t,
    controller({
      name: 'slow',
      of: configMaps,
      concurrency: 2,
      async reconcile(object) {
        const name = object.metadata?.name ?? '';
        assert.ok(!running.includes(name), `${name} twice at once`);
        running.push(name);
        most = Math.max(most, running.length);
        await new Promise<void>((resolve) => gates.push(resolve));
        running.splice(running.indexOf(name), 1);
        return settled;
      },
    }),
  );
  void run();
  for (const name of ['x', 'y', 'z']) await client.create(configMaps, { metadata: { name, namespace: 'a' } });
  await clock.step(0);
  await client.patch(configMaps, { namespace: 'a', name: 'x' }, 'merge', { data: { a: 'b' } });
  await clock.step(0);
  assert.equal(most, 2);
  let reconciled = 0;
  for (let turn = 0; turn < 10; turn++) {
    reconciled += gates.length;
    for (const gate of gates.splice(0)) gate();
    await settleEventLoop();
  }
  assert.equal(reconciled, 4);
});

test('a watched kind brings back the objects its map names, from before and after the change', async (t) => {
  const seen: string[] = [];
  const { client, clock, run } = start(
    t,
    controller<Service>({
      name: 'mapping',
      of: services,
      watches: [watching<ConfigMap>(configMaps, (configMap) => [`a/${configMap.data?.service}`])],
      async reconcile(object) {
        seen.push(object.metadata?.name ?? '');
        return settled;
      },
      async absent(key) {
        seen.push(`absent ${key}`);
        return settled;
      },
    }),
  );
  void run();
  await clock.step(0);
  for (const name of ['one', 'two']) await client.create(services, { metadata: { name, namespace: 'a' } });
  await client.create(configMaps, { metadata: { name: 'x', namespace: 'a' }, data: { service: 'one' } });
  await clock.step(0);
  seen.length = 0;
  await client.patch(configMaps, { namespace: 'a', name: 'x' }, 'merge', { data: { service: 'two' } });
  await clock.step(0);
  assert.deepEqual(seen, ['one', 'two']);
  await client.delete(services, { namespace: 'a', name: 'one' });
  await clock.step(0);
  assert.deepEqual(seen.slice(2), ['absent a/one']);
});

test('ends after the last reconcile when its signal aborts', async (t) => {
  const gate = Promise.withResolvers<void>();
  let hasEnded = false;
  const { client, clock, end, run } = start(
    t,
    controller({
      name: 'ending',
      of: configMaps,
      async reconcile() {
        await gate.promise;
        return settled;
      },
    }),
  );
  const running = run().then(() => {
    hasEnded = true;
  });
  await client.create(configMaps, { metadata: { name: 'x', namespace: 'a' } });
  await clock.step(0);
  end.abort();
  await settleEventLoop();
  assert.equal(hasEnded, false);
  gate.resolve();
  await running;
});
