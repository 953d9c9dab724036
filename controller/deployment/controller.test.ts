import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Deployment, deployments, replicaSets } from '../../api/apps.ts';
import { type Pod, pods } from '../../api/core.ts';
import { isPodReady } from '../../api/pods.ts';
import { sleep, timestamp } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createCacheSet } from '../../client/cache-set.ts';
import { controller, settled } from '../../client/controller.ts';
import { FakeApi } from '../../client/fake-api.ts';
import { createClient } from '../../client/rest-client.ts';
import { replicaSetController } from '../replicaset/controller.ts';
import { deploymentController } from './controller.ts';

const imageOf = (pod: Pod) => pod.spec?.containers[0]?.image ?? '';

function start(t: TestContext) {
  const api = new FakeApi();
  const clock = new VirtualClock();
  const client = createClient(api);
  const random = seededRandom(1);
  const caches = createCacheSet({ client, clock, random, log: silentLog });
  const end = new AbortController();
  /** Makes pods ready after three seconds, except those of an image named `bad`. */
  const kubelet = controller({
    name: 'kubelet',
    of: pods,
    async reconcile(pod, context) {
      if (isPodReady(pod) || imageOf(pod) === 'bad') return settled;
      await sleep(clock, 3_000, end.signal);
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: timestamp(clock) }];
      const { namespace, name = '' } = pod.metadata ?? {};
      await context.api.patch(pods, { namespace, name }, 'merge', { status: { phase: 'Running', conditions } });
      return settled;
    },
  });
  for (const each of [deploymentController, replicaSetController, kubelet])
    void each.run({ client, caches, clock, random, log: silentLog, signal: end.signal });
  t.after(async () => {
    end.abort();
    await caches.close();
  });
  const at = { namespace: 'a', name: 'web' };
  return {
    clock,
    client,
    images: async () => (await client.list(pods)).items.map((pod) => `${imageOf(pod)}${isPodReady(pod) ? '' : ' unready'}`).sort(),
    get: () => client.get(deployments, at),
    condition: async (type: string) => {
      const { status } = await client.get(deployments, at);
      const found = status?.conditions?.find((c) => c.type === type);
      return found && `${found.status} ${found.reason}`;
    },
    patch: (patch: unknown) => client.patch(deployments, at, 'merge', patch),
    setImage: (image: string) =>
      client.patch(deployments, at, 'merge', { spec: { template: { spec: { containers: [{ name: 'c', image }] } } } }),
  };
}

const web = (strategy: NonNullable<Deployment['spec']>['strategy'] = { type: 'RollingUpdate' }): Deployment => ({
  metadata: { name: 'web', namespace: 'a' },
  spec: {
    replicas: 3,
    strategy,
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 1,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'one' }] } },
  },
});

test('a deployment comes up, is rolled out to another image without a gap, and tells of both', async (t) => {
  const cluster = start(t);
  await cluster.client.create(deployments, web());
  await cluster.clock.step(500);
  assert.deepEqual(await cluster.images(), ['one unready', 'one unready', 'one unready']);
  assert.equal(await cluster.condition('Available'), 'False MinimumReplicasUnavailable');
  await cluster.clock.step(10_000);
  assert.deepEqual(await cluster.images(), ['one', 'one', 'one']);
  assert.equal(await cluster.condition('Available'), 'True MinimumReplicasAvailable');
  assert.equal(await cluster.condition('Progressing'), 'True NewReplicaSetAvailable');

  await cluster.setImage('two');
  for (let second = 0; second < 30; second++) {
    await cluster.clock.step(1_000);
    const ready = (await cluster.images()).filter((image) => !image.includes('unready'));
    assert.ok(ready.length >= 3, `${ready.length} ready`);
  }
  assert.deepEqual(await cluster.images(), ['two', 'two', 'two']);
  const { status, metadata } = await cluster.get();
  assert.deepEqual([status?.replicas, status?.updatedReplicas, status?.availableReplicas, status?.unavailableReplicas], [3, 3, 3, 0]);
  assert.equal(metadata?.annotations?.['deployment.kubernetes.io/revision'], '2');
});

test('a rollout that gets nowhere keeps the old pods and says so after its deadline; undone, it is whole again', async (t) => {
  const cluster = start(t);
  await cluster.client.create(deployments, web());
  await cluster.clock.step(10_000);
  await cluster.setImage('bad');
  await cluster.clock.step(60_000);
  assert.deepEqual(await cluster.images(), ['bad unready', 'one', 'one', 'one']);
  assert.equal(await cluster.condition('Progressing'), 'True ReplicaSetUpdated');
  await cluster.clock.step(600_000);
  assert.equal(await cluster.condition('Progressing'), 'False ProgressDeadlineExceeded');
  await cluster.setImage('one');
  await cluster.clock.step(10_000);
  assert.deepEqual(await cluster.images(), ['one', 'one', 'one']);
  assert.equal(await cluster.condition('Progressing'), 'True NewReplicaSetAvailable');
  assert.equal((await cluster.get()).metadata?.annotations?.['deployment.kubernetes.io/revision'], '3');
});

test('recreated, no old and new pod are there together', async (t) => {
  const cluster = start(t);
  await cluster.client.create(deployments, web({ type: 'Recreate' }));
  await cluster.clock.step(10_000);
  await cluster.setImage('two');
  for (let i = 0; i < 20; i++) {
    await cluster.clock.step(500);
    const kinds = new Set((await cluster.images()).map((image) => image.split(' ')[0]));
    assert.ok(kinds.size <= 1, [...kinds].join());
  }
  assert.deepEqual(await cluster.images(), ['two', 'two', 'two']);
});

test('scaling goes through, paused or not, and old replica sets are kept up to the limit', async (t) => {
  const cluster = start(t);
  await cluster.client.create(deployments, web());
  await cluster.clock.step(10_000);
  await cluster.patch({ spec: { paused: true, replicas: 5 } });
  await cluster.setImage('two');
  await cluster.clock.step(10_000);
  assert.deepEqual(await cluster.images(), ['one', 'one', 'one', 'one', 'one']);
  assert.equal(await cluster.condition('Progressing'), 'Unknown DeploymentPaused');
  await cluster.patch({ spec: { paused: null, replicas: 1 } });
  await cluster.clock.step(30_000);
  assert.deepEqual(await cluster.images(), ['two']);
  for (const image of ['three', 'four']) {
    await cluster.setImage(image);
    await cluster.clock.step(30_000);
  }
  assert.deepEqual(await cluster.images(), ['four']);
  assert.equal((await cluster.client.list(replicaSets)).items.length, 2);
});
