import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pods, resourceQuotas } from '../../api/core.ts';
import { Cluster } from '../../testing/cluster.ts';

test('a quota counts what is there, and what is deleted is given back', async () => {
  const cluster = await Cluster.start({ nodes: 0 });
  const at = (name: string) => ({ namespace: 'default', name });
  const pod = (name: string) => ({ metadata: at(name), spec: { containers: [{ name: 'a', image: 'x' }] } });
  const used = async () => (await cluster.client.get(resourceQuotas, at('q'))).status?.used?.['pods'];
  try {
    await cluster.client.create(pods, pod('before'));
    await cluster.client.create(resourceQuotas, { metadata: at('q'), spec: { hard: { pods: '2' } } });
    await cluster.step({ seconds: 1 });
    assert.equal(await used(), '1');
    await cluster.client.create(pods, pod('second'));
    assert.equal(await used(), '2');
    await assert.rejects(cluster.client.create(pods, pod('third')), /exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2/);
    await cluster.client.delete(pods, at('second'));
    await cluster.step({ seconds: 5 });
    assert.equal(await used(), '1');
    await cluster.client.create(pods, pod('third'));
  } finally {
    await cluster.close();
  }
});
