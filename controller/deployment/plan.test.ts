import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Deployment, ReplicaSet } from '../../api/apps.ts';
import { bounds, planDeployment, resized } from './plan.ts';
import { revisionOf, templateHash } from './revision.ts';

type Strategy = NonNullable<NonNullable<Deployment['spec']>['strategy']>;

function deployment(image: string, replicas: number, strategy: Strategy = { type: 'RollingUpdate' }): Deployment {
  return {
    metadata: { name: 'web', namespace: 'a', uid: 'd', generation: 1 },
    spec: {
      replicas,
      strategy,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
    },
  };
}

/** IntOrString is typed as an object by the generated models, and is a number or a string on the wire. */
const rolling = (maxSurge: unknown, maxUnavailable: unknown) =>
  ({ type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } }) as unknown as Strategy;

const sizeOf = (rs: ReplicaSet) => rs.spec?.replicas ?? 0;
const availableIn = (rs: ReplicaSet) => rs.status?.availableReplicas ?? 0;
const total = (sets: readonly ReplicaSet[], of: (rs: ReplicaSet) => number) => sets.reduce((sum, rs) => sum + of(rs), 0);

let serial = 0;
/** The replica sets after one step of the plan; all pods that are made have yet to become available. */
function step(of: Deployment, sets: readonly ReplicaSet[]): ReplicaSet[] {
  const plan = planDeployment({ deployment: of, replicaSets: sets, pods: [] });
  const next = sets
    .filter((rs) => !plan.delete.includes(rs))
    .map((rs) => {
      const resize = plan.resize.find(({ replicaSet }) => replicaSet === rs);
      if (!resize) return rs;
      const changed = resized(of, resize);
      return { ...changed, status: { replicas: resize.replicas, availableReplicas: Math.min(availableIn(rs), resize.replicas) } };
    });
  if (plan.create) {
    const metadata = {
      ...plan.create.metadata,
      uid: `rs-${serial}`,
      creationTimestamp: new Date(Date.UTC(2026, 0, 1, 0, 0, serial++)).toISOString(),
    };
    next.push({ ...plan.create, metadata, status: { replicas: sizeOf(plan.create), availableReplicas: 0 } });
  }
  return next;
}

const available = (sets: readonly ReplicaSet[]) =>
  sets.map((rs) => ({ ...rs, status: { replicas: sizeOf(rs), availableReplicas: sizeOf(rs) } }));
const sizes = (sets: readonly ReplicaSet[]) => sets.map(sizeOf);

test('bounds are rounded up for the surge and down for what may be missing, and never both nothing', () => {
  assert.deepEqual(bounds(deployment('i', 10, rolling('25%', '25%'))), { maxSurge: 3, maxUnavailable: 2 });
  assert.deepEqual(bounds(deployment('i', 3)), { maxSurge: 1, maxUnavailable: 0 });
  assert.deepEqual(bounds(deployment('i', 4, rolling(0, '10%'))), { maxSurge: 0, maxUnavailable: 1 });
});

test('a rolling update goes step by step, as many at a time as its bounds allow', () => {
  const one = deployment('one', 4, rolling(1, 1));
  let sets = available(step(one, []));
  assert.deepEqual(sizes(sets), [4]);
  const two = deployment('two', 4, rolling(1, 1));
  const seen: string[] = [];
  for (let i = 0; i < 12 && !seen.includes('0,4'); i++) {
    sets = available(step(two, sets));
    if (seen.at(-1) !== sizes(sets).join()) seen.push(sizes(sets).join());
  }
  assert.deepEqual(seen, ['4,1', '2,1', '2,3', '0,3', '0,4']);
  assert.deepEqual(sets.map(revisionOf), [1, 2]);
});

test('to recreate, all old pods go before the first new one comes', () => {
  const recreate = { type: 'Recreate' };
  const sets = available(step(deployment('one', 3, recreate), []));
  const two = deployment('two', 3, recreate);
  const stopped = step(two, sets);
  assert.deepEqual(sizes(stopped), [0]);
  const oldPod = {
    metadata: { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'x', uid: sets[0]?.metadata?.uid ?? '' }] },
  };
  assert.equal(planDeployment({ deployment: two, replicaSets: stopped, pods: [oldPod] }).create, undefined);
  assert.deepEqual(sizes(step(two, stopped)), [0, 3]);
});

