import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Node, Pod, Service } from '../../api/core.ts';
import { type EndpointSlice, serviceNameLabel } from '../../api/discovery.ts';
import { endpointsPerSliceMax, managedByLabel, planSlices, type SlicesState, sliceController } from './plan.ts';

const service: Service = {
  metadata: { name: 'web', namespace: 'a', uid: 's' },
  spec: { clusterIP: '10.96.0.5', ipFamilies: ['IPv4'], selector: { app: 'web' }, ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
};

function pod(number: number, options: { isReady?: boolean; deleting?: boolean } = {}): Pod {
  return {
    metadata: {
      name: `p${number}`,
      namespace: 'a',
      uid: `u${number}`,
      ...(options.deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { nodeName: 'n1', containers: [] },
    status: {
      phase: 'Running',
      podIPs: [{ ip: `10.0.${number >> 8}.${number & 255}` }],
      conditions: [{ type: 'Ready', status: options.isReady === false ? 'False' : 'True' }],
    },
  };
}

const nodes = new Map<string, Node>([['n1', { metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1' } } }]]);
const pods = (count: number, from = 0) => Array.from({ length: count }, (_, i) => pod(from + i));

/** The slices once the plan has been carried out. */
function carriedOut(state: SlicesState): EndpointSlice[] {
  const plan = planSlices(state);
  let serial = state.current.length;
  const uid = () => `slice-${serial++}-${state.current.map((s) => s.metadata?.uid).join('')}`.slice(0, 60);
  const created = plan.create.map((slice) => ({ ...slice, metadata: { ...slice.metadata, uid: uid() } }));
  const isGone = (slice: EndpointSlice) => plan.delete.includes(slice);
  const kept = state.current
    .filter((slice) => !isGone(slice))
    .map((slice) => plan.update.find((u) => u.metadata?.uid === slice.metadata?.uid) ?? slice);
  return [...kept, ...created];
}

const namesIn = (slices: readonly EndpointSlice[]) =>
  slices.flatMap((slice) => (slice.endpoints ?? []).map((e) => e.targetRef?.name ?? '')).sort();
const state = (selected: Pod[], current: EndpointSlice[] = [], of = service): SlicesState => ({ service: of, selected, nodes, current });

test('an endpoint tells its conditions, node and zone, and its slice whose it is', () => {
  const [slice] = planSlices(state([pod(1, { deleting: true })])).create;
  assert.deepEqual(slice?.metadata?.labels, { [serviceNameLabel]: 'web', [managedByLabel]: sliceController });
  assert.equal(slice?.metadata?.ownerReferences?.[0]?.uid, 's');
  assert.deepEqual(slice?.ports, [{ name: 'http', protocol: 'TCP', port: 80 }]);
  assert.deepEqual(slice?.endpoints, [
    {
      addresses: ['10.0.0.1'],
      conditions: { ready: false, serving: true, terminating: true },
      nodeName: 'n1',
      targetRef: { kind: 'Pod', namespace: 'a', name: 'p1', uid: 'u1' },
      zone: 'z1',
    },
  ]);
});

test('a service without pods has one empty slice, which the first pods then fill', () => {
  const empty = carriedOut(state([]));
  assert.deepEqual(
    empty.map((s) => [s.endpoints?.length, s.ports?.length]),
    [[0, 0]],
  );
  assert.deepEqual(planSlices(state([], empty)), { create: [], update: [], delete: [] });
  const plan = planSlices(state(pods(2), empty));
  assert.deepEqual([plan.create.length, plan.update.length, plan.delete.length], [0, 1, 0]);
  assert.deepEqual(namesIn(plan.update), ['p0', 'p1']);
});

test('one change in many writes one slice', () => {
  const full = carriedOut(state(pods(250)));
  assert.deepEqual(
    full.map((s) => s.endpoints?.length),
    [100, 100, 50],
  );
  const changed = [...pods(249), pod(249, { isReady: false })];
  const plan = planSlices(state(changed, full));
  assert.deepEqual([plan.create.length, plan.update.length, plan.delete.length], [0, 1, 0]);
  const added = planSlices(state(pods(260), full));
  assert.deepEqual([added.create.length, added.update.length, added.delete.length], [0, 1, 0]);
});

test('both families have slices of their own, and those of a family that is no more go', () => {
  const dual: Service = { ...service, spec: { ...service.spec, ipFamilies: ['IPv4', 'IPv6'] } };
  const both = carriedOut(state(pods(1), [], dual));
  assert.deepEqual(
    both.map((s) => [s.addressType, s.endpoints?.length]),
    [
      ['IPv4', 1],
      ['IPv6', 0],
    ],
  );
  assert.deepEqual(
    planSlices(state(pods(1), both)).delete.map((s) => s.addressType),
    ['IPv6'],
  );
});

test('through any history of pods each has exactly one endpoint, no slice is overfull, and a second plan is empty', () => {
  const anyHistory = fc.array(fc.uniqueArray(fc.nat(330), { maxLength: 320, size: 'max' }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(anyHistory, (history) => {
      let slices: EndpointSlice[] = [];
      for (const numbers of history) {
        const selected = numbers.map((number) => pod(number));
        slices = carriedOut(state(selected, slices));
        assert.deepEqual(namesIn(slices), selected.map((p) => p.metadata?.name).sort());
        assert.ok(slices.every((slice) => (slice.endpoints ?? []).length <= endpointsPerSliceMax));
        assert.deepEqual(planSlices(state(selected, slices)), { create: [], update: [], delete: [] });
      }
    }),
    { numRuns: 30 },
  );
});
