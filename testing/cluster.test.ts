import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../api/conditions.ts';
import { nodes, pods, type ReplicationController, replicationControllers } from '../api/core.ts';
import { isPodReady } from '../api/pods.ts';
import { Cluster } from './cluster.ts';

const web = (replicas: number): ReplicationController => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas,
    selector: { app: 'web' },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'example.com/web:1' }] } },
  },
});
const readyPods = async (cluster: Cluster) => (await cluster.client.list(pods, { namespace: 'default' })).items.filter(isPodReady);

test('a replication controller gets its pods running on simulated nodes, in virtual time', async () => {
  const cluster = await Cluster.start({ nodes: 2 });
  try {
    await cluster.client.create(replicationControllers, web(4));
    await cluster.until(async () => (await readyPods(cluster)).length === 4);
    const nodes = new Set((await readyPods(cluster)).map((pod) => pod.spec?.nodeName));
    assert.equal(nodes.size, 2);
  } finally {
    await cluster.close();
  }
});

test('a fork begins with the same objects and goes its own way', async () => {
  const cluster = await Cluster.start({ nodes: 1 });
  const fork = await cluster.client.create(replicationControllers, web(1)).then(() => cluster.fork());
  try {
    await fork.client.delete(replicationControllers, { namespace: 'default', name: 'web' });
    await fork.settle();
    assert.equal((await cluster.client.list(replicationControllers, { namespace: 'default' })).items.length, 1);
    assert.equal((await fork.client.list(replicationControllers, { namespace: 'default' })).items.length, 0);
  } finally {
    await Promise.all([cluster.close(), fork.close()]);
  }
});

test('a silent node turns NotReady, and its pods are replaced elsewhere', async () => {
  const cluster = await Cluster.start({ nodes: 2 });
  try {
    await cluster.client.create(replicationControllers, web(4));
    await cluster.until(async () => (await readyPods(cluster)).length === 4);
    await cluster.stopNode('node-1');
    await cluster.until(
      async () => conditionOf((await cluster.client.get(nodes, { name: 'node-1' })).status?.conditions, 'Ready')?.status === 'Unknown',
      { seconds: 120 },
    );
    const onOther = async () => (await readyPods(cluster)).filter((pod) => pod.spec?.nodeName === 'node-2').length;
    await cluster.until(async () => (await onOther()) === 4, { seconds: 600 });
  } finally {
    await cluster.close();
  }
});

test('an hour of cluster time takes seconds, and the same seed gives the same history', async () => {
  const history = async () => {
    const cluster = await Cluster.start({ nodes: 2, seed: 7 });
    try {
      await cluster.client.create(replicationControllers, web(3));
      await cluster.step({ seconds: 3600 });
      return (await readyPods(cluster)).map((pod) => `${pod.metadata?.name} ${pod.metadata?.uid} ${pod.spec?.nodeName}`).sort();
    } finally {
      await cluster.close();
    }
  };
  assert.deepEqual(await history(), await history());
});
