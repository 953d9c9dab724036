import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { customResourceDefinitions } from '../../api/apiextensions.ts';
import { configMaps, namespaces, pods, replicationControllers, secrets } from '../../api/core.ts';
import { apiVersionOf, defineKind, type Kind } from '../../api/kind.ts';
import { isStatus } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { silentLog } from '../../base/log.ts';
import { type Random, seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createCacheSet } from '../../client/cache-set.ts';
import type { DeleteQuery } from '../../client/client.ts';
import { FakeApi } from '../../client/fake-api.ts';
import { createClient } from '../../client/rest-client.ts';
import { garbageCollector } from './controller.ts';

const widgets = defineKind<KubeObject>({ group: 'example.com', kind: 'Widget', plural: 'widgets' });

function start(t: TestContext, seed = 1) {
  const api = new FakeApi(seededRandom(seed));
  api.kinds = [namespaces, pods, replicationControllers, configMaps, secrets];
  const clock = new VirtualClock();
  const client = createClient(api);
  const random = seededRandom(seed);
  const caches = createCacheSet({ client, clock, random, log: silentLog });
  const end = new AbortController();
  void garbageCollector.run({ client, caches, clock, random, log: silentLog, signal: end.signal });
  t.after(async () => {
    end.abort();
    await caches.close();
  });
  const kinds = new Map<KubeObject, Kind>();
  return {
    api,
    clock,
    async create(kind: Kind, name: string, owners: KubeObject[] = [], block = true): Promise<KubeObject> {
      const ownerReferences = owners.map((owner) => {
        const ownerKind = kinds.get(owner) ?? configMaps;
        return {
          apiVersion: apiVersionOf(ownerKind),
          kind: ownerKind.kind,
          name: owner.metadata?.name ?? '',
          uid: owner.metadata?.uid ?? '',
          blockOwnerDeletion: block,
        };
      });
      const made = await client.create(kind, { metadata: { name, namespace: 'a', ownerReferences } });
      kinds.set(made, kind);
      return made;
    },
    delete: (object: KubeObject, query: DeleteQuery = {}) =>
      client.delete(kinds.get(object) ?? configMaps, { namespace: 'a', name: object.metadata?.name ?? '' }, query),
    patch: (object: KubeObject, patch: unknown) =>
      client.patch(kinds.get(object) ?? configMaps, { namespace: 'a', name: object.metadata?.name ?? '' }, 'merge', patch),
    left: () => [...api.objects.values()].map((object) => object.metadata?.name).sort(),
    named: (name: string) => [...api.objects.values()].find((object) => object.metadata?.name === name),
  };
}

test('what an owner leaves behind goes, to the last generation, and nothing else', async (t) => {
  const { clock, create, delete: remove, left } = start(t);
  const owner = await create(replicationControllers, 'owner');
  const child = await create(pods, 'child', [owner]);
  await create(secrets, 'grandchild', [child]);
  await create(pods, 'stranger');
  await clock.step(1_000);
  assert.deepEqual(left(), ['child', 'grandchild', 'owner', 'stranger']);
  await remove(owner, { propagationPolicy: 'Background' });
  await clock.step(1_000);
  assert.deepEqual(left(), ['stranger']);
});

test('an object with another owner stays, and no longer names the one that is gone', async (t) => {
  const { clock, create, delete: remove, left, named } = start(t);
  const one = await create(configMaps, 'one');
  const two = await create(configMaps, 'two');
  await create(secrets, 'shared', [one, two]);
  await clock.step(1_000);
  await remove(one);
  await clock.step(1_000);
  assert.deepEqual(left(), ['shared', 'two']);
  assert.deepEqual(
    named('shared')?.metadata?.ownerReferences?.map((r) => r.name),
    ['two'],
  );
});

test('an object whose owner never was is deleted, also if another has taken its name', async (t) => {
  const { clock, create, left } = start(t);
  await create(configMaps, 'ghost');
  await create(secrets, 'orphan-of-ghost', [{ metadata: { name: 'ghost', uid: 'another-uid' } }]);
  await create(secrets, 'orphan-of-nobody', [{ metadata: { name: 'nobody', uid: 'third-uid' } }]);
  await clock.step(1_000);
  assert.deepEqual(left(), ['ghost']);
});

test('deleted in the foreground, an owner waits for those that block it', async (t) => {
  const { clock, create, delete: remove, patch, left } = start(t);
  const owner = await create(replicationControllers, 'owner');
  const child = await create(pods, 'child', [owner]);
  await patch(child, { metadata: { finalizers: ['example.com/hold'] } });
  await create(secrets, 'grandchild', [child]);
  await clock.step(1_000);
  await remove(owner, { propagationPolicy: 'Foreground' });
  await clock.step(10_000);
  assert.deepEqual(left(), ['child', 'owner'], 'the child is held, and so its owner waits; the grandchild is gone');
  await patch(child, { metadata: { finalizers: null } });
  await clock.step(10_000);
  assert.deepEqual(left(), []);
});