test('a template that comes back gets its old replica set back, with a new revision', () => {
  let sets = available(step(deployment('one', 2), []));
  for (let i = 0; i < 8; i++) sets = available(step(deployment('two', 2), sets));
  assert.deepEqual(sizes(sets), [0, 2]);
  const plan = planDeployment({ deployment: deployment('one', 2), replicaSets: sets, pods: [] });
  assert.equal(plan.create, undefined);
  assert.equal(plan.revision, 3);
  assert.equal(plan.refresh?.metadata?.annotations?.['deployment.kubernetes.io/revision-history'], '1');
});

test('scaled in the middle of a rollout, each replica set gets its share', () => {
  let sets: ReplicaSet[] = available(step(deployment('one', 10, rolling(3, 2)), []));
  const two = deployment('two', 10, rolling(3, 2));
  sets = step(two, sets);
  sets = step(two, sets);
  assert.deepEqual(sizes(sets), [8, 3]);
  const bigger = deployment('two', 20, rolling(3, 2));
  const after = step(bigger, sets);
  assert.equal(total(after, sizeOf), 23);
  assert.ok((sizes(after)[0] ?? 0) > 8 && (sizes(after)[1] ?? 0) > 3, String(sizes(after)));
});

test('a paused deployment is scaled, but not rolled out', () => {
  const sets = available(step(deployment('one', 2), []));
  const base = deployment('two', 5);
  const paused = { ...base, ...(base.spec ? { spec: { ...base.spec, paused: true } } : {}) };
  assert.deepEqual(sizes(step(paused, sets)), [5]);
});

test('the hash of a template depends on what it says, not on the order it says it in', () => {
  const a = { metadata: { labels: { x: '1', y: '2' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const b = { spec: { containers: [{ image: 'i', name: 'c' }] }, metadata: { labels: { y: '2', x: '1' } } };
  assert.equal(templateHash(a, 0), templateHash(b, 0));
  assert.notEqual(templateHash(a, 0), templateHash(a, 1));
  assert.match(templateHash(a, 0), /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
});

test('however pods come and go, a rollout keeps its bounds and ends with all pods of the newest template', () => {
  const anyStrategy = fc.tuple(fc.constantFrom(0, 1, 2, '25%', '100%'), fc.constantFrom(0, 1, 2, '25%', '50%'));
  const anyRun = fc.record({
    strategy: anyStrategy,
    images: fc.array(fc.constantFrom('one', 'two', 'three'), { minLength: 1, maxLength: 4 }),
    replicas: fc.integer({ min: 1, max: 12 }),
    luck: fc.infiniteStream(fc.nat(3)),
  });
  fc.assert(
    fc.property(anyRun, ({ strategy: [surge, unavailable], images, replicas, luck }) => {
      let sets: ReplicaSet[] = [];
      let now = deployment('none', replicas);
      const turn = () => {
        const { maxSurge, maxUnavailable } = bounds(now);
        const before = total(sets, availableIn);
        sets = step(now, sets);
        assert.ok(total(sets, sizeOf) <= replicas + maxSurge, `${sizes(sets)} of ${replicas}+${maxSurge}`);
        // What a step takes away never brings fewer to be available than must be.
        assert.ok(total(sets, availableIn) >= Math.min(before, replicas - maxUnavailable), `${total(sets, availableIn)} available`);
      };
      for (const image of images) {
        now = deployment(image, replicas, rolling(surge, unavailable));
        for (let i = 0; i < 6; i++) {
          turn();
          sets = sets.map((rs) => {
            const availableReplicas = Math.min(sizeOf(rs), availableIn(rs) + (luck.next().value ?? 0));
            return { ...rs, status: { replicas: sizeOf(rs), availableReplicas } };
          });
        }
      }
      for (let i = 0; i < 60; i++) {
        turn();
        sets = available(sets);
      }
      const last = planDeployment({ deployment: now, replicaSets: sets, pods: [] });
      assert.equal(last.current && sizeOf(last.current), replicas);
      assert.equal(total(last.old, sizeOf), 0);
    }),
    { numRuns: 200 },
  );
});
