import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../server-fixture.ts';

test('what only made sense as the service was before goes with it, also while its type stays', async () => {
  const { ask, close } = await startServer();
  const path = '/api/v1/namespaces/default/services';
  const patch = (name: string, spec: object) =>
    ask('PATCH', `${path}/${name}`, { spec }, { 'content-type': 'application/merge-patch+json' });
  const balanced = { ports: [{ port: 80 }], type: 'LoadBalancer', externalTrafficPolicy: 'Local' };
  const local = await ask('POST', path, { metadata: { name: 'local' }, spec: balanced });
  assert.ok(local.json.spec.healthCheckNodePort > 0);
  const spread = await patch('local', { externalTrafficPolicy: 'Cluster' });
  assert.equal(spread.status, 200, spread.text);
  assert.equal(spread.json.spec.healthCheckNodePort, undefined);

  await ask('POST', path, { metadata: { name: 'outside' }, spec: { ports: [{ port: 80 }], externalIPs: ['192.0.2.1'] } });
  const inside = await patch('outside', { externalIPs: null });
  assert.equal(inside.status, 200, inside.text);
  assert.equal(inside.json.spec.externalTrafficPolicy, undefined);
  const written = await patch('outside', { externalTrafficPolicy: 'Local' });
  assert.equal(written.status, 422);
  await close();
});