test('orphaned dependents stay, without their reference', async (t) => {
  const { clock, create, delete: remove, left, named } = start(t);
  const owner = await create(replicationControllers, 'owner');
  await create(pods, 'child', [owner]);
  await clock.step(1_000);
  await remove(owner, { propagationPolicy: 'Orphan' });
  await clock.step(10_000);
  assert.deepEqual(left(), ['child']);
  assert.deepEqual(named('child')?.metadata?.ownerReferences, []);
});

test('owners in a circle do not wait for each other for ever', async (t) => {
  const { clock, create, delete: remove, patch, left } = start(t);
  const one = await create(configMaps, 'one');
  const two = await create(configMaps, 'two', [one]);
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'two', uid: two.metadata?.uid, blockOwnerDeletion: true };
  await patch(one, { metadata: { ownerReferences: [reference] } });
  await clock.step(1_000);
  assert.deepEqual(left(), ['one', 'two']);
  await remove(one, { propagationPolicy: 'Foreground' });
  await clock.step(60_000);
  assert.deepEqual(left(), []);
});

test('kinds that come later are collected too', async (t) => {
  const { api, clock, create, delete: remove, left } = start(t);
  await clock.step(1_000);
  api.kinds = [...api.kinds, widgets];
  const owner = await create(widgets, 'widget');
  await create(pods, 'child', [owner]);
  await clock.step(60_000);
  assert.deepEqual(left(), ['child', 'widget']);
  await remove(owner);
  await clock.step(1_000);
  assert.deepEqual(left(), []);
});

test('before an owner counts as gone the server is asked, however stale the caches', async (t) => {
  const { api, clock, create, left } = start(t);
  await clock.step(1_000);
  api.isHeld = true;
  const owner = await create(configMaps, 'owner');
  await create(secrets, 'child', [owner]);
  // Only the child's birth is seen: its owner is unknown to the caches.
  for (let i = 0; i < 5; i++) {
    api.deliver(1);
    await clock.step(1_000);
  }
  api.release();
  await clock.step(10_000);
  assert.deepEqual(left(), ['child', 'owner']);
});

for (let seed = 1; seed <= 8; seed++) {
  test(`in any family exactly the descendants of nobody else go, through failures, seed ${seed}`, async (t) => {
    const { api, clock, create, delete: remove, left } = start(t, seed);
    const random: Random = seededRandom(seed * 31);
    const pick = (max: number) => Math.floor(random.float() * max);
    const objects: KubeObject[] = [];
    const ownersOf = new Map<KubeObject, KubeObject[]>();
    for (let i = 0; i < 20; i++) {
      const owners = [...new Set(Array.from({ length: objects.length ? pick(3) : 0 }, () => objects[pick(objects.length)]))].filter(
        (o) => o !== undefined,
      );
      const made = await create([pods, configMaps, secrets][pick(3)] ?? pods, `o${i}`, owners, random.float() < 0.5);
      objects.push(made);
      ownersOf.set(made, owners);
    }
    await clock.step(1_000);
    const deleted = new Set(objects.filter(() => random.float() < 0.2));
    api.before = () => {
      if (random.float() < 0.1) throw new Error('the connection was reset');
    };
    for (const object of deleted) {
      for (;;) {
        try {
          await remove(object, { propagationPolicy: random.float() < 0.5 ? 'Foreground' : 'Background' });
          break;
        } catch (error) {
          if (isStatus(error, 'NotFound')) break;
        }
      }
    }
    await clock.step(3_000_000);
    const gone = new Set(deleted);
    for (const object of objects) {
      const owners = ownersOf.get(object) ?? [];
      if (owners.length && owners.every((owner) => gone.has(owner))) gone.add(object);
    }
    assert.deepEqual(
      left(),
      objects
        .filter((o) => !gone.has(o))
        .map((o) => o.metadata?.name)
        .sort(),
    );
  });
}

test('a kind that is served from now on is known as soon as its definition says so', async (t) => {
  const { api, clock, create, delete: remove, left } = start(t);
  api.kinds = [...api.kinds, customResourceDefinitions];
  await clock.step(31_000);
  api.kinds = [...api.kinds, widgets];
  await create(customResourceDefinitions, 'widgets.example.com');
  await clock.step(1_000);
  const owner = await create(widgets, 'owner');
  await create(configMaps, 'child', [owner]);
  await clock.step(1_000);
  await remove(owner);
  await clock.step(1_000);
  assert.deepEqual(left(), ['widgets.example.com']);
});
