// The controllers on the real API server: in-process, on a virtual clock and a memory store.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { deployments, replicaSets } from '../api/apps.ts';
import {
  type ConfigMap,
  configMaps,
  endpoints,
  events,
  namespaces,
  type Pod,
  pods,
  replicationControllers,
  secrets,
  serviceAccounts,
  services,
} from '../api/core.ts';
import { endpointSlices } from '../api/discovery.ts';
import { controllerOf } from '../api/owners.ts';
import { isPodReady } from '../api/pods.ts';
import { isStatus } from '../api/status.ts';
import type { KubeObject } from '../api/wire.ts';
import { timestamp } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { controller, settled } from '../client/controller.ts';
import { startWithControllers } from '../testing/controller-fixture.ts';

/** Runs pods as soon as it sees them, and ends them when they are deleted. */
function kubelet() {
  let serial = 0;
  return controller({
    name: 'kubelet',
    of: pods,
    async reconcile(pod, { api, clock }) {
      const { namespace, name = '', deletionTimestamp } = pod.metadata ?? {};
      if (deletionTimestamp) {
        await api.delete(pods, { namespace, name }, { gracePeriodSeconds: 0 });
        return settled;
      }
      if (isPodReady(pod)) return settled;
      const ip = `10.244.0.${++serial}`;
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: timestamp(clock) }];
      await api.patch(
        pods,
        { namespace, name },
        'strategic',
        { status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions } },
        { subresource: 'status' },
      );
      return settled;
    },
  });
}

async function start(t: TestContext) {
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (message: string) => warnings.push(message), child: () => log };
  const { client, clock, start: alsoStart } = await startWithControllers(t, { log, rootCa: 'PEM' });
  alsoStart(kubelet());
  await client.create(namespaces, { metadata: { name: 'a' } });
  await clock.step(1_000);
  return { clock, client, warnings, pods: async () => (await client.list(pods, { namespace: 'a' })).items };
}

const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const nameOf = (object: KubeObject) => object.metadata?.name ?? '';

test('a replication controller keeps its count, gives up and takes in pods, and takes them with it when it goes', async (t) => {
  const { clock, client, pods: all, warnings } = await start(t);
  const rc = await client.create(replicationControllers, {
    metadata: { name: 'web', namespace: 'a' },
    spec: { replicas: 3, selector: { app: 'web' }, template },
  });
  await clock.step(1_000);
  const made = await all();
  assert.equal(made.length, 3);
  assert.ok(made.every((pod) => controllerOf(pod)?.uid === rc.metadata?.uid && /^web-[a-z0-9]{5}$/.test(nameOf(pod))));
  const { status } = await client.get(replicationControllers, { namespace: 'a', name: 'web' });
  assert.deepEqual([status?.replicas, status?.fullyLabeledReplicas, status?.readyReplicas, status?.availableReplicas], [3, 3, 3, 3]);

  const [first, second] = made as [Pod, Pod];
  await client.delete(pods, { namespace: 'a', name: nameOf(first) });
  await clock.step(1_000);
  assert.equal((await all()).length, 3);

  await client.patch(pods, { namespace: 'a', name: nameOf(second) }, 'merge', { metadata: { labels: { app: 'other' } } });
  await clock.step(1_000);
  assert.equal((await all()).length, 4);
  assert.equal(controllerOf(await client.get(pods, { namespace: 'a', name: nameOf(second) })), undefined);
  await client.patch(pods, { namespace: 'a', name: nameOf(second) }, 'merge', { metadata: { labels: { app: 'web' } } });
  await clock.step(1_000);
  assert.equal((await all()).length, 3);

  await client.delete(replicationControllers, { namespace: 'a', name: 'web' }, { propagationPolicy: 'Background' });
  await clock.step(10_000);
  assert.deepEqual(await all(), []);
  const reasons = new Set((await client.list(events, { namespace: 'a' })).items.map((event) => event.reason));
  assert.ok(reasons.has('SuccessfulCreate') && reasons.has('SuccessfulDelete'), [...reasons].join());
  assert.deepEqual(warnings, []);
});

test('a service has its endpoints in both forms, and loses them with itself', async (t) => {
  const { clock, client } = await start(t);
  await client.create(services, { metadata: { name: 'web', namespace: 'a' }, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } });
  await client.create(replicationControllers, { metadata: { name: 'web', namespace: 'a' }, spec: { replicas: 2, template } });
  await clock.step(1_000);
  const found = await client.get(endpoints, { namespace: 'a', name: 'web' });
  assert.deepEqual(
    found.subsets?.map((s) => [s.addresses?.map((a) => a.ip).sort(), s.ports?.[0]?.port]),
    [[['10.244.0.1', '10.244.0.2'], 80]],
  );
  const slices = (await client.list(endpointSlices, { namespace: 'a', labelSelector: 'kubernetes.io/service-name=web' })).items;
  assert.deepEqual(
    slices.filter((s) => s.addressType === 'IPv4').map((s) => s.endpoints?.flatMap((e) => e.addresses).sort()),
    [['10.244.0.1', '10.244.0.2']],
  );
  await client.delete(services, { namespace: 'a', name: 'web' });
  await clock.step(10_000);
  await assert.rejects(client.get(endpoints, { namespace: 'a', name: 'web' }), (error) => isStatus(error, 'NotFound'));
  assert.deepEqual((await client.list(endpointSlices, { namespace: 'a' })).items, []);
});

