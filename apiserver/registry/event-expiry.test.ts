import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../server-fixture.ts';

const path = '/api/v1/namespaces/default/events';
const event = (name: string) => ({
  metadata: { name },
  involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
  reason: 'R',
  message: 'm',
  count: 1,
});
const merge = { 'content-type': 'application/merge-patch+json' };

test('events go after an hour, and those written again an hour after that', async (t) => {
  const { ask, clock, close } = await startServer();
  t.after(close);
  const names = async () => ((await ask('GET', path)).json.items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
  for (const name of ['once', 'again']) assert.equal((await ask('POST', path, event(name))).status, 201);
  await clock.step(40 * 60_000);
  assert.equal((await ask('PATCH', `${path}/again`, { count: 2 }, merge)).status, 200);
  await clock.step(19 * 60_000);
  assert.deepEqual(await names(), ['again', 'once']);
  await clock.step(3 * 60_000);
  assert.deepEqual(await names(), ['again']);
  await clock.step(40 * 60_000);
  assert.deepEqual(await names(), []);
});

test('how long events are kept can be said', async (t) => {
  const { ask, clock, close } = await startServer({ eventTtlSeconds: 120 });
  t.after(close);
  await ask('POST', path, event('short'));
  await clock.step(60_000);
  assert.equal((await ask('GET', `${path}/short`)).status, 200);
  await clock.step(3 * 60_000);
  assert.equal((await ask('GET', `${path}/short`)).status, 404);
});
