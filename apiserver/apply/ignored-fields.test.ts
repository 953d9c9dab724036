import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../server-fixture.ts';
import { keeping } from './ignored-fields.ts';

test('what is reset is taken out with all that lies below it, or everything else is', () => {
  const set = {
    'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
    'f:spec': {
      'f:containers': { '.': {}, 'k:{"name":"a"}': { '.': {}, 'f:image': {}, 'f:resources': { 'f:limits': { 'f:cpu': {} } } } },
      'f:nodeName': {},
    },
    'f:status': {},
  };
  assert.deepEqual(keeping(['status', 'metadata.labels'])(set), { 'f:spec': set['f:spec'] });
  assert.equal(keeping([])(set), set);
  assert.deepEqual(keeping({ allBut: ['spec.containers.*.resources'] })(set), {
    'f:spec': { 'f:containers': { '.': {}, 'k:{"name":"a"}': { '.': {}, 'f:resources': { 'f:limits': { 'f:cpu': {} } } } } },
  });
  assert.deepEqual(keeping({ allBut: ['data'] })(set), {});
});

test('each kind and subresource resets, and has nobody manage, what Kubernetes resets there', async () => {
  const { ask, close } = await startServer();
  const fieldsOf = (json: { metadata: { managedFields: { manager: string; fieldsV1: object }[] } }, name: string) =>
    json.metadata.managedFields.find(({ manager }) => manager === name)?.fieldsV1;
  const path = '/apis/storage.k8s.io/v1/volumeattachments';
  const spec = { attacher: 'e.com', nodeName: 'n', source: { persistentVolumeName: 'v' } };
  assert.equal((await ask('POST', path, { metadata: { name: 'a' }, spec })).status, 201);
  const merge = { 'content-type': 'application/merge-patch+json' };
  const change = { metadata: { labels: { x: 'y' } }, spec: { attacher: 'other' }, status: { attached: true } };
  const attached = await ask('PATCH', `${path}/a/status?fieldManager=attacher`, change, merge);
  assert.deepEqual([attached.json.metadata.labels, attached.json.spec.attacher], [undefined, 'e.com']);
  assert.deepEqual(fieldsOf(attached.json, 'attacher'), { 'f:status': { 'f:attached': {} } });

  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const deployments = '/apis/apps/v1/namespaces/default/deployments';
  const deployment = { metadata: { name: 'd', labels: { a: 'b' } }, spec: { selector: { matchLabels: { a: 'b' } }, template } };
  assert.equal((await ask('POST', deployments, deployment)).status, 201);
  const counted = await ask(
    'PATCH',
    `${deployments}/d/status?fieldManager=controller`,
    { metadata: { labels: { a: 'c' }, annotations: { k: 'v' } }, status: { observedGeneration: 1 } },
    merge,
  );
  assert.deepEqual(counted.json.metadata.labels, { a: 'b' });
  assert.deepEqual(fieldsOf(counted.json, 'controller'), {
    'f:metadata': { 'f:annotations': { '.': {}, 'f:k': {} } },
    'f:status': { 'f:observedGeneration': {} },
  });
  await close();
});
