import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { silentLog } from '../base/log.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { startCompactor } from './compactor.ts';
import { createMemoryStore } from './memory.ts';
import { CompactedError } from './store.ts';

const minuteMs = 60_000;

/** A store, and every revision it was asked to compact. */
function start(t: TestContext, servers: number) {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  const compacted: number[] = [];
  const counting = new Proxy(store, {
    get(target, name) {
      if (name === 'compact') {
        return (revision: number) => {
          compacted.push(revision);
          return target.compact(revision);
        };
      }
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const compactors = Array.from({ length: servers }, () => startCompactor({ store: counting, clock, log: silentLog }));
  t.after(async () => {
    for (const compactor of compactors) compactor.stop();
    await store.close();
  });
  return { clock, store, compacted };
}

test('history stays for five minutes at least, and is gone after ten', async (t) => {
  const { clock, store } = start(t, 1);
  const old = await store.put('/registry/a', Buffer.from('1'));
  await store.put('/registry/a', Buffer.from('2'));
  await clock.step(5 * minuteMs);
  assert.equal((await store.get('/registry/a', old))?.modRevision, old);
  await clock.step(5 * minuteMs);
  await assert.rejects(store.get('/registry/a', old), CompactedError);
  assert.equal(Buffer.from((await store.get('/registry/a'))?.value ?? '').toString(), '2');
});

test('of several servers one compacts each time, and what is compacted never goes back', async (t) => {
  const { clock, store, compacted } = start(t, 3);
  for (let round = 0; round < 6; round++) {
    await store.put('/registry/a', Buffer.from(String(round)));
    await clock.step(5 * minuteMs);
  }
  assert.equal(compacted.length, 5);
  assert.deepEqual(
    compacted,
    [...compacted].sort((a, b) => a - b),
  );
});
