// Budgets and evictions on the real API server: the controller counts, the eviction handler takes.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Pod, pods } from '../../api/core.ts';
import { podDisruptionBudgets } from '../../api/policy.ts';
import { timestamp } from '../../base/clock.ts';
import { startWithControllers } from '../../testing/controller-fixture.ts';

async function start(t: TestContext) {
  const { client, clock, ask } = await startWithControllers(t, { only: ['disruption'] });
  return {
    clock,
    client,
    async addPods(names: readonly string[], labels = { app: 'a' }): Promise<void> {
      for (const name of names) {
        await client.create(pods, { metadata: { name, namespace: 'default', labels }, spec: { containers: [{ name: 'c', image: 'i' }] } });
        const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: timestamp(clock) }];
        const status: Pod['status'] = { phase: 'Running', conditions };
        await client.patch(pods, { namespace: 'default', name }, 'strategic', { status }, { subresource: 'status' });
      }
    },
    async settle(): Promise<void> {
      for (let step = 0; step < 20; step++) await clock.step(100);
    },
    budget: async () => (await client.get(podDisruptionBudgets, { namespace: 'default', name: 'b' })).status,
    evict: (name: string, parameters = '', body: object = {}) =>
      ask('POST', `/api/v1/namespaces/default/pods/${name}/eviction${parameters}`, {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name },
        ...body,
      }),
  };
}

const selector = { matchLabels: { app: 'a' } };

test('a budget lets as many pods go as it says, and tells the next caller why not', async (t) => {
  const { client, addPods, settle, budget, evict } = await start(t);
  await addPods(['a', 'b', 'c']);
  await client.create(podDisruptionBudgets, { metadata: { name: 'b', namespace: 'default' }, spec: { minAvailable: 2, selector } });
  await settle();
  assert.equal((await budget())?.disruptionsAllowed, 1);
  assert.equal((await budget())?.conditions?.[0]?.reason, 'SufficientPods');

  assert.equal((await evict('a', '?dryRun=All')).status, 201);
  assert.equal((await budget())?.disruptionsAllowed, 1, 'a dry run takes nothing');
  assert.equal((await evict('a')).status, 201);
  const gone = await client.get(pods, { namespace: 'default', name: 'a' }).catch(() => undefined);
  assert.equal(gone, undefined);
  const taken = await budget();
  assert.equal(taken?.disruptionsAllowed, 0);
  assert.deepEqual(Object.keys(taken?.disruptedPods ?? {}), ['a']);

  const refused = await evict('b');
  assert.equal(refused.status, 429);
  assert.equal(refused.json.reason, 'TooManyRequests');
  assert.equal(refused.json.message, "Cannot evict pod as it would violate the pod's disruption budget.");
  assert.deepEqual(refused.json.details.causes, [
    { reason: 'DisruptionBudget', message: 'The disruption budget b needs 2 healthy pods and has 3 currently' },
  ]);
  await settle();
  const settledBudget = await budget();
  assert.equal(settledBudget?.currentHealthy, 2);
  assert.equal(settledBudget?.disruptedPods, undefined, 'the controller has seen the pod go');
});

test('of evictions at the same time only as many pass as the budget allows', async (t) => {
  const { client, addPods, settle, evict } = await start(t);
  await addPods(['a', 'b', 'c', 'd', 'e', 'f']);
  await client.create(podDisruptionBudgets, { metadata: { name: 'b', namespace: 'default' }, spec: { minAvailable: 4, selector } });
  await settle();
  const answers = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => evict(name)));
  const passed = answers.filter(({ status }) => status === 201).length;
  assert.equal(passed, 2);
  assert.ok(answers.every(({ status }) => status === 201 || status === 429));
});

test('a budget that has not been counted yet refuses; a pending pod and one under no budget go freely', async (t) => {
  const { client, addPods, clock, evict } = await start(t);
  await addPods(['a']);
  await addPods(['free'], { app: 'other' });
  const spec = { containers: [{ name: 'c', image: 'i' }] };
  await client.create(pods, { metadata: { name: 'pending', namespace: 'default', labels: { app: 'a' } }, spec });
  await client.create(podDisruptionBudgets, { metadata: { name: 'b', namespace: 'default' }, spec: { maxUnavailable: 0, selector } });
  const early = await evict('a');
  assert.equal(early.status, 429);
  assert.match(early.json.details.causes[0].message, /still being processed|healthy pods/);
  assert.equal((await evict('pending')).status, 201);
  assert.equal((await evict('free')).status, 201);
  await clock.step(100);
});

test('two budgets over one pod are an error of their own', async (t) => {
  const { client, addPods, settle, evict } = await start(t);
  await addPods(['a']);
  for (const name of ['b', 'c']) {
    await client.create(podDisruptionBudgets, { metadata: { name, namespace: 'default' }, spec: { minAvailable: 0, selector } });
  }
  await settle();
  const refused = await evict('a');
  assert.equal(refused.status, 500);
  assert.match(refused.json.message, /more than one PodDisruptionBudget/);
});
