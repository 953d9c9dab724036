import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../server-fixture.ts';

const deployments = '/apis/apps/v1/namespaces/default/deployments';
const applyType = { 'content-type': 'application/apply-patch+yaml' };
const merge = { 'content-type': 'application/merge-patch+json' };

const deployment = (spec: object) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web' }] } },
    ...spec,
  },
});

const scaleBody = (replicas: number) => ({ apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'web' }, spec: { replicas } });

interface Entry {
  manager: string;
  operation: string;
  apiVersion: string;
  subresource?: string;
  fieldsV1: { 'f:spec'?: { 'f:replicas'?: object } };
}

test('who scales comes to manage the replicas in the object, and an apply meets the conflicts of both', async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  const owners = async () => {
    const { json } = await server.ask('GET', `${deployments}/web`);
    const entries: Entry[] = json.metadata.managedFields;
    return entries
      .filter(({ fieldsV1 }) => fieldsV1['f:spec']?.['f:replicas'])
      .map(({ manager, operation, apiVersion, subresource = '' }) => `${manager} ${operation} ${apiVersion} ${subresource}`.trim());
  };
  const path = `${deployments}/web`;
  assert.equal((await server.ask('PATCH', `${path}?fieldManager=one`, deployment({ replicas: 1 }), applyType)).status, 201);
  assert.deepEqual(await owners(), ['one Apply apps/v1']);

  const unchanged = await server.ask('PATCH', `${path}/scale?fieldManager=two`, { spec: { replicas: 1 } }, merge);
  assert.equal(unchanged.status, 200, unchanged.text);
  assert.deepEqual(await owners(), ['one Apply apps/v1'], 'what changes nothing takes nothing');

  const refused = await server.ask('PATCH', `${path}/scale?fieldManager=two`, scaleBody(3), applyType);
  assert.equal(refused.json.message, 'Apply failed with 1 conflict: conflict with "one": .spec.replicas', refused.text);
  const forced = await server.ask('PATCH', `${path}/scale?fieldManager=two&force=true`, scaleBody(3), applyType);
  assert.equal(forced.json.spec.replicas, 3, forced.text);
  assert.deepEqual(await owners(), ['two Apply apps/v1 scale']);
  assert.equal(forced.json.metadata.managedFields, undefined);

  const again = await server.ask('PATCH', `${path}?fieldManager=one`, deployment({ replicas: 1 }), applyType);
  assert.match(again.json.message, /conflict with "two" with subresource "scale": \.spec\.replicas$/);
  const put = await server.ask('PUT', `${path}/scale?fieldManager=three`, scaleBody(5));
  assert.equal(put.json.spec.replicas, 5, put.text);
  assert.deepEqual(await owners(), ['three Update apps/v1 scale']);
  assert.equal((await server.ask('PATCH', `${path}?fieldManager=one`, deployment({}), applyType)).json.spec.replicas, 5);
});