test('a deployment is rolled out to another image, and goes with all it owns', async (t) => {
  const { clock, client, pods: all, warnings } = await start(t);
  await client.create(deployments, {
    metadata: { name: 'web', namespace: 'a' },
    spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template },
  });
  await clock.step(2_000);
  assert.equal((await all()).length, 3);
  const before = await client.get(deployments, { namespace: 'a', name: 'web' });
  assert.deepEqual(
    [before.status?.availableReplicas, before.status?.conditions?.find((c) => c.type === 'Progressing')?.reason],
    [3, 'NewReplicaSetAvailable'],
  );
  await client.patch(deployments, { namespace: 'a', name: 'web' }, 'strategic', {
    spec: { template: { spec: { containers: [{ name: 'c', image: 'j' }] } } },
  });
  await clock.step(5_000);
  assert.deepEqual(
    (await all()).map((pod) => pod.spec?.containers[0]?.image),
    ['j', 'j', 'j'],
  );
  const sizes = (await client.list(replicaSets, { namespace: 'a' })).items.map((rs) => rs.spec?.replicas).sort();
  assert.deepEqual(sizes, [0, 3]);
  await client.delete(deployments, { namespace: 'a', name: 'web' }, { propagationPolicy: 'Foreground' });
  await clock.step(10_000);
  assert.deepEqual(await all(), []);
  assert.deepEqual((await client.list(replicaSets)).items, []);
  await assert.rejects(client.get(deployments, { namespace: 'a', name: 'web' }), (error) => isStatus(error, 'NotFound'));
  assert.deepEqual(warnings, []);
});

test('a namespace gets its service account and root certificate, and is emptied when it is deleted', async (t) => {
  const { clock, client } = await start(t);
  assert.ok(await client.get(serviceAccounts, { namespace: 'a', name: 'default' }));
  assert.equal((await client.get(configMaps, { namespace: 'a', name: 'kube-root-ca.crt' })).data?.['ca.crt'], 'PEM');
  await client.create(secrets, { metadata: { name: 's', namespace: 'a' } });
  await client.create(deployments, {
    metadata: { name: 'web', namespace: 'a' },
    spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template },
  });
  await client.create(configMaps, { metadata: { name: 'held', namespace: 'a', finalizers: ['example.com/hold'] } });
  await clock.step(1_000);
  await client.delete(namespaces, { name: 'a' });
  await clock.step(60_000);
  const { status } = await client.get(namespaces, { name: 'a' });
  const remaining = status?.conditions?.find(({ type }) => type === 'NamespaceContentRemaining');
  assert.equal(remaining?.message, 'Some resources are remaining: configmaps. has 1 resource instances');
  await client.patch(configMaps, { namespace: 'a', name: 'held' }, 'merge', { metadata: { finalizers: null } });
  await clock.step(60_000);
  await assert.rejects(client.get(namespaces, { name: 'a' }), (error) => isStatus(error, 'NotFound'));
});

test('garbage is collected in the background, in the foreground, and not when orphaned', async (t) => {
  const { clock, client } = await start(t);
  const configMap = (name: string, owner?: KubeObject): ConfigMap => {
    const reference = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: nameOf(owner ?? {}),
      uid: owner?.metadata?.uid ?? '',
      blockOwnerDeletion: true,
    };
    return { metadata: { name, namespace: 'a', ...(owner ? { ownerReferences: [reference] } : {}) } };
  };
  const left = async () =>
    (await client.list(configMaps, { namespace: 'a' })).items.map(nameOf).filter((name) => name !== 'kube-root-ca.crt');
  for (const propagationPolicy of ['Background', 'Foreground', 'Orphan'] as const) {
    const owner = await client.create(configMaps, configMap('owner'));
    const child = await client.create(configMaps, configMap('child', owner));
    await client.create(configMaps, configMap('grandchild', child));
    await clock.step(1_000);
    await client.delete(configMaps, { namespace: 'a', name: 'owner' }, { propagationPolicy });
    await clock.step(10_000);
    assert.deepEqual(await left(), propagationPolicy === 'Orphan' ? ['child', 'grandchild'] : [], propagationPolicy);
  }
});
