import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Node, Pod, Service } from '../api/core.ts';
import { seededRandom } from '../base/random.ts';
import { ClusterState } from './cluster-state.ts';
import { planPreemption } from './preemption.ts';
import { schedule, unschedulableMessage } from './schedule.ts';
import { untoleratedTaint } from './taints.ts';

const node = (
  name: string,
  extra: { cpu?: string; memory?: string; pods?: string; labels?: Record<string, string>; spec?: Node['spec'] } = {},
): Node => ({
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...extra.labels } },
  spec: extra.spec ?? {},
  status: { allocatable: { cpu: extra.cpu ?? '4', memory: extra.memory ?? '8Gi', pods: extra.pods ?? '110' } },
});
let serial = 0;
const pod = (name: string, cpu = '100m', spec: Partial<NonNullable<Pod['spec']>> = {}, metadata: Pod['metadata'] = {}): Pod => ({
  metadata: { name, namespace: 'default', uid: `uid-${name}-${serial++}`, ...metadata },
  spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }], ...spec },
});
const cluster = (nodes: Node[], services: Service[] = []) => {
  const state = new ClusterState({ namespaceLabels: (namespace) => ({ name: namespace }), services: () => services });
  for (const each of nodes) state.setNode(each);
  return state;
};
const place = (state: ClusterState, each: Pod) => {
  const decision = schedule(each, state, seededRandom(1));
  if (decision.outcome === 'node') state.assume(each, decision.node);
  return decision.outcome === 'node' ? decision.node : unschedulableMessage(decision.refusals, decision.nodeCount);
};

test('a pod goes where there is room, and the reasons of all nodes are counted when there is none', () => {
  const state = cluster([node('a', { cpu: '1' }), node('b', { cpu: '2' }), node('c', { spec: { unschedulable: true } })]);
  assert.equal(place(state, pod('p', '1500m')), 'b');
  assert.equal(place(state, pod('q', '1500m')), '0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.');
  assert.equal(place(cluster([]), pod('p')), 'no nodes available to schedule pods');
});

test('a node takes no more pods than it allows', () => {
  const state = cluster([node('a', { pods: '1' })]);
  assert.equal(place(state, pod('p')), 'a');
  assert.equal(place(state, pod('q')), '0/1 nodes are available: 1 Too many pods.');
});

test('taints keep pods away that do not tolerate them', () => {
  const tainted = node('a', { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } });
  assert.equal(place(cluster([tainted]), pod('p')), '0/1 nodes are available: 1 node(s) had untolerated taint(s).');
  assert.equal(place(cluster([tainted]), pod('p', '1m', { tolerations: [{ key: 'k', operator: 'Equal', value: 'v' }] })), 'a');
  assert.equal(place(cluster([tainted]), pod('p', '1m', { tolerations: [{ operator: 'Exists' }] })), 'a');
});

test('node selectors and required node affinity choose among nodes', () => {
  const state = cluster([node('a', { labels: { disk: 'hdd', size: '5' } }), node('b', { labels: { disk: 'ssd', size: '9' } })]);
  assert.equal(place(state, pod('p', '1m', { nodeSelector: { disk: 'ssd' } })), 'b');
  const term = (operator: string, values: string[]) => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'size', operator, values }] }] },
      },
    },
  });
  assert.equal(place(state, pod('q', '1m', term('Gt', ['6']))), 'b');
  assert.equal(place(state, pod('r', '1m', term('NotIn', ['9']))), 'a');
  assert.match(place(state, pod('s', '1m', { nodeSelector: { disk: 'tape' } })), /2 node\(s\) didn't match Pod's node affinity\/selector/);
});

test('one host port serves one pod per address', () => {
  const state = cluster([node('a')]);
  const withPort = (name: string, hostIP?: string) =>
    pod(name, '1m', { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 8080, ...(hostIP ? { hostIP } : {}) }] }] });
  assert.equal(place(state, withPort('p', '10.0.0.1')), 'a');
  assert.equal(place(state, withPort('q', '10.0.0.2')), 'a');
  assert.match(place(state, withPort('r')), /didn't have free ports/);
});

test("a controller's pods spread over nodes", () => {
  const state = cluster(['a', 'b', 'c'].map((name) => node(name)));
  const owned = (name: string) =>
    pod(
      name,
      '0',
      {},
      {
        name,
        namespace: 'default',
        uid: name,
        ownerReferences: [{ apiVersion: 'v1', kind: 'ReplicationController', name: 'rc', uid: 'rc', controller: true }],
      },
    );
  assert.deepEqual(['1', '2', '3'].map((name) => place(state, owned(name))).sort(), ['a', 'b', 'c']);
});

