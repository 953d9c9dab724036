import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../server-fixture.ts';

const path = '/api/v1/namespaces/default/configmaps/a';
const body = (data: object, metadata: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', ...metadata }, data });
const yaml = { 'content-type': 'application/apply-patch+yaml' };

test('an apply creates, merges, meets conflicts and takes over, and every write is tracked', async () => {
  const { ask, close } = await startServer();
  const created = await ask('PATCH', `${path}?fieldManager=one`, body({ x: '1' }), yaml);
  assert.equal(created.status, 201);
  const [entry] = created.json.metadata.managedFields;
  assert.deepEqual([entry.manager, entry.operation, entry.fieldsV1], ['one', 'Apply', { 'f:data': { 'f:x': {} } }]);

  const merged = await ask(
    'PATCH',
    path,
    { data: { y: '2' } },
    { 'content-type': 'application/merge-patch+json', 'user-agent': 'tool/v1' },
  );
  assert.deepEqual([merged.status, merged.json.data], [200, { x: '1', y: '2' }]);
  assert.deepEqual(merged.json.metadata.managedFields.at(-1).manager, 'tool');

  const refused = await ask('PATCH', `${path}?fieldManager=one`, body({ x: '1', y: '3' }), yaml);
  assert.equal(refused.status, 409);
  assert.equal(refused.json.message, 'Apply failed with 1 conflict: conflict with "tool" using v1: .data.y');

  const forced = await ask('PATCH', `${path}?fieldManager=one&force=true`, body({ y: '3' }), yaml);
  assert.deepEqual([forced.status, forced.json.data], [200, { y: '3' }]);
  const same = await ask('PATCH', `${path}?fieldManager=one`, body({ y: '3' }), yaml);
  assert.equal(same.json.metadata.resourceVersion, forced.json.metadata.resourceVersion);
  await close();
});

test('a create and a replace are tracked by the manager that the request names', async () => {
  const { ask, close } = await startServer();
  const created = await ask('POST', '/api/v1/namespaces/default/configmaps?fieldManager=maker', body({ x: '1' }));
  const replaced = await ask('PUT', `${path}?fieldManager=changer`, { ...created.json, data: { x: '1', y: '2' } });
  const managers = replaced.json.metadata.managedFields.map(({ manager, fieldsV1 }: { manager: string; fieldsV1: object }) => [
    manager,
    fieldsV1,
  ]);
  assert.deepEqual(managers, [
    ['changer', { 'f:data': { 'f:y': {} } }],
    ['maker', { 'f:data': { '.': {}, 'f:x': {} } }],
  ]);
  await close();
});

test('an apply without a manager, of unknown fields, or under another name is refused', async () => {
  const { ask, close } = await startServer();
  const unnamed = await ask('PATCH', path, body({}), yaml);
  assert.deepEqual(
    [unnamed.status, unnamed.json.message],
    [422, 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'],
  );
  const unknown = await ask('PATCH', `${path}?fieldManager=one`, { ...body({}), spec: {} }, yaml);
  assert.deepEqual(
    [unknown.status, unknown.json.message],
    [500, 'failed to create typed patch object (/a; /v1, Kind=ConfigMap): .spec: field not declared in schema'],
  );
  assert.equal((await ask('PATCH', `${path}?fieldManager=one`, body({}, { name: 'b' }), yaml)).status, 400);
  assert.equal((await ask('PATCH', `${path}?force=true`, {}, { 'content-type': 'application/merge-patch+json' })).status, 422);
  await close();
});
