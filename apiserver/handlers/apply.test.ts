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

test('what was managed in one version of a kind is taken over by writes in another', async () => {
  const { ask, close } = await startServer();
  const at = (version: string) => `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
  const spec = { scaleTargetRef, maxReplicas: 5, targetCPUUtilizationPercentage: 50 };
  const made = await ask(
    'PATCH',
    `${at('v1')}/web?fieldManager=old`,
    { apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', spec },
    yaml,
  );
  assert.equal(made.status, 201, made.text);
  const metric = (averageUtilization: number) => ({
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
  });
  const inV2 = (utilization: number) => ({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    spec: { metrics: [metric(utilization)] },
  });
  const refused = await ask('PATCH', `${at('v2')}/web?fieldManager=new`, inV2(70), yaml);
  assert.deepEqual(
    [refused.status, refused.json.message],
    [409, 'Apply failed with 1 conflict: conflict with "old": .spec.targetCPUUtilizationPercentage'],
  );
  const forced = await ask('PATCH', `${at('v2')}/web?fieldManager=new&force=true`, inV2(70), yaml);
  const fieldsOf = (name: string) => forced.json.metadata.managedFields.find(({ manager }: { manager: string }) => manager === name);
  assert.deepEqual(fieldsOf('old').fieldsV1, { 'f:spec': { 'f:maxReplicas': {}, 'f:scaleTargetRef': {} } });
  assert.deepEqual([fieldsOf('old').apiVersion, fieldsOf('new').apiVersion], ['autoscaling/v1', 'autoscaling/v2']);
  // Who goes on in the other version has nothing taken away that it has there under another name.
  const over = await ask(
    'PATCH',
    `${at('v2')}/web?fieldManager=old`,
    { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', spec: { scaleTargetRef, maxReplicas: 5 } },
    yaml,
  );
  assert.deepEqual([over.status, over.json.spec.metrics], [200, [metric(70)]]);

  // What happened changes by core/v1 only.
  const regarding = { kind: 'Pod', namespace: 'default', name: 'p' };
  const writer = { eventTime: '2026-01-01T00:00:00.000000Z', reportingController: 'c', reportingInstance: 'i', action: 'Try' };
  const event = { metadata: { name: 'e' }, regarding, ...writer, reason: 'Tried', note: 'one', type: 'Normal' };
  const written = await ask('POST', '/apis/events.k8s.io/v1/namespaces/default/events?fieldManager=old', event);
  assert.equal(written.status, 201, written.text);
  const path = '/api/v1/namespaces/default/events/e';
  const noted = await ask('PATCH', `${path}?fieldManager=new`, { message: 'two' }, { 'content-type': 'application/merge-patch+json' });
  assert.equal(noted.status, 200, noted.text);
  const managers: { manager: string; apiVersion: string; fieldsV1: object }[] = noted.json.metadata.managedFields;
  const [newer, older] = ['new', 'old'].map((name) => managers.find(({ manager }) => manager === name));
  assert.deepEqual([newer?.apiVersion, newer?.fieldsV1], ['v1', { 'f:message': {} }]);
  const kept = older?.fieldsV1 ?? {};
  assert.deepEqual([older?.apiVersion, 'f:note' in kept, 'f:reason' in kept], ['events.k8s.io/v1', false, true]);
  await close();
});
