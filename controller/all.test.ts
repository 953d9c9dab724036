// The controllers on the real API server: in-process, on a virtual clock and a memory store.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type ConfigMap, configMaps, namespaces } from '../api/core.ts';
import type { KubeObject } from '../api/wire.ts';
import { root, startServer } from '../apiserver/server-fixture.ts';
import { silentLog } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { createCacheSet } from '../client/cache-set.ts';
import { createClient } from '../client/rest-client.ts';
import { startControllers } from '../controller/all.ts';

async function start(t: TestContext) {
  const server = await startServer();
  const { clock } = server;
  const client = createClient(server.server.transport(root));
  const random = seededRandom(1);
  const caches = createCacheSet({ client, clock, random, log: silentLog });
  const end = new AbortController();
  const running = startControllers({ client, caches, clock, random, log: silentLog, signal: end.signal, rootCa: 'PEM' });
  t.after(async () => {
    end.abort();
    await running;
    await caches.close();
    await server.close();
  });
  await client.create(namespaces, { metadata: { name: 'a' } });
  await clock.step(1_000);
  return { clock, client };
}

const configMap = (name: string, owner?: KubeObject): ConfigMap => ({
  metadata: {
    name,
    namespace: 'a',
    ...(owner
      ? {
          ownerReferences: [
            {
              apiVersion: 'v1',
              kind: owner.kind ?? '',
              name: owner.metadata?.name ?? '',
              uid: owner.metadata?.uid ?? '',
              blockOwnerDeletion: true,
            },
          ],
        }
      : {}),
  },
});

test('garbage is collected in the background, in the foreground, and not when orphaned', async (t) => {
  const { clock, client } = await start(t);
  const left = async () =>
    (await client.list(configMaps, { namespace: 'a' })).items.map((c) => c.metadata?.name).filter((n) => n !== 'kube-root-ca.crt');
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
