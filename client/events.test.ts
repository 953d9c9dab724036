import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CoreEvent, events, type Pod } from '../api/core.ts';
import { silentLog } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { createEventRecorder } from './events.ts';
import { FakeApi } from './fake-api.ts';
import { createClient } from './rest-client.ts';

const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'a', uid: 'u-1', resourceVersion: '5' } };

function start() {
  const api = new FakeApi();
  const clock = new VirtualClock();
  const client = createClient(api);
  const recorder = createEventRecorder({ client, clock, random: seededRandom(1), log: silentLog, component: 'kubelet', host: 'n1' });
  const written = async (): Promise<CoreEvent[]> => {
    await recorder.flush();
    return (await client.list(events)).items;
  };
  return { api, clock, client, recorder, written };
}

test('an event says who saw what about whom', async () => {
  const { recorder, written } = start();
  recorder.record(pod, 'Normal', 'Pulled', 'done', 'spec.containers{web}');
  const [event] = await written();
  assert.match(event?.metadata.name ?? '', /^web\.[0-9a-f]{16}$/);
  assert.deepEqual(event?.involvedObject, {
    apiVersion: 'v1',
    kind: 'Pod',
    name: 'web',
    namespace: 'a',
    uid: 'u-1',
    resourceVersion: '5',
    fieldPath: 'spec.containers{web}',
  });
  assert.deepEqual([event?.source, event?.count, event?.firstTimestamp], [{ component: 'kubelet', host: 'n1' }, 1, '2026-01-01T00:00:00Z']);
});

test('the same event again counts up the first one', async () => {
  const { clock, recorder, written } = start();
  for (let i = 0; i < 3; i++) {
    recorder.record(pod, 'Warning', 'BackOff', 'again');
    await clock.step(10_000);
  }
  const all = await written();
  assert.deepEqual(
    all.map((e) => [e.count, e.firstTimestamp, e.lastTimestamp]),
    [[3, '2026-01-01T00:00:00Z', '2026-01-01T00:00:20Z']],
  );
});

test('an event that has expired on the server is told anew', async () => {
  const { api, recorder, written } = start();
  recorder.record(pod, 'Warning', 'BackOff', 'again');
  await written();
  api.objects.clear();
  recorder.record(pod, 'Warning', 'BackOff', 'again');
  assert.deepEqual(
    (await written()).map((e) => e.count),
    [1],
  );
});

test('from the tenth different message of a reason on, they are combined', async () => {
  const { recorder, written } = start();
  for (let i = 0; i < 13; i++) recorder.record(pod, 'Warning', 'Failed', `try ${i}`);
  const all = await written();
  const combined = all.filter((e) => e.message?.startsWith('(combined from similar events): '));
  assert.deepEqual([all.length, combined.length, combined[0]?.count], [10, 1, 4]);
});

test('an object that causes a flood is cut off after 25, and let in again slowly', async () => {
  const { clock, recorder, written } = start();
  const count = async () => (await written()).reduce((sum, e) => sum + (e.count ?? 0), 0);
  for (let i = 0; i < 100; i++) recorder.record(pod, 'Normal', 'Same', 'same');
  assert.equal(await count(), 25);
  await clock.step(300_000);
  for (let i = 0; i < 100; i++) recorder.record(pod, 'Normal', 'Same', 'same');
  assert.equal(await count(), 26);
});
