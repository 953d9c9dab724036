// What a scheduling decision costs: 5,000 pods of 50 controllers onto simulated nodes, filters, scores and assuming included,
// API left out. Run: node bench/scheduler.ts [nodes ...]

import type { Node, Pod } from '../api/core.ts';
import { seededRandom } from '../base/random.ts';
import { ClusterState } from '../scheduler/cluster-state.ts';
import { schedule } from '../scheduler/schedule.ts';

const podCount = 5000;

function node(i: number): Node {
  return {
    metadata: { name: `node-${i}`, labels: { 'kubernetes.io/hostname': `node-${i}`, 'topology.kubernetes.io/zone': `zone-${i % 3}` } },
    spec: i % 20 === 0 ? { taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] } : {},
    status: { allocatable: { cpu: '32', memory: '128Gi', pods: '110' } },
  };
}

function pod(i: number, kind: string): Pod {
  const owner = `rs-${i % 50}`;
  const labels = { app: owner };
  const spread = {
    maxSkew: 5,
    topologyKey: 'topology.kubernetes.io/zone',
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: labels },
  };
  const apart = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: labels } };
  return {
    metadata: {
      namespace: 'default',
      name: `p-${i}`,
      uid: `uid-${i}`,
      labels,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner, controller: true }],
    },
    spec: {
      containers: [{ name: 'c', image: 'app', resources: { requests: { cpu: '100m', memory: '128Mi' } } }],
      ...(kind === 'zone spread' ? { topologySpreadConstraints: [spread] } : {}),
      ...(kind === 'anti-affinity' && i % 2
        ? { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart] } } }
        : {}),
    },
  };
}

const nodeCounts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [100, 1000];
const rows = [];
for (const nodeCount of nodeCounts) {
  for (const kind of ['plain', 'zone spread', 'anti-affinity']) {
    const state = new ClusterState({ namespaceLabels: () => ({}), services: () => [] });
    for (let i = 0; i < nodeCount; i++) state.setNode(node(i));
    const random = seededRandom(1);
    let unschedulable = 0;
    const startMs = performance.now();
    const before = process.cpuUsage();
    for (let i = 0; i < podCount; i++) {
      const each = pod(i, kind);
      const decision = schedule(each, state, random, { startAt: i % nodeCount });
      if (decision.outcome === 'node') state.assume(each, decision.node);
      else unschedulable++;
    }
    const { user, system } = process.cpuUsage(before);
    rows.push({
      nodes: nodeCount,
      pods: kind,
      'pods/s': Math.round(podCount / ((performance.now() - startMs) / 1000)),
      'CPU ms/pod': Math.round((user + system) / podCount) / 1000,
      unschedulable,
    });
  }
}
console.table(rows);
