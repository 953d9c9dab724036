import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { configMaps } from '../../api/core.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';

const path = '/api/v1/namespaces/default/configmaps';
let fixture: ServerFixture;
before(async () => {
  fixture = await startServer();
  for (let i = 0; i < 25; i++) {
    const name = `c${String(i).padStart(2, '0')}`;
    await fixture.client.create(configMaps, {
      metadata: { namespace: 'default', name, labels: { odd: String(i % 2 === 1) } },
      data: { i: String(i) },
    });
  }
  await fixture.client.create(configMaps, { metadata: { namespace: 'kube-system', name: 'other' } });
});
after(() => fixture.close());

const names = (list: { items: { metadata: { name: string } }[] }) => list.items.map((item) => item.metadata.name);

test('a list is of one namespace or of all, in order of names', async () => {
  const { json } = await fixture.ask('GET', path);
  assert.equal(json.kind, 'ConfigMapList');
  assert.equal(json.items.length, 25);
  assert.deepEqual(names(json), [...names(json)].sort());
  assert.equal('kind' in json.items[0], false);
  assert.equal((await fixture.ask('GET', '/api/v1/configmaps')).json.items.length, 26);
});

test('pages are of one revision, whatever is written in between, and tell how much is left', async () => {
  const first = (await fixture.ask('GET', `${path}?limit=10`)).json;
  assert.equal(first.metadata.remainingItemCount, 15);
  await fixture.client.create(configMaps, { metadata: { namespace: 'default', name: 'c99' } });
  const second = (await fixture.ask('GET', `${path}?limit=10&continue=${first.metadata.continue}`)).json;
  const third = (await fixture.ask('GET', `${path}?limit=10&continue=${second.metadata.continue}`)).json;
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  assert.deepEqual([...names(first), ...names(second), ...names(third)].length, 25);
  assert.equal(third.metadata.continue, undefined);
  await fixture.client.delete(configMaps, { namespace: 'default', name: 'c99' });
});

test('a page whose revision was compacted away is Expired, with a token that goes on without consistency', async () => {
  const first = (await fixture.ask('GET', `${path}?limit=20`)).json;
  await fixture.client.create(configMaps, { metadata: { namespace: 'default', name: 'c98' } });
  await fixture.client.delete(configMaps, { namespace: 'default', name: 'c98' });
  await fixture.store.compact(await fixture.store.currentRevision());
  const expired = await fixture.ask('GET', `${path}?limit=20&continue=${first.metadata.continue}`);
  assert.equal(expired.status, 410);
  assert.equal(expired.json.reason, 'Expired');
  const rest = (await fixture.ask('GET', `${path}?limit=20&continue=${expired.json.metadata.continue}`)).json;
  assert.deepEqual(names(rest), ['c20', 'c21', 'c22', 'c23', 'c24']);
});

test('label and field selectors select, and unknown fields are refused', async () => {
  assert.equal((await fixture.ask('GET', `${path}?labelSelector=odd=true`)).json.items.length, 12);
  assert.deepEqual(names((await fixture.ask('GET', `${path}?fieldSelector=metadata.name%3Dc03`)).json), ['c03']);
  const refused = await fixture.ask('GET', `${path}?fieldSelector=spec.x%3D1`);
  assert.equal(refused.status, 400);
  const unreadable = await fixture.ask('GET', `${path}?labelSelector=a%20b%20c`);
  assert.equal(unreadable.status, 400);
  assert.match(unreadable.json.message, /^unable to parse requirement/);
});

test('an exact resourceVersion shows the past, and one that is still to come is a timeout', async () => {
  const before = (await fixture.ask('GET', path)).json.metadata.resourceVersion;
  await fixture.client.create(configMaps, { metadata: { namespace: 'default', name: 'c97' } });
  const past = await fixture.ask('GET', `${path}?resourceVersion=${before}&resourceVersionMatch=Exact`);
  assert.equal(names(past.json).includes('c97'), false);
  assert.equal(past.json.metadata.resourceVersion, before);
  assert.equal(names((await fixture.ask('GET', `${path}?resourceVersion=0`)).json).includes('c97'), true);
  await fixture.client.delete(configMaps, { namespace: 'default', name: 'c97' });
  const future = fixture.ask('GET', `${path}?resourceVersion=100000`);
  await fixture.clock.step(4000);
  const answer = await future;
  assert.equal(answer.status, 504);
  assert.match(answer.json.message, /^Timeout: Too large resource version: 100000, current: \d+$/);
  assert.equal(answer.json.details.causes[0].reason, 'ResourceVersionTooLarge');
});

test('combinations of parameters that mean nothing are Invalid', async () => {
  const answer = await fixture.ask('GET', `${path}?resourceVersionMatch=Exact`);
  assert.equal(answer.status, 422);
  assert.match(answer.json.message, /resourceVersionMatch is forbidden unless resourceVersion is provided/);
});

test('Tables, metadata alone, YAML and gzip are given to those who ask', async () => {
  const table = (await fixture.ask('GET', path, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }))
    .json;
  assert.equal(table.kind, 'Table');
  assert.equal(table.rows.length, 25);
  assert.equal(table.columnDefinitions[0].name, 'Name');
  const partial = (
    await fixture.ask('GET', path, undefined, { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' })
  ).json;
  assert.equal(partial.kind, 'PartialObjectMetadataList');
  assert.equal('data' in partial.items[0], false);
  const yaml = await fixture.ask('GET', `${path}/c03`, undefined, { accept: 'application/yaml' });
  assert.match(yaml.text, /^kind: ConfigMap$/m);
  const refused = await fixture.ask('GET', path, undefined, { accept: 'text/html' });
  assert.equal(refused.status, 406);
});
