// What clients meet once the server has forgotten history by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from './server-fixture.ts';

test('a continue token and a revision from before a compaction are Expired, and a new list goes on', async (t) => {
  const { ask, clock, close } = await startServer();
  t.after(close);
  const path = '/api/v1/namespaces/default/configmaps';
  for (const name of ['a', 'b', 'c']) await ask('POST', path, { metadata: { name } });
  const page = (await ask('GET', `${path}?limit=1`)).json;
  await ask('DELETE', `${path}/b`);
  const held = await ask('GET', `${path}?limit=1&continue=${page.metadata.continue}`);
  assert.equal(held.json.items[0].metadata.name, 'b', 'history is still there');
  for (let minute = 0; minute < 11; minute++) await clock.step(60_000);
  const expired = await ask('GET', `${path}?continue=${page.metadata.continue}`);
  assert.equal(expired.status, 410);
  assert.equal(expired.json.reason, 'Expired');
  const rest = await ask('GET', `${path}?continue=${expired.json.metadata.continue}`);
  assert.deepEqual(
    rest.json.items.map((item: { metadata: { name: string } }) => item.metadata.name),
    ['c'],
  );
  const exact = await ask('GET', `${path}?resourceVersion=${page.metadata.resourceVersion}&resourceVersionMatch=Exact`);
  assert.equal(exact.status, 410);
});
