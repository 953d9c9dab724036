import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdmissionPlugin } from '../admission/admission.ts';
import { startServer } from '../server-fixture.ts';

const path = '/api/v1/namespaces/default/configmaps';
const owner = (uid: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid });
const rest = 'API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests';

test('owner references are there once, whoever doubled them, and the writer is warned', async () => {
  let doubles = false;
  const doubling: AdmissionPlugin = {
    name: 'Doubling',
    operations: ['CREATE', 'UPDATE'],
    admit({ object }) {
      const references = object?.metadata?.ownerReferences;
      if (doubles && references?.[0]) references.push({ ...references[0] });
    },
  };
  const { ask, close } = await startServer({ admission: [doubling] });
  const created = await ask('POST', path, { metadata: { name: 'a', ownerReferences: [owner('u'), owner('v'), owner('u')] } });
  assert.deepEqual(
    created.json.metadata.ownerReferences.map(({ uid }: { uid: string }) => uid),
    ['u', 'v'],
  );
  assert.equal(
    created.headers['warning'],
    `299 - ".metadata.ownerReferences contains duplicate entries; ${rest}; duplicate UID(s) observed: u"`,
  );
  doubles = true;
  const updated = await ask('PUT', `${path}/a`, { metadata: { name: 'a', ownerReferences: [owner('u')] } });
  assert.equal(updated.json.metadata.ownerReferences.length, 1);
  assert.match(String(updated.headers['warning']), /contains duplicate entries after mutating admission happens; API server dedups/);
  // Of the same owner, but not the same.
  doubles = false;
  const both = [owner('w'), { ...owner('w'), blockOwnerDeletion: true }];
  const differing = await ask('POST', path, { metadata: { name: 'b', ownerReferences: both } });
  assert.deepEqual([differing.json.metadata.ownerReferences.length, differing.headers['warning']], [2, undefined]);
  await close();
});

test('managedFields that admission garbles are as they were before, and the writer is warned', async () => {
  let entry: object = {};
  const garbling: AdmissionPlugin = {
    name: 'Garbling',
    operations: ['CREATE'],
    admit({ object }) {
      if (object?.metadata) Object.assign(object.metadata, { managedFields: [entry] });
    },
  };
  const { ask, close } = await startServer({ admission: [garbling] });
  const head = '.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating';
  for (const [garbled, why] of [
    [{ operation: 'Mend', apiVersion: 'v1', fieldsType: 'FieldsV1' }, 'operation must be `Apply` or `Update`'],
    [{ operation: 'Apply', fieldsType: 'FieldsV1' }, 'apiVersion must not be empty'],
    [{ operation: 'Apply', apiVersion: 'v1' }, 'missing fieldsType in managed fields entry 0'],
    [{ operation: 'Apply', apiVersion: 'v1', fieldsType: 'V2' }, 'invalid fieldsType \\"V2\\" in managed fields entry 0'],
  ] as const) {
    entry = garbled;
    const created = await ask('POST', `${path}?fieldManager=me`, { metadata: { generateName: 'g-' }, data: { a: 'b' } });
    assert.equal(created.json.metadata.managedFields[0].manager, 'me');
    assert.equal(created.headers['warning'], `299 - "${head} admission controller; please fix your requests: ${why}"`);
  }
  entry = { manager: 'plug', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': {} } };
  const taken = await ask('POST', path, { metadata: { name: 'taken' }, data: { a: 'b' } });
  assert.deepEqual([taken.json.metadata.managedFields[0].manager, taken.headers['warning']], ['plug', undefined]);
  await close();
});
