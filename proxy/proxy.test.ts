import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { nodes, pods, type Service, services } from '../api/core.ts';
import { type EndpointSlice, endpointSlices } from '../api/discovery.ts';
import { silentLog } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { settleEventLoop, VirtualClock } from '../base/virtual-clock.ts';
import { createCacheSet } from '../client/cache-set.ts';
import { FakeApi } from '../client/fake-api.ts';
import { createClient } from '../client/rest-client.ts';
import type { Applier } from './applier.ts';
import type { Plan } from './plan.ts';
import { startProxy } from './proxy.ts';

/** Keeps what it was told; fails on demand. */
class RecordingApplier implements Applier {
  readonly name = 'nftables';
  readonly applied: Plan[] = [];
  reconciliations = 0;
  failures = 0;
  closed: { remove: boolean } | undefined;

  async apply(plan: Plan): Promise<void> {
    if (this.failures-- > 0) throw new Error('the kernel is away');
    this.applied.push(plan);
  }
  async reconcile(): Promise<number> {
    return ++this.reconciliations;
  }
  async close(options: { remove: boolean }): Promise<void> {
    this.closed = options;
  }
  get latest(): string[] {
    return [...(this.applied.at(-1) ?? new Map())].map(
      ([key, f]) => `${key}: ${f.endpoints.map((e: { address: string }) => e.address).join(' ')}`,
    );
  }
}

const web: Service = {
  metadata: { namespace: 'default', name: 'web' },
  spec: { type: 'ClusterIP', clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], ports: [{ port: 80, protocol: 'TCP' }] },
};

function slice(addresses: string[], zones: string[] = []): EndpointSlice {
  return {
    metadata: { namespace: 'default', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: addresses.map((address, i) => ({
      addresses: [address],
      ...(zones[i] ? { hints: { forZones: [{ name: zones[i] }] } } : {}),
    })),
  };
}

async function start(t: TestContext, setUp: (applier: RecordingApplier) => void = () => {}) {
  const client = createClient(new FakeApi());
  const clock = new VirtualClock();
  const caches = createCacheSet({ client, clock, random: seededRandom(1), log: silentLog });
  const applier = new RecordingApplier();
  setUp(applier);
  await client.create(nodes, { metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'a' } } });
  await client.create(services, web);
  await client.create(endpointSlices, slice(['10.1.0.1']));
  const stop = new AbortController();
  const proxy = startProxy({ caches, nodeName: 'n1', nodeAddresses: ['192.0.2.1'], applier, clock, log: silentLog, signal: stop.signal });
  t.after(async () => {
    await proxy.close();
    await caches.close();
  });
  const told = async () => {
    await settleEventLoop();
    await proxy.settled();
  };
  return { client, clock, applier, proxy, told, stop };
}

test('what is there at the start is applied once, as a whole', async (t) => {
  const { applier, proxy } = await start(t);
  await proxy.ready;
  assert.equal(applier.applied.length, 1);
  assert.deepEqual(applier.latest, ['10.96.0.10 tcp 80 any: 10.1.0.1']);
});

test('endpoints, services and host ports that come and go are applied; other pods are not', async (t) => {
  const { client, applier, proxy, told } = await start(t);
  await proxy.ready;
  const current = await client.get(endpointSlices, { namespace: 'default', name: 'web-1' });
  await client.update(endpointSlices, { ...slice(['10.1.0.1', '10.1.0.2']), metadata: current.metadata ?? {} });
  await told();
  assert.deepEqual(applier.latest, ['10.96.0.10 tcp 80 any: 10.1.0.1 10.1.0.2']);
  const pod = (name: string, hostPort?: number) => ({
    metadata: { namespace: 'default', name },
    spec: { nodeName: 'n1', containers: [{ name: 'c', ports: [{ containerPort: 80, ...(hostPort ? { hostPort } : {}) }] }] },
    status: { podIP: '10.1.0.9', phase: 'Running' },
  });
  await client.create(pods, pod('p', 8080));
  await told();
  assert.deepEqual(applier.latest, ['10.96.0.10 tcp 80 any: 10.1.0.1 10.1.0.2', '192.0.2.1 tcp 8080 any: 10.1.0.9']);
  const count = applier.applied.length;
  await client.create(pods, pod('q'));
  await told();
  assert.equal(applier.applied.length, count);
  await client.delete(pods, { namespace: 'default', name: 'p' });
  await client.delete(services, { namespace: 'default', name: 'web' });
  await told();
  assert.deepEqual(applier.latest, []);
});

test("when the node's zone changes, so do the endpoints that hints give it", async (t) => {
  const { client, applier, proxy, told } = await start(t);
  await proxy.ready;
  const current = await client.get(endpointSlices, { namespace: 'default', name: 'web-1' });
  await client.update(endpointSlices, { ...slice(['10.1.0.1', '10.1.0.2'], ['a', 'b']), metadata: current.metadata ?? {} });
  await told();
  assert.deepEqual(applier.latest, ['10.96.0.10 tcp 80 any: 10.1.0.1']);
  await client.patch(nodes, { name: 'n1' }, 'merge', { metadata: { labels: { 'topology.kubernetes.io/zone': 'b' } } });
  await told();
  assert.deepEqual(applier.latest, ['10.96.0.10 tcp 80 any: 10.1.0.2']);
});

test('a failure is tried again after its back-off', async (t) => {
  const { applier, clock } = await start(t, (a) => {
    a.failures = 2;
  });
  await settleEventLoop();
  assert.equal(applier.applied.length, 0);
  await clock.step(200);
  assert.equal(applier.applied.length, 0);
  await clock.step(400);
  assert.deepEqual(applier.latest, ['10.96.0.10 tcp 80 any: 10.1.0.1']);
});

test('what is really there is looked at every minute, until the proxy closes', async (t) => {
  const { applier, clock, proxy } = await start(t);
  await proxy.ready;
  await clock.step(180_000);
  assert.equal(applier.reconciliations, 3);
  await proxy.close({ remove: true });
  assert.deepEqual(applier.closed, { remove: true });
  await clock.step(180_000);
  assert.equal(applier.reconciliations, 3);
});
