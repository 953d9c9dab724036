import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { conditionOf } from '../../api/conditions.ts';
import { events, leases, type Node, nodes, type Pod, pods } from '../../api/core.ts';
import { microTimestamp, timestamp } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createCacheSet } from '../../client/cache-set.ts';
import { FakeApi } from '../../client/fake-api.ts';
import { createClient } from '../../client/rest-client.ts';
import { startControllers } from '../all.ts';
import { evictionRates } from './plan.ts';

function start(t: TestContext) {
  const api = new FakeApi();
  api.kinds = [nodes, pods, leases];
  const clock = new VirtualClock();
  const client = createClient(api);
  const random = seededRandom(1);
  const caches = createCacheSet({ client, clock, random, log: silentLog });
  const end = new AbortController();
  const only = ['nodelifecycle', 'taint-eviction-controller', 'podgc'];
  void startControllers({ client, caches, clock, random, log: silentLog, signal: end.signal, only });
  t.after(async () => {
    end.abort();
    await caches.close();
  });
  const alive = new Set<string>();
  const readyNow = () => ({ type: 'Ready', status: 'True', lastHeartbeatTime: timestamp(clock), lastTransitionTime: timestamp(clock) });
  return {
    clock,
    client,
    alive,
    async addNode(name: string): Promise<void> {
      alive.add(name);
      await client.create(nodes, { metadata: { name }, status: { conditions: [readyNow()] } });
      await client.create(leases, {
        metadata: { name, namespace: 'kube-node-lease' },
        spec: { holderIdentity: name, renewTime: microTimestamp(clock) },
      });
    },
    async addPod(name: string, nodeName: string, tolerations: NonNullable<Pod['spec']>['tolerations'] = []): Promise<void> {
      await client.create(pods, {
        metadata: { name, namespace: 'a' },
        spec: { nodeName, containers: [], tolerations },
        status: { phase: 'Running', conditions: [readyNow()] },
      });
    },
    /** Lets time pass, in which the nodes that are alive renew their leases. */
    async pass(seconds: number): Promise<void> {
      for (let left = seconds; left > 0; left -= 10) {
        for (const name of alive) {
          await client.patch(leases, { namespace: 'kube-node-lease', name }, 'merge', { spec: { renewTime: microTimestamp(clock) } });
        }
        await clock.step(Math.min(left, 10) * 1000);
      }
    },
    ready: async (name: string) => conditionOf((await client.get(nodes, { name })).status?.conditions, 'Ready')?.status,
    taints: async (name: string) =>
      ((await client.get(nodes, { name })).spec?.taints ?? []).map((taint) => `${taint.key}:${taint.effect}`).sort(),
    pods: async () => (await client.list(pods)).items,
    reasons: async () => [...new Set((await client.list(events)).items.map((e) => e.reason))].sort(),
  };
}

const tolerate = (seconds: number) =>
  ['not-ready', 'unreachable'].map((key) => ({
    key: `node.kubernetes.io/${key}`,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: seconds,
  }));

test('a node that renews its lease stays ready, however old its status', async (t) => {
  const cluster = start(t);
  await cluster.addNode('n1');
  await cluster.pass(600);
  assert.equal(await cluster.ready('n1'), 'True');
  assert.deepEqual(await cluster.taints('n1'), []);
});

test('a silent node turns Unknown after 40 s, its pods count as not ready and go when they no longer tolerate it', async (t) => {
  const cluster = start(t);
  for (const name of ['n1', 'n2']) await cluster.addNode(name);
  await cluster.addPod('patient', 'n1', tolerate(300));
  await cluster.addPod('hasty', 'n1', []);
  await cluster.addPod('elsewhere', 'n2', []);
  await cluster.pass(30);
  cluster.alive.delete('n1');
  await cluster.pass(20);
  assert.equal(await cluster.ready('n1'), 'True');
  await cluster.pass(20);
  assert.equal(await cluster.ready('n1'), 'Unknown');
  assert.deepEqual(await cluster.taints('n1'), ['node.kubernetes.io/unreachable:NoExecute', 'node.kubernetes.io/unreachable:NoSchedule']);
  const left = await cluster.pods();
  assert.deepEqual(
    left.map((pod) => [pod.metadata?.name, conditionOf(pod.status?.conditions, 'Ready')?.status]),
    [
      ['elsewhere', 'True'],
      ['patient', 'False'],
    ],
  );
  await cluster.pass(310);
  assert.deepEqual(
    (await cluster.pods()).map((pod) => pod.metadata?.name),
    ['elsewhere'],
  );
  assert.deepEqual(await cluster.reasons(), ['NodeNotReady', 'RegisteredNode', 'TaintManagerEviction']);
});

