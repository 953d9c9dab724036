import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../server-fixture.ts';

test('a body of more than 3 MiB and a JSON patch of more than 10,000 operations are too large', async (t) => {
  const { ask, close } = await startServer();
  t.after(close);
  const path = '/api/v1/namespaces/default/configmaps';
  const large = await ask('POST', path, { metadata: { name: 'a' }, data: { x: 'x'.repeat(3 << 20) } });
  assert.deepEqual([large.status, large.json.reason], [413, 'RequestEntityTooLarge']);
  assert.equal(large.json.message, 'Request entity too large: limit is 3145728');
  await ask('POST', path, { metadata: { name: 'a' }, data: { x: '1' } });
  const type = { 'content-type': 'application/json-patch+json' };
  const patch = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/data/x', value: '1' }));
  const refused = await ask('PATCH', `${path}/a`, patch, type);
  assert.deepEqual([refused.status, refused.json.reason], [413, 'RequestEntityTooLarge']);
  assert.equal(refused.json.message, 'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001');
  assert.equal((await ask('PATCH', `${path}/a`, patch.slice(1), type)).status, 200);
});
