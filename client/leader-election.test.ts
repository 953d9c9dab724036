import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '../api/core.ts';
import { aborted } from '../base/abort.ts';
import { silentLog } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { FakeApi } from './fake-api.ts';
import { runForLeader } from './leader-election.ts';
import { createClient } from './rest-client.ts';

function start(identities: string[]) {
  const api = new FakeApi();
  const clock = new VirtualClock();
  const leading = new Set<string>();
  /** The requests of these candidates fail. */
  const cutOff = new Set<string>();
  const ends = new Map<string, AbortController>();
  const running: Promise<void>[] = [];
  identities.forEach((identity, index) => {
    const end = new AbortController();
    ends.set(identity, end);
    const transport = {
      request: async (request: Parameters<typeof api.request>[0]) => {
        if (cutOff.has(identity)) throw new Error('unreachable');
        return api.request(request);
      },
      close: async () => {},
    };
    running.push(
      runForLeader({
        client: createClient(transport),
        clock,
        random: seededRandom(index + 1),
        log: silentLog,
        signal: end.signal,
        namespace: 'kube-system',
        name: 'controllers',
        identity,
        async lead(signal) {
          leading.add(identity);
          await aborted(signal);
          leading.delete(identity);
        },
      }),
    );
  });
  return {
    api,
    clock,
    leading,
    cutOff,
    ends,
    running,
    lease: () => createClient(api).get(leases, { namespace: 'kube-system', name: 'controllers' }),
  };
}

test('one of several leads, and renews for as long as it lives', async () => {
  const { clock, leading, lease } = start(['a', 'b', 'c']);
  await clock.step(1_000);
  const [first] = leading;
  for (let minute = 0; minute < 5; minute++) {
    await clock.step(60_000);
    assert.deepEqual([...leading], [first]);
  }
  assert.equal((await lease()).spec?.leaseTransitions, 0);
});

test('a leader that is cut off stops before another begins, and never are there two', async () => {
  const { clock, leading, cutOff, lease } = start(['a', 'b']);
  await clock.step(5_000);
  const [first = ''] = leading;
  cutOff.add(first);
  let most = 0;
  for (let second = 0; second < 40; second++) {
    await clock.step(1_000);
    most = Math.max(most, leading.size);
  }
  assert.equal(most, 1);
  assert.deepEqual([...leading], [first === 'a' ? 'b' : 'a']);
  assert.equal((await lease()).spec?.leaseTransitions, 1);
});

test('a leader that ends gives the lease back, so that the next need not wait for it to expire', async () => {
  const { clock, leading, ends, running, lease } = start(['a', 'b']);
  await clock.step(5_000);
  const [first = ''] = leading;
  ends.get(first)?.abort();
  await clock.step(0);
  await running[first === 'a' ? 0 : 1];
  assert.equal((await lease()).spec?.holderIdentity, '');
  await clock.step(5_000);
  assert.deepEqual([...leading], [first === 'a' ? 'b' : 'a']);
});