test('a node that comes back in time loses its taints and keeps its pods', async (t) => {
  const cluster = start(t);
  for (const name of ['n1', 'n2']) await cluster.addNode(name);
  await cluster.addPod('patient', 'n1', tolerate(300));
  cluster.alive.delete('n1');
  await cluster.pass(100);
  assert.equal(await cluster.ready('n1'), 'Unknown');
  cluster.alive.add('n1');
  const now = timestamp(cluster.clock);
  await cluster.client.patch(nodes, { name: 'n1' }, 'merge', {
    status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: now, lastTransitionTime: now }] },
  });
  await cluster.pass(400);
  assert.deepEqual(await cluster.taints('n1'), []);
  assert.equal((await cluster.pods()).length, 1);
});

test('when all nodes fall silent at once, nothing is evicted: the fault is not theirs', async (t) => {
  const cluster = start(t);
  for (const name of ['n1', 'n2']) await cluster.addNode(name);
  await cluster.addPod('hasty', 'n1', []);
  cluster.alive.clear();
  await cluster.pass(20);
  await cluster.clock.step(3_600_000);
  assert.equal(await cluster.ready('n1'), 'Unknown');
  assert.equal((await cluster.pods()).filter((pod) => pod.metadata?.deletionTimestamp).length, 0);
  assert.deepEqual(await cluster.taints('n1'), ['node.kubernetes.io/unreachable:NoSchedule']);
});

test('an unschedulable node and one short of memory are tainted while they are', async (t) => {
  const cluster = start(t);
  await cluster.addNode('n1');
  const { status } = await cluster.client.get(nodes, { name: 'n1' });
  const pressure = [...(status?.conditions ?? []), { type: 'MemoryPressure', status: 'True' }];
  await cluster.client.patch(nodes, { name: 'n1' }, 'merge', { spec: { unschedulable: true }, status: { conditions: pressure } });
  await cluster.pass(1);
  assert.deepEqual(await cluster.taints('n1'), [
    'node.kubernetes.io/memory-pressure:NoSchedule',
    'node.kubernetes.io/unschedulable:NoSchedule',
  ]);
  await cluster.client.patch(nodes, { name: 'n1' }, 'merge', { spec: { unschedulable: null } });
  await cluster.pass(1);
  assert.deepEqual(await cluster.taints('n1'), ['node.kubernetes.io/memory-pressure:NoSchedule']);
});

test('pods of a node that is gone are deleted after a quarantine, those of one that comes back are not', async (t) => {
  const cluster = start(t);
  for (const name of ['n1', 'n2']) await cluster.addNode(name);
  await cluster.addPod('lost', 'n1');
  await cluster.addPod('saved', 'n2');
  await cluster.pass(1);
  for (const name of ['n1', 'n2']) await cluster.client.delete(nodes, { name });
  await cluster.clock.step(20_000);
  assert.equal((await cluster.pods()).length, 2);
  await cluster.client.create(nodes, { metadata: { name: 'n2' }, status: { conditions: [] } });
  await cluster.clock.step(100_000);
  assert.deepEqual(
    (await cluster.pods()).map((pod) => pod.metadata?.name),
    ['saved'],
  );
});

test('a pod that is deleted before it has a node goes at once', async (t) => {
  const cluster = start(t);
  const metadata = { name: 'p', namespace: 'a', deletionTimestamp: '2026-01-01T00:00:30Z' };
  await cluster.client.create(pods, { metadata, spec: { containers: [] }, status: { phase: 'Pending' } });
  await cluster.clock.step(1_000);
  assert.deepEqual(await cluster.pods(), []);
});

test('in a zone where most nodes fail, few are emptied, in a small one none', () => {
  const zone = (ready: number, failed: number): Node[] =>
    Array.from({ length: ready + failed }, (_, i) => ({
      metadata: { name: `n${i}` },
      status: { conditions: [{ type: 'Ready', status: i < ready ? 'True' : 'Unknown' }] },
    }));
  const rate = (nodesOfZone: Node[]) => evictionRates(nodesOfZone).perSecond.get('/');
  assert.deepEqual([rate(zone(9, 1)), rate(zone(4, 6)), rate(zone(40, 60)), rate(zone(1, 2))], [0.1, 0, 0.01, 0.1]);
  assert.equal(evictionRates(zone(0, 3)).isCalledOff, true);
});
