import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { events, type Pod, pods, type ReplicationController, replicationControllers } from '../../api/core.ts';
import { controllerOf } from '../../api/owners.ts';
import { StatusError } from '../../api/status.ts';
import { timestamp } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createCacheSet } from '../../client/cache-set.ts';
import { FakeApi } from '../../client/fake-api.ts';
import { createClient } from '../../client/rest-client.ts';
import { replicationController } from './controller.ts';

function start(t: TestContext) {
  const api = new FakeApi();
  const clock = new VirtualClock();
  const client = createClient(api);
  const random = seededRandom(1);
  const caches = createCacheSet({ client, clock, random, log: silentLog });
  const end = new AbortController();
  void replicationController.run({ client, caches, clock, random, log: silentLog, signal: end.signal });
  t.after(async () => {
    end.abort();
    await caches.close();
  });
  const at = { namespace: 'a', name: 'web' };
  return {
    api,
    clock,
    client,
    pods: async () => (await client.list(pods)).items,
    status: async () => (await client.get(replicationControllers, at)).status,
    scale: async (replicas: number) => {
      await client.patch(replicationControllers, at, 'merge', { spec: { replicas } });
      await clock.step(1_000);
    },
    events: async () => (await client.list(events)).items.map((e) => `${e.type} ${e.reason}`).sort(),
  };
}

const web = (replicas: number): ReplicationController => ({
  metadata: { name: 'web', namespace: 'a' },
  spec: {
    replicas,
    minReadySeconds: 30,
    selector: { app: 'web' },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});

test('makes the pods that are missing, named after it and owned by it, and tells of it', async (t) => {
  const cluster = start(t);
  await cluster.client.create(replicationControllers, web(3));
  await cluster.clock.step(1_000);
  const made = await cluster.pods();
  assert.equal(made.length, 3);
  for (const pod of made) {
    assert.match(pod.metadata?.name ?? '', /^web-[a-z0-9]{5}$/);
    assert.equal(controllerOf(pod)?.name, 'web');
    assert.deepEqual(pod.spec, web(3).spec?.template?.spec);
  }
  assert.deepEqual(await cluster.events(), ['Normal SuccessfulCreate', 'Normal SuccessfulCreate', 'Normal SuccessfulCreate']);
  assert.equal((await cluster.status())?.replicas, 3);
  await cluster.scale(0);
  assert.equal((await cluster.pods()).length, 0);
  assert.equal((await cluster.status())?.replicas, 0);
});

test('takes in an orphan that matches instead of making a pod', async (t) => {
  const cluster = start(t);
  const orphan: Pod = { metadata: { name: 'orphan', namespace: 'a', labels: { app: 'web' } } };
  await cluster.client.create(pods, orphan);
  await cluster.client.create(pods, { metadata: { name: 'stranger', namespace: 'b', labels: { app: 'web' } } });
  await cluster.client.create(replicationControllers, web(1));
  await cluster.clock.step(1_000);
  const all = await cluster.pods();
  assert.deepEqual(
    all.map((p) => [p.metadata?.name, controllerOf(p)?.name]),
    [
      ['orphan', 'web'],
      ['stranger', undefined],
    ],
  );
});

test('counts a pod as available only after minReadySeconds, without being told again', async (t) => {
  const cluster = start(t);
  await cluster.client.create(replicationControllers, web(1));
  await cluster.clock.step(1_000);
  const [pod] = await cluster.pods();
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: timestamp(cluster.clock) }];
  await cluster.client.patch(pods, { namespace: 'a', name: pod?.metadata?.name ?? '' }, 'merge', {
    status: { phase: 'Running', conditions },
  });
  await cluster.clock.step(1_000);
  const early = await cluster.status();
  assert.deepEqual([early?.readyReplicas, early?.availableReplicas], [1, 0]);
  await cluster.clock.step(30_000);
  assert.equal((await cluster.status())?.availableReplicas, 1);
});

test('what keeps it from making pods stands in its status until it is over', async (t) => {
  const cluster = start(t);
  cluster.api.before = (request) => {
    if (request.method === 'POST' && request.path.includes('/pods'))
      throw new StatusError('Forbidden', 'pods "web-" is forbidden: exceeded quota');
  };
  await cluster.client.create(replicationControllers, web(20));
  await cluster.clock.step(0);
  const tries = cluster.api.requests.filter((r) => r.method === 'POST' && r.path.includes('/pods')).length;
  // One try, and one more because its own status came back.
  assert.ok(tries <= 2, `${tries} tries at once`);
  await cluster.clock.step(10_000);
  const condition = (await cluster.status())?.conditions?.[0];
  assert.deepEqual(
    [condition?.type, condition?.reason, condition?.message],
    ['ReplicaFailure', 'FailedCreate', 'pods "web-" is forbidden: exceeded quota'],
  );
  assert.ok((await cluster.events()).includes('Warning FailedCreate'));
  cluster.api.before = () => {};
  await cluster.clock.step(60_000);
  assert.equal((await cluster.pods()).length, 20);
  assert.deepEqual((await cluster.status())?.conditions ?? [], []);
});
