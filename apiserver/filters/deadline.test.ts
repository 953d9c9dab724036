import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaces } from '../../api/core.ts';
import type { AdmissionPlugin } from '../admission/admission.ts';
import { startServer } from '../server-fixture.ts';

const path = '/api/v1/namespaces/default/configmaps';

/** Holds writes back until it is told to let them go. */
function gate() {
  const entered = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const plugin: AdmissionPlugin = {
    name: 'gate',
    operations: ['CREATE'],
    handles: ({ kind }) => kind.plural === 'configmaps',
    async validate() {
      entered.resolve();
      await opened.promise;
    },
  };
  return { plugin, entered: entered.promise, open: () => opened.resolve() };
}

test('a request ends when the timeout it asked for is over, and what it wanted to write stays unwritten', async (t) => {
  const { plugin, entered, open } = gate();
  const { ask, clock, close } = await startServer({ admission: [plugin] });
  t.after(close);
  const answer = ask('POST', `${path}?timeout=1500ms`, { metadata: { name: 'late' } });
  await entered;
  await clock.step(1400);
  await clock.step(200);
  const { status, json } = await answer;
  assert.equal(status, 504);
  assert.equal(json.reason, 'Timeout');
  assert.equal(json.message, 'Timeout: request did not complete within the allotted timeout');
  open();
  await clock.step(1);
  assert.equal((await ask('GET', `${path}/late`)).status, 404);
});

test('a longer timeout than the server allots does not help, and one that is no duration is refused', async (t) => {
  const { plugin, entered, open } = gate();
  const { ask, clock, close } = await startServer({ admission: [plugin], requestTimeoutMs: 1000 });
  t.after(close);
  const answer = ask('POST', `${path}?timeout=1h`, { metadata: { name: 'late' } });
  await entered;
  await clock.step(1001);
  assert.equal((await answer).status, 504);
  open();
  const odd = await ask('GET', `/api/v1/${namespaces.plural}?timeout=soon`);
  assert.equal(odd.status, 400);
  assert.equal(odd.json.message, 'invalid timeout specified in the request URL - time: invalid duration "soon"');
});
