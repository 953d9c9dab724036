// Volumes and claims in use on the real API server, whose admission gives them their finalizers.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { persistentVolumeClaims, persistentVolumes, pods } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { startWithControllers } from '../../testing/controller-fixture.ts';
import { claimProtection, volumeProtection } from './controller.ts';

const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
const at = (name: string) => ({ namespace: 'default', name });

async function start(t: TestContext) {
  const { client, clock } = await startWithControllers(t, { only: [claimProtection.name, volumeProtection.name] });
  const claim = (name: string) => client.get(persistentVolumeClaims, at(name));
  return {
    client,
    claim,
    settle: () => clock.step(5_000),
    isGone: (name: string) => assert.rejects(claim(name), (error) => isStatus(error, 'NotFound')),
    addClaim: (name: string) => client.create(persistentVolumeClaims, { metadata: at(name), spec: claimSpec }),
    addPod: (name: string, claimName: string, nodeName?: string) =>
      client.create(pods, {
        metadata: at(name),
        spec: {
          ...(nodeName ? { nodeName } : {}),
          containers: [{ name: 'c', image: 'i' }],
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
        },
      }),
  };
}

test('a claim that a running pod uses outlives its deletion until the pod is gone', async (t) => {
  const { client, claim, settle, isGone, addClaim, addPod } = await start(t);
  assert.deepEqual((await addClaim('used')).metadata?.finalizers, ['kubernetes.io/pvc-protection']);
  await addPod('reader', 'used', 'n');
  await client.delete(persistentVolumeClaims, at('used'));
  await settle();
  assert.ok((await claim('used')).metadata?.deletionTimestamp);
  await client.delete(pods, at('reader'), { gracePeriodSeconds: 0 });
  await settle();
  await isGone('used');
});

test('a claim that no pod uses, or only one without a node, goes at once', async (t) => {
  const { client, settle, isGone, addClaim, addPod } = await start(t);
  await addClaim('unused');
  await addClaim('waited-for');
  await addPod('pending', 'waited-for');
  for (const name of ['unused', 'waited-for']) await client.delete(persistentVolumeClaims, at(name));
  await settle();
  for (const name of ['unused', 'waited-for']) await isGone(name);
});

test('a finalizer that somebody took away is given back', async (t) => {
  const { client, claim, settle, addClaim } = await start(t);
  await addClaim('c');
  await client.patch(persistentVolumeClaims, at('c'), 'merge', { metadata: { finalizers: null } });
  await settle();
  assert.deepEqual((await claim('c')).metadata?.finalizers, ['kubernetes.io/pvc-protection']);
});

test('a bound volume outlives its deletion until it is released', async (t) => {
  const { client, settle } = await start(t);
  const spec = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/data' } };
  const made = await client.create(persistentVolumes, { metadata: { name: 'v' }, spec });
  assert.deepEqual(made.metadata?.finalizers, ['kubernetes.io/pv-protection']);
  const setPhase = (phase: string) =>
    client.patch(persistentVolumes, { name: 'v' }, 'merge', { status: { phase } }, { subresource: 'status' });
  await setPhase('Bound');
  await client.delete(persistentVolumes, { name: 'v' });
  await settle();
  assert.ok((await client.get(persistentVolumes, { name: 'v' })).metadata?.deletionTimestamp);
  await setPhase('Released');
  await settle();
  await assert.rejects(client.get(persistentVolumes, { name: 'v' }), (error) => isStatus(error, 'NotFound'));
});
