import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/core.ts';
import type { PodDisruptionBudget } from '../../api/policy.ts';
import { planBudget } from './plan.ts';

const time = '2026-01-01T00:10:00Z';
const nowMs = Date.parse(time);
const podOf = (name: string, isReady = true): Pod => ({
  metadata: { name },
  status: { conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
});
const plan = (spec: PodDisruptionBudget['spec'], pods: Pod[], scale?: number, status?: PodDisruptionBudget['status']) =>
  planBudget({ metadata: { name: 'b', generation: 3 }, spec, ...(status ? { status } : {}) } as PodDisruptionBudget, {
    pods,
    scale: scale === undefined ? undefined : { pods: scale, unmanaged: [] },
    nowMs,
    time,
  });
const three = [podOf('a'), podOf('b'), podOf('c')];

test('counts and shares round as Kubernetes rounds them', () => {
  assert.equal(plan({ minAvailable: 2 }, three).status.disruptionsAllowed, 1);
  assert.equal(plan({ minAvailable: '50%' }, three, 3).status.desiredHealthy, 2);
  assert.equal(plan({ maxUnavailable: '30%' }, three, 3).status.desiredHealthy, 2);
  assert.equal(plan({ maxUnavailable: 5 }, three, 3).status.desiredHealthy, 0);
  assert.equal(plan({ minAvailable: 0 }, []).status.disruptionsAllowed, 0, 'nothing is allowed while there are no pods');
  assert.equal(plan({ minAvailable: 2 }, [podOf('a', false), podOf('b')]).status.disruptionsAllowed, 0);
});

test('an evicted pod counts as gone for two minutes, and is then told to be still there', () => {
  const old = { currentHealthy: 3, desiredHealthy: 2, disruptionsAllowed: 0, expectedPods: 3 };
  const fresh = plan({ minAvailable: 2 }, three, undefined, { ...old, disruptedPods: { a: '2026-01-01T00:09:00Z', gone: time } });
  assert.equal(fresh.status.currentHealthy, 2);
  assert.deepEqual(fresh.status.disruptedPods, { a: '2026-01-01T00:09:00Z' });
  assert.equal(fresh.recheckAtMs, nowMs + 60_000);
  const stale = plan({ minAvailable: 2 }, three, undefined, { ...old, disruptedPods: { a: '2026-01-01T00:07:00Z' } });
  assert.equal(stale.status.currentHealthy, 3);
  assert.deepEqual(
    stale.notDeleted.map(({ metadata }) => metadata?.name),
    ['a'],
  );
});
