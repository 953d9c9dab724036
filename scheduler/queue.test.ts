import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import { SchedulingQueue } from './queue.ts';

test('higher priority goes first, then who came first', () => {
  const queue = new SchedulingQueue(new VirtualClock(), () => {});
  queue.add('a', 0);
  queue.add('b', 10);
  queue.add('c', 0);
  assert.deepEqual([queue.take(), queue.take(), queue.take(), queue.take()], ['b', 'a', 'c', undefined]);
});

test('an unschedulable pod waits for a change of the cluster, and then for its back-off', async () => {
  const clock = new VirtualClock();
  let wakes = 0;
  const queue = new SchedulingQueue(clock, () => wakes++);
  queue.add('a', 0);
  queue.take();
  queue.failed('a', true);
  await clock.step(2000);
  assert.equal(queue.take(), undefined);
  queue.clusterChanged('NodeAdd');
  assert.equal(queue.take(), 'a');
  queue.failed('a', true);
  queue.clusterChanged('NodeAdd');
  assert.equal(queue.take(), undefined);
  wakes = 0;
  await clock.step(2000);
  assert.equal(wakes, 1);
  assert.equal(queue.take(), 'a');
  queue.close();
});

test('a change while a pod is in flight is not missed', async () => {
  const clock = new VirtualClock();
  const queue = new SchedulingQueue(clock, () => {});
  queue.add('a', 0);
  queue.take();
  queue.clusterChanged('NodeAdd');
  queue.failed('a', true);
  await clock.step(1000);
  assert.equal(queue.take(), 'a');
  queue.close();
});

test('a pod is never set aside for longer than five minutes', async () => {
  const clock = new VirtualClock();
  const queue = new SchedulingQueue(clock, () => {});
  queue.add('a', 0);
  queue.take();
  queue.failed('a', true);
  await clock.step(302_000);
  assert.equal(queue.take(), 'a');
  queue.close();
});

test('a pod that is gone leaves the line', () => {
  const queue = new SchedulingQueue(new VirtualClock(), () => {});
  queue.add('a', 0);
  queue.remove('a');
  assert.equal(queue.hasActive, false);
  assert.equal(queue.take(), undefined);
});