test('hard spread constraints bound the skew', () => {
  const state = cluster([node('a', { labels: { zone: 'x' } }), node('b', { labels: { zone: 'y' }, cpu: '100m' })]);
  const spread = (name: string) =>
    pod(
      name,
      '100m',
      {
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'w' } } },
        ],
      },
      { name, namespace: 'default', uid: name, labels: { app: 'w' } },
    );
  assert.deepEqual([place(state, spread('1')), place(state, spread('2'))].sort(), ['a', 'b']);
  assert.equal(place(state, spread('3')), 'a');
  assert.equal(
    place(state, spread('4')),
    "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod topology spread constraints.",
  );
});

test('inter-pod affinity brings pods together and anti-affinity keeps them apart, both ways', () => {
  const state = cluster([node('a'), node('b')]);
  const term = (app: string) => ({
    requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app } } }],
  });
  const labelled = (name: string, app: string, affinity: NonNullable<Pod['spec']>['affinity']) =>
    pod(name, '1m', affinity ? { affinity } : {}, { name, namespace: 'default', uid: name, labels: { app } });
  const first = place(state, labelled('db', 'db', { podAntiAffinity: term('noisy') }));
  assert.equal(place(state, labelled('web', 'web', { podAffinity: term('db') })), first);
  assert.notEqual(place(state, labelled('noisy', 'noisy', undefined)), first);
  assert.match(place(state, labelled('lost', 'lost', { podAffinity: term('nobody') })), /2 node\(s\) didn't match pod affinity rules/);
  assert.match(
    place(
      state,
      labelled('both', 'both', {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            ...term('db').requiredDuringSchedulingIgnoredDuringExecution,
            ...term('noisy').requiredDuringSchedulingIgnoredDuringExecution,
          ],
        },
      }),
    ),
    /anti-affinity rules/,
  );
});

test('preemption picks the node where the least important pods go, and only as many as needed', () => {
  const state = cluster([node('a', { cpu: '1' }), node('b', { cpu: '1' })]);
  const running = (name: string, nodeName: string, cpu: string, priority: number) =>
    state.setPod({ ...pod(name, cpu, { nodeName, priority }), status: { startTime: '2026-01-01T00:00:00Z' } });
  running('a1', 'a', '600m', 5);
  running('a2', 'a', '300m', 1);
  running('b1', 'b', '900m', 9);
  const incoming = pod('big', '300m', { priority: 100 });
  const decision = schedule(incoming, state, seededRandom(1));
  assert.equal(decision.outcome, 'unschedulable');
  if (decision.outcome !== 'unschedulable') return;
  const answer = planPreemption(incoming, state, decision.refusals, () => false);
  assert.ok(answer.outcome === 'preempt');
  assert.equal(answer.preemption.node, 'a');
  assert.deepEqual(
    answer.preemption.victims.map((victim) => victim.metadata?.name),
    ['a2'],
  );
  const low = planPreemption(pod('low', '300m', { priority: 0 }), state, decision.refusals, () => false);
  assert.deepEqual(low, { outcome: 'none', message: '0/2 nodes are available: 2 No preemption victims found for incoming pod.' });
});

test('no sequence of placements and removals oversubscribes a node or breaks a taint, and a seed decides all', () => {
  const pods = fc.array(fc.record({ cpu: fc.integer({ min: 0, max: 1500 }), tolerant: fc.boolean(), leaves: fc.boolean() }), {
    maxLength: 40,
  });
  const nodes = fc.array(
    fc.record({ cpu: fc.integer({ min: 0, max: 3000 }), pods: fc.integer({ min: 0, max: 6 }), tainted: fc.boolean() }),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(nodes, pods, fc.integer(), (nodeSpecs, podSpecs, seed) => {
      const run = () => {
        const taints = [{ key: 'k', effect: 'NoSchedule' }];
        const state = cluster(
          nodeSpecs.map((spec, index) =>
            node(`n${index}`, { cpu: `${spec.cpu}m`, pods: String(spec.pods), spec: spec.tainted ? { taints } : {} }),
          ),
        );
        const random = seededRandom(seed);
        return podSpecs.map((spec, index) => {
          const each: Pod = pod(`p${index}`, `${spec.cpu}m`, spec.tolerant ? { tolerations: [{ operator: 'Exists' }] } : {}, {
            name: `p${index}`,
            namespace: 'default',
            uid: `p${index}`,
          });
          const decision = schedule(each, state, random, { startAt: index });
          if (decision.outcome !== 'node') return '';
          state.assume(each, decision.node);
          const info = state.nodeNamed(decision.node);
          assert.ok(info);
          assert.ok((info.requested['cpu'] ?? 0) <= (info.allocatable['cpu'] ?? 0), `${decision.node} is oversubscribed`);
          assert.ok(info.pods.size <= (info.allocatable['pods'] ?? 0));
          assert.equal(untoleratedTaint(info.node.spec?.taints, each.spec?.tolerations, ['NoSchedule']), undefined);
          if (spec.leaves) state.removePod(`p${index}`);
          return decision.node;
        });
      };
      assert.deepEqual(run(), run());
    }),
    { verbose: 1 },
  );
});
