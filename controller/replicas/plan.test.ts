import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Pod } from '../../api/core.ts';
import { selectorMatches, selectorOfMap } from '../../api/labels.ts';
import { controllerOf } from '../../api/owners.ts';
import { isPodActive } from '../../api/pods.ts';
import { burstReplicas, byDeletionOrder, planReplicas, type ReplicasState } from './plan.ts';

const nowMs = Date.UTC(2026, 0, 2);
const owner = 'owner-uid';

interface PodOptions {
  node?: string;
  phase?: string;
  ready?: string;
  created?: string;
  restarts?: number;
  cost?: string;
  labels?: Record<string, string>;
  ownerUid?: string | undefined;
  deleting?: boolean;
}

function pod(uid: string, options: PodOptions = {}): Pod {
  const {
    node = 'n1',
    phase = 'Running',
    ready,
    created = '2026-01-01T00:00:00Z',
    restarts = 0,
    cost,
    labels = { app: 'web' },
    deleting,
  } = options;
  const ownerUid = 'ownerUid' in options ? options.ownerUid : owner;
  return {
    metadata: {
      name: uid,
      namespace: 'a',
      uid,
      labels,
      creationTimestamp: created,
      ...(cost ? { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } } : {}),
      ...(deleting ? { deletionTimestamp: '2026-01-01T01:00:00Z' } : {}),
      ...(ownerUid
        ? { ownerReferences: [{ apiVersion: 'v1', kind: 'ReplicationController', name: 'x', uid: ownerUid, controller: true }] }
        : {}),
    },
    spec: { containers: [], nodeName: node },
    status: {
      phase,
      ...(ready ? { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: ready }] } : {}),
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: restarts }],
    },
  };
}

const order = (...all: Pod[]) => byDeletionOrder(all, all, nowMs).map((p) => p.metadata?.uid);
const readyEarly = '2026-01-01T00:00:10Z';
const readyLate = '2026-01-01T23:59:00Z';

test('the ones that are missed least are deleted first', () => {
  assert.deepEqual(order(pod('assigned'), pod('unassigned', { node: '', phase: 'Pending' })), ['unassigned', 'assigned']);
  assert.deepEqual(order(pod('running'), pod('unknown', { phase: 'Unknown' }), pod('pending', { phase: 'Pending' })), [
    'pending',
    'unknown',
    'running',
  ]);
  assert.deepEqual(order(pod('ready', { ready: readyEarly }), pod('unready')), ['unready', 'ready']);
  assert.deepEqual(order(pod('dear', { cost: '5', ready: readyEarly }), pod('cheap', { cost: '-5', ready: readyEarly })), [
    'cheap',
    'dear',
  ]);
  assert.deepEqual(order(pod('alone', { node: 'n2' }), pod('crowded-1'), pod('crowded-2')), ['crowded-1', 'crowded-2', 'alone']);
  assert.deepEqual(order(pod('long', { ready: readyEarly }), pod('short', { ready: readyLate })), ['short', 'long']);
  assert.deepEqual(order(pod('steady', { restarts: 1 }), pod('restless', { restarts: 4 })), ['restless', 'steady']);
  assert.deepEqual(order(pod('old'), pod('new', { created: '2026-01-01T23:59:59Z' })), ['new', 'old']);
});

test('an owner that is being deleted neither makes, takes, lets go nor deletes', () => {
  const pods = [pod('own'), pod('orphan', { ownerUid: undefined }), pod('strayed', { labels: {} })];
  const plan = planReplicas({ ownerUid: owner, isDeleting: true, selector: selectorOfMap({ app: 'web' }), wanted: 5, pods, nowMs });
  assert.deepEqual([plan.adopt, plan.release, plan.create, plan.delete], [[], [], 0, []]);
});

const anyPod = fc
  .record({
    uid: fc.uuid(),
    node: fc.constantFrom('', 'n1', 'n2'),
    phase: fc.constantFrom('Pending', 'Running', 'Unknown', 'Succeeded', 'Failed'),
    labels: fc.constantFrom({ app: 'web' }, { app: 'web', more: 'x' }, { app: 'db' }, {}),
    ownerUid: fc.constantFrom(owner, 'other-uid', undefined),
    deleting: fc.boolean(),
    restarts: fc.nat(3),
  })
  .map(({ uid, ...options }) => pod(uid, options));

const anyState = fc.record({
  ownerUid: fc.constant(owner),
  isDeleting: fc.constant(false),
  selector: fc.constant(selectorOfMap({ app: 'web' })),
  wanted: fc.nat(12),
  pods: fc.uniqueArray(anyPod, { maxLength: 12, selector: (p) => p.metadata?.uid }),
  nowMs: fc.constant(nowMs),
});

/** The pods as they are once the plan has been carried out. */
function carriedOut(state: ReplicasState): Pod[] {
  const plan = planReplicas(state);
  const kept = state.pods.filter((p) => !plan.delete.includes(p) && !plan.release.includes(p) && !plan.adopt.includes(p));
  const released = plan.release.map((p) => pod(p.metadata?.uid ?? '', { ownerUid: undefined, labels: p.metadata?.labels ?? {} }));
  const adopted = plan.adopt.filter((p) => !plan.delete.includes(p)).map((p) => pod(p.metadata?.uid ?? ''));
  const created = Array.from({ length: plan.create }, (_, i) => pod(`new-${i}`));
  return [...kept, ...released, ...adopted, ...created];
}

test('whatever the state, one plan brings exactly the wanted number, and a second has nothing to do', () => {
  fc.assert(
    fc.property(anyState, (state) => {
      const pods = carriedOut(state);
      const mine = pods.filter((p) => controllerOf(p)?.uid === owner && isPodActive(p));
      assert.equal(mine.length, state.wanted);
      assert.ok(mine.every((p) => selectorMatches(state.selector, p.metadata?.labels)));
      const again = planReplicas({ ...state, pods });
      assert.deepEqual([again.adopt, again.release, again.create, again.delete], [[], [], 0, []]);
    }),
  );
});

test('a plan never touches the pods of others, and never both makes and deletes', () => {
  fc.assert(
    fc.property(anyState, (state) => {
      const plan = planReplicas(state);
      assert.ok(plan.create === 0 || plan.delete.length === 0);
      for (const p of [...plan.adopt, ...plan.release, ...plan.delete]) {
        assert.notEqual(controllerOf(p)?.uid, 'other-uid');
        assert.ok(isPodActive(p));
      }
    }),
  );
});

test('no more than a burst is made at one go', () => {
  const plan = planReplicas({
    ownerUid: owner,
    isDeleting: false,
    selector: selectorOfMap({ app: 'web' }),
    wanted: 10_000,
    pods: [],
    nowMs,
  });
  assert.equal(plan.create, burstReplicas);
});
