import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases, pods, resourceQuotas } from '../../api/core.ts';
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

test('any kind is counted, and given back as soon as it is gone', async () => {
  const cluster = await Cluster.start({ nodes: 0 });
  const at = (name: string) => ({ namespace: 'default', name });
  const quota = async () => (await cluster.client.get(resourceQuotas, at('q'))).status;
  const lease = (name: string) => cluster.client.create(leases, { metadata: at(name) });
  try {
    await lease('before');
    const hard = { 'count/leases.coordination.k8s.io': '2', secrets: '10' };
    await cluster.client.create(resourceQuotas, { metadata: at('q'), spec: { hard } });
    await cluster.step({ seconds: 1 });
    assert.deepEqual(await quota(), { hard, used: { 'count/leases.coordination.k8s.io': '1', secrets: '0' } });
    await lease('second');
    await assert.rejects(lease('third'), /exceeded quota: q, requested: count\/leases.coordination.k8s.io=1, used: /);
    await cluster.client.delete(leases, at('before'));
    await cluster.step({ seconds: 5 });
    assert.equal((await quota())?.used?.['count/leases.coordination.k8s.io'], '1');
    await lease('third');
    const raised = await cluster.client.get(resourceQuotas, at('q'));
    await cluster.client.update(resourceQuotas, { ...raised, spec: { hard: { pods: '1' } } });
    await cluster.step({ seconds: 2 });
    assert.deepEqual(await quota(), { hard: { pods: '1' }, used: { pods: '0' } });
  } finally {
    await cluster.close();
  }
});
