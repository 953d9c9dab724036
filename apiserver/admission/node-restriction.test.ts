// What a kubelet may write, told apart by the plug-in alone: everybody may do everything here.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ApiRequest } from '../../client/transport.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';
import { nodeRestriction } from './node-restriction.ts';

let server: ServerFixture;
before(async () => {
  server = await startServer({ authorizer: () => ({ decision: 'allow' }), admission: (view) => [nodeRestriction(view)] });
  for (const nodeName of ['one', 'two']) {
    await server.ask('POST', '/api/v1/nodes', { metadata: { name: nodeName } });
    const spec = { nodeName, containers: [{ name: 'c', image: 'x' }] };
    await server.ask('POST', '/api/v1/namespaces/default/pods', { metadata: { name: nodeName }, spec });
  }
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  await server.ask('POST', '/api/v1/namespaces/default/persistentvolumeclaims', { metadata: { name: 'c' }, spec });
});
after(() => server.close());

const asNode = (node: string, method: ApiRequest['method'], path: string, body?: unknown) => {
  const headers = { 'impersonate-user': `system:node:${node}`, 'impersonate-group': 'system:nodes' };
  const type = method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : undefined;
  return server.ask(method, path, body, { ...headers, ...type });
};
const core = '/api/v1/namespaces/default';
const leases = '/apis/coordination.k8s.io/v1/namespaces';
const slices = '/apis/resource.k8s.io/v1/resourceslices';
const csiNodes = '/apis/storage.k8s.io/v1/csinodes';
const slice = (name: string, nodeName: string) => ({
  metadata: { name },
  spec: { nodeName, driver: 'd.example', pool: { name: 'p', resourceSliceCount: 1 }, devices: [] },
});
const csiNode = (name: string) => ({ metadata: { name }, spec: { drivers: [] } });
const eviction = (name: string) => ({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } });

const leaseName = 'can only access node lease with the same name as the requesting node';
const cases: [string, Parameters<typeof asNode>, string | undefined][] = [
  ['evicts its own pod', ['one', 'POST', `${core}/pods/one/eviction?dryRun=All`, eviction('one')], undefined],
  [
    "evicts another's pod",
    ['one', 'POST', `${core}/pods/two/eviction?dryRun=All`, eviction('two')],
    'node one can only evict pods with spec.nodeName set to itself',
  ],
  [
    'binds a pod',
    ['one', 'POST', `${core}/pods/one/binding`, { metadata: { name: 'one' }, target: { name: 'one' } }],
    `unexpected pod subresource "binding", only 'status' and 'eviction' are allowed`,
  ],
  ['makes its own lease', ['one', 'POST', `${leases}/kube-node-lease/leases`, { metadata: { name: 'one' } }], undefined],
  ["makes another's lease", ['one', 'POST', `${leases}/kube-node-lease/leases`, { metadata: { name: 'two' } }], leaseName],
  [
    'makes a lease elsewhere',
    ['one', 'POST', `${leases}/default/leases`, { metadata: { name: 'one' } }],
    'can only access leases in the "kube-node-lease" system namespace',
  ],
  ['tells its own CSI drivers', ['one', 'POST', csiNodes, csiNode('one')], undefined],
  [
    "tells another's CSI drivers",
    ['one', 'POST', csiNodes, csiNode('two')],
    'can only access CSINode with the same name as the requesting node',
  ],
  ['offers its own devices', ['one', 'POST', slices, slice('a', 'one')], undefined],
  [
    "offers another's devices",
    ['one', 'POST', slices, slice('b', 'two')],
    'can only create ResourceSlice with the same NodeName as the requesting node',
  ],
  [
    "takes another's devices away",
    ['two', 'DELETE', `${slices}/a`],
    'can only delete ResourceSlice with the same NodeName as the requesting node',
  ],
  [
    'says how large a claim has become',
    ['one', 'PATCH', `${core}/persistentvolumeclaims/c/status`, { status: { capacity: { storage: '2Gi' } } }],
    undefined,
  ],
  [
    'labels a claim by its status',
    ['one', 'PATCH', `${core}/persistentvolumeclaims/c/status`, { metadata: { labels: { a: 'b' } } }],
    'node "one" is not allowed to update fields other than status.quantity and status.conditions',
  ],
  [
    'changes a claim',
    ['one', 'PATCH', `${core}/persistentvolumeclaims/c`, { metadata: { labels: { a: 'b' } } }],
    'may only update PVC status',
  ],
  ['has no name', ['', 'POST', csiNodes, csiNode('one')], 'could not determine node from user "system:node:"'],
];
for (const [title, request, why] of cases) {
  test(`a kubelet that ${title} ${why ? 'is refused' : 'may'}`, async () => {
    const { status, json, text } = await asNode(...request);
    if (!why) return assert.ok(status < 300, text);
    assert.equal(status, 403, text);
    assert.equal(json.message.replace(/^\S+ "[^"]*" is forbidden: /, ''), why);
    return undefined;
  });
}
