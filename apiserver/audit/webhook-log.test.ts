import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../base/log.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { openWebhookAudit } from './webhook-log.ts';

function start(answer: () => Promise<Record<string, unknown>> = async () => ({})) {
  const clock = new VirtualClock();
  const batches: unknown[][] = [];
  const errors: string[] = [];
  const log = { ...silentLog, error: (message: string) => void errors.push(message) };
  const ask = (list: object) => {
    const { kind, items } = list as { kind: string; items: unknown[] };
    assert.equal(kind, 'EventList');
    batches.push(items);
    return answer();
  };
  return { clock, batches, errors, audit: openWebhookAudit({ ask, clock, log, bufferMax: 5, batchMax: 3, waitMsMax: 1000 }) };
}
const event = (number: number) => ({ number });

test('events are sent together, when there are enough of them or when they have waited long enough', async () => {
  const { clock, batches, audit } = start();
  for (const number of [1, 2]) audit.write(event(number));
  await clock.step(999);
  assert.deepEqual(batches, []);
  await clock.step(1);
  assert.deepEqual(batches, [[event(1), event(2)]]);
  for (const number of [3, 4, 5, 6]) audit.write(event(number));
  await clock.step(0);
  assert.deepEqual(batches.slice(1), [[event(3), event(4), event(5)]]);
  await audit.close();
  assert.deepEqual(batches.slice(2), [[event(6)]]);
});

test('a service that does not keep up costs events, not memory; one that fails costs those it was sent', async () => {
  const held = Promise.withResolvers<Record<string, unknown>>();
  const slow = start(() => held.promise);
  for (let number = 0; number < 20; number++) slow.audit.write(event(number));
  await slow.clock.step(0);
  assert.equal(slow.errors.length, 12);
  held.reject(new Error('no'));
  await slow.audit.close();
  assert.deepEqual(
    slow.batches.map((batch) => batch.length),
    [3, 3, 2],
  );
  assert.deepEqual(slow.errors.slice(12), ['3 audit events are lost: no', '3 audit events are lost: no', '2 audit events are lost: no']);
});
