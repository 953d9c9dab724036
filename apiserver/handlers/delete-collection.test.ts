import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps } from '../../api/core.ts';
import { forbiddenError } from '../../api/status.ts';
import { createMemoryStore } from '../../store/memory.ts';
import type { AdmissionPlugin } from '../admission/admission.ts';
import { startServer } from '../server-fixture.ts';

const collection = '/api/v1/namespaces/kube-public/configmaps';

test('the deletion of a collection goes by its selectors, page and dry run, and answers with what it found', async () => {
  const fixture = await startServer();
  const { client, ask } = fixture;
  const make = (name: string, labels: Record<string, string>) =>
    client.create(configMaps, { metadata: { namespace: 'kube-public', name, labels } });
  for (let i = 0; i < 30; i++) await make(`x${String(i).padStart(2, '0')}`, { odd: String(i % 2 === 1) });
  const there = async () => (await ask('GET', collection)).json.items.length;
  const past = (await ask('GET', collection)).json.metadata.resourceVersion;
  await make('later', {});
  assert.equal((await ask('DELETE', `${collection}?dryRun=All`)).json.items.length, 31);
  // Deletions are of a page, and a page is of its very revision.
  assert.equal((await ask('DELETE', `${collection}?resourceVersion=${past}`, { dryRun: ['All'] })).json.items.length, 30);
  const atLeast = `${collection}?resourceVersion=${past}&resourceVersionMatch=NotOlderThan`;
  assert.equal((await ask('DELETE', atLeast, { dryRun: ['All'] })).json.items.length, 31);
  // Without a body, the parameter is a precondition, too.
  assert.equal((await ask('DELETE', `${collection}?dryRun=All&resourceVersion=${past}`)).status, 409);
  assert.equal((await ask('DELETE', `${collection}?fieldSelector=metadata.name%3Dlater`)).json.items.length, 1);
  assert.equal(await there(), 30);
  assert.equal((await ask('DELETE', `${collection}?labelSelector=odd%3Dtrue`)).json.kind, 'ConfigMapList');
  assert.equal(await there(), 15);
  const page = (await ask('DELETE', `${collection}?limit=5`)).json;
  assert.deepEqual([page.items.length, page.metadata.remainingItemCount], [5, 10]);
  assert.equal(await there(), 10);
  await ask('DELETE', `${collection}?continue=${page.metadata.continue}&limit=4`);
  assert.equal(await there(), 6);
  assert.equal((await ask('DELETE', `${collection}?fieldSelector=metadata.name%3Dx28`)).json.items.length, 1);
  assert.equal((await ask('DELETE', collection, { preconditions: { uid: 'other' } })).status, 409);
  assert.equal(await there(), 5);
  // What cannot be answered is not begun.
  assert.equal((await ask('DELETE', collection, undefined, { accept: 'text/html' })).status, 406);
  assert.equal((await ask('DELETE', `${collection}?resourceVersionMatch=Exact`)).status, 422);
  assert.equal(await there(), 5);
  const table = await ask('DELETE', collection, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
  assert.deepEqual([table.json.kind, table.json.rows.length], ['Table', 5]);
  assert.equal(await there(), 0);
  await fixture.close();
});

test('a collection of more than a page is deleted to its end', async () => {
  const store = createMemoryStore();
  const count = 10_003;
  for (let i = 0; i < count; i++) {
    const name = `c${String(i).padStart(5, '0')}`;
    const object = {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name, namespace: 'kube-public', uid: name, creationTimestamp: '2026-01-01T00:00:00Z' },
    };
    await store.put(`/registry/core/configmaps/kube-public/${name}`, Buffer.from(JSON.stringify(object)), 0);
  }
  const fixture = await startServer({ store });
  const { json } = await fixture.ask('DELETE', `${collection}?dryRun=All`);
  assert.equal(json.items.length, count);
  assert.equal(json.items.at(-1).metadata.name, 'c10002');
  assert.deepEqual(Object.keys(json.metadata), ['resourceVersion'], 'nothing is left to go on with');
  await fixture.close();
});

test('the first refusal ends the deletion of a collection, and is its answer once nothing is under way any more', async () => {
  let asked = 0;
  let isRefusing = false;
  const refuseSome: AdmissionPlugin = {
    name: 'refuse-some',
    operations: ['DELETE'],
    validate({ kind, old }) {
      if (kind.kind !== 'ConfigMap' || !isRefusing) return;
      asked++;
      if (old?.metadata?.name === 'c05') throw forbiddenError(kind, 'c05', 'it stays');
    },
  };
  const fixture = await startServer({ admission: [refuseSome] });
  for (let i = 0; i < 60; i++) {
    await fixture.client.create(configMaps, { metadata: { namespace: 'kube-public', name: `c${String(i).padStart(2, '0')}` } });
  }
  isRefusing = true;
  const { status, json } = await fixture.ask('DELETE', collection);
  assert.deepEqual([status, json.message], [403, 'configmaps "c05" is forbidden: it stays']);
  const left = (await fixture.ask('GET', collection)).json.items.length;
  assert.equal(left, 60 - (asked - 1), 'what was begun has ended');
  assert.ok(left >= 60 - 32, `${left} are left`);
  await fixture.close();
});
