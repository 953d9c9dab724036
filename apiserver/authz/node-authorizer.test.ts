// Kubelets in a server with the node authorizer and NodeRestriction.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, leases, nodes, type Pod, persistentVolumes, pods, secrets } from '../../api/core.ts';
import { resourceSlices } from '../../api/resource.ts';
import { isStatus } from '../../api/status.ts';
import { volumeAttachments } from '../../api/storage.ts';
import { createClient } from '../../client/rest-client.ts';
import { nodeRestriction } from '../admission/node-restriction.ts';
import { startServer } from '../server-fixture.ts';
import { type AuthorizationAttributes, mastersAuthorizer, unionAuthorizer } from './authorizer.ts';
import { nodeAuthorizer } from './node-authorizer.ts';
import { NodeGraph } from './node-graph.ts';

test('a kubelet reads what its pods refer to, and changes only its own node, pods and lease', async (t) => {
  const graph = new NodeGraph();
  const { client, server, clock, close } = await startServer({
    authorizer: unionAuthorizer([mastersAuthorizer, nodeAuthorizer(graph)]),
    admission: (view) => [nodeRestriction(view)],
    begin: [({ resources }) => graph.attach(resources)],
  });
  t.after(close);
  const kubelet = (node: string) => createClient(server.transport({ name: `system:node:${node}`, groups: ['system:nodes'] }));
  const [one, two] = [kubelet('one'), kubelet('two')];
  for (const name of ['mine', 'other']) await client.create(secrets, { metadata: { namespace: 'default', name }, data: {} });
  const at = { namespace: 'default', name: 'p' };
  await client.create(pods, {
    metadata: at,
    spec: {
      nodeName: 'one',
      containers: [{ name: 'c', image: 'x', env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'mine', key: 'k' } } }] }],
    },
  });
  await clock.step(0);

  assert.ok(await one.get(secrets, { namespace: 'default', name: 'mine' }));
  assert.equal((await one.list(secrets, { namespace: 'default', fieldSelector: 'metadata.name=mine' })).items.length, 1);
  const forbidden = (error: unknown) => isStatus(error, 'Forbidden');
  await assert.rejects(one.get(secrets, { namespace: 'default', name: 'other' }), {
    message:
      'secrets "other" is forbidden: User "system:node:one" cannot get resource "secrets" in API group "" in the namespace "default": no relationship found between node \'one\' and this object',
  });
  await assert.rejects(two.get(secrets, { namespace: 'default', name: 'mine' }), forbidden);
  await assert.rejects(one.list(secrets, { namespace: 'default' }), forbidden);
  await assert.rejects(one.create(configMaps, { metadata: { namespace: 'default', name: 'x' } }), forbidden);

  await one.create(nodes, { metadata: { name: 'one' } });
  await assert.rejects(one.create(nodes, { metadata: { name: 'two' } }), {
    message: 'nodes "two" is forbidden: node "one" is not allowed to modify node "two"',
  });
  await assert.rejects(two.delete(pods, at), {
    message: 'pods "p" is forbidden: node "two" can only delete pods with spec.nodeName set to itself',
  });
  await one.create(leases, { metadata: { namespace: 'kube-node-lease', name: 'one' } });
  await assert.rejects(two.get(leases, { namespace: 'kube-node-lease', name: 'one' }), forbidden);

  const own = await one.get(nodes, { name: 'one' });
  const labelled = (key: string) => ({ ...own, metadata: { ...own.metadata, labels: { ...own.metadata?.labels, [key]: 'x' } } });
  assert.ok(await one.update(nodes, labelled('topology.kubernetes.io/zone')));
  const relabelled = await one.get(nodes, { name: 'one' });
  await assert.rejects(
    one.update(nodes, {
      ...labelled('team.node-restriction.kubernetes.io/a'),
      metadata: {
        ...labelled('team.node-restriction.kubernetes.io/a').metadata,
        resourceVersion: relabelled.metadata?.resourceVersion ?? '',
      },
    }),
    {
      message: 'nodes "one" is forbidden: is not allowed to modify labels: team.node-restriction.kubernetes.io/a',
    },
  );
  await assert.rejects(two.create(nodes, { metadata: { name: 'two', labels: { 'node-role.kubernetes.io/control-plane': '' } } }), {
    message: 'nodes "two" is forbidden: node "two" is not allowed to set the following labels: node-role.kubernetes.io/control-plane',
  });
  const mirror = (ownerReferences: object[], spec: object = {}) =>
    ({
      metadata: { namespace: 'default', name: 'm', annotations: { 'kubernetes.io/config.mirror': 'x' }, ownerReferences },
      spec: { nodeName: 'one', containers: [{ name: 'c', image: 'x' }], ...spec },
    }) as Pod;
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'one', uid: own.metadata?.uid, controller: true };
  const refused = (pod: Pod, why: string) => assert.rejects(one.create(pods, pod), { message: `pods "m" is forbidden: ${why}` });
  await refused(mirror([]), 'node "one" can only create pods with an owner reference set to itself');
  await refused(mirror([{ ...owner, uid: 'old' }]), `node one UID mismatch: expected old got ${own.metadata?.uid}`);
  const volumes = [{ name: 'v', secret: { secretName: 'mine' } }];
  await refused(mirror([owner], { volumes }), 'node "one" can not create pods that reference secrets');
  assert.ok(await one.create(pods, mirror([owner])));

  await one.delete(pods, at, { gracePeriodSeconds: 0 });
  await clock.step(0);
  await assert.rejects(one.get(secrets, { namespace: 'default', name: 'mine' }), forbidden);
});

const attributesOf = (verb: string, resource: string, more: Partial<AuthorizationAttributes> = {}): AuthorizationAttributes => {
  const [plural = '', ...group] = resource.split('.');
  const user = { name: 'system:node:one', groups: ['system:nodes', 'system:authenticated'] };
  const about = { group: group.join('.'), version: '*', subresource: '', namespace: '', name: '', path: '' };
  return { user, verb, isResourceRequest: true, resource: plural, ...about, ...more };
};

test('a node sees volumes, claims, attachments and devices that lead to it, and nothing once they no longer do', async (t) => {
  const graph = new NodeGraph();
  const { client, clock, close } = await startServer({ begin: [({ resources }) => graph.attach(resources)] });
  t.after(close);
  const authorize = nodeAuthorizer(graph);
  const may = async (verb: string, resource: string, more: Partial<AuthorizationAttributes> = {}) => {
    await clock.step(0);
    return (await authorize(attributesOf(verb, resource, more))).decision === 'allow';
  };
  const inDefault = (name: string) => ({ namespace: 'default', name });
  await client.create(persistentVolumes, {
    metadata: { name: 'pv' },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      claimRef: { namespace: 'default', name: 'data' },
      csi: {
        driver: 'd.example.com',
        volumeHandle: 'h',
        nodeStageSecretRef: { namespace: 'csi', name: 'stage' },
        controllerPublishSecretRef: { namespace: 'csi', name: 'controller' },
      },
    },
  });
  assert.equal(await may('get', 'persistentvolumes', { name: 'pv' }), false);
  await client.create(pods, {
    metadata: inDefault('p'),
    spec: {
      nodeName: 'one',
      containers: [{ name: 'c', image: 'x' }],
      resourceClaims: [{ name: 'gpu', resourceClaimName: 'gpu' }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
  });
  await client.create(volumeAttachments, {
    metadata: { name: 'va' },
    spec: { attacher: 'd.example.com', nodeName: 'one', source: { persistentVolumeName: 'pv' } },
  });
  await client.create(resourceSlices, {
    metadata: { name: 'slice' },
    spec: { driver: 'd.example.com', nodeName: 'one', pool: { name: 'one', generation: 1, resourceSliceCount: 1 } },
  });
  const seen: [string, string, Partial<AuthorizationAttributes>][] = [
    ['get', 'persistentvolumeclaims', inDefault('data')],
    ['get', 'persistentvolumes', { name: 'pv' }],
    ['get', 'secrets', { namespace: 'csi', name: 'stage' }],
    ['get', 'resourceclaims.resource.k8s.io', inDefault('gpu')],
    ['get', 'pods', inDefault('p')],
    ['watch', 'pods', inDefault('p')],
    ['patch', 'persistentvolumeclaims', { ...inDefault('data'), subresource: 'status' }],
  ];
  for (const [verb, resource, more] of seen) assert.equal(await may(verb, resource, more), true, `${verb} ${resource}`);
  assert.equal(await may('get', 'volumeattachments.storage.k8s.io', { name: 'va' }), true);
  assert.equal(await may('delete', 'resourceslices.resource.k8s.io', { name: 'slice' }), true);
  assert.equal(await may('get', 'secrets', { namespace: 'csi', name: 'controller' }), false);
  await client.delete(pods, inDefault('p'), { gracePeriodSeconds: 0 });
  for (const [verb, resource, more] of seen) assert.equal(await may(verb, resource, more), false, `${verb} ${resource}`);
  await client.delete(volumeAttachments, { name: 'va' });
  assert.equal(await may('get', 'volumeattachments.storage.k8s.io', { name: 'va' }), false);
});

test('what a node may not is refused with the reason', () => {
  const graph = new NodeGraph();
  const authorize = nodeAuthorizer(graph);
  const selecting = (field: string, value: string, operator: '=' | '!=' = '=') => ({ fieldSelector: [{ field, operator, value }] });
  const table: [string, string, Partial<AuthorizationAttributes>, string | true][] = [
    ['list', 'pods', selecting('spec.nodeName', 'one'), true],
    ['list', 'pods', selecting('spec.nodeName', 'two'), 'can only list/watch pods with spec.nodeName field selector'],
    ['watch', 'pods', selecting('spec.nodeName', 'one', '!='), 'can only list/watch pods with spec.nodeName field selector'],
    ['list', 'pods', {}, 'can only list/watch pods with spec.nodeName field selector'],
    ['get', 'pods', { name: 'x' }, "no relationship found between node 'one' and this object"],
    ['get', 'pods', { name: 'x', subresource: 'log' }, ''],
    ['patch', 'pods', { name: 'x', subresource: 'status' }, true],
    ['create', 'pods', { name: 'x', subresource: 'eviction' }, true],
    ['get', 'nodes', { name: 'one' }, true],
    ['get', 'nodes', { name: 'two' }, "node 'one' cannot read 'two', only its own Node object"],
    ['watch', 'nodes', {}, "node 'one' cannot read all nodes, only its own Node object"],
    ['delete', 'nodes', { name: 'one' }, ''],
    ['create', 'secrets', { namespace: 'a' }, 'can only read resources of this type'],
    ['get', 'secrets', { name: 'x' }, 'can only read namespaced object of this type'],
    ['list', 'configmaps', { namespace: 'a' }, 'No Object name found'],
    ['list', 'persistentvolumes', {}, 'can only get individual resources of this type'],
    ['get', 'persistentvolumeclaims', { namespace: 'a', name: 'x', subresource: 'status' }, 'can only get/update/patch this type'],
    ['get', 'volumeattachments.storage.k8s.io', { name: 'x', subresource: 'status' }, 'cannot get subresource'],
    ['create', 'serviceaccounts', { namespace: 'a' }, 'can only create tokens for individual service accounts'],
    ['create', 'serviceaccounts', { namespace: 'a', name: 'x' }, 'can only create token subresource of serviceaccount'],
    ['list', 'leases.coordination.k8s.io', {}, 'can only get, create, update, patch, or delete a node lease'],
    ['get', 'leases.coordination.k8s.io', { namespace: 'a' }, 'can only access leases in the "kube-node-lease" system namespace'],
    [
      'update',
      'leases.coordination.k8s.io',
      { namespace: 'kube-node-lease', name: 'two' },
      'can only access node lease with the same name as the requesting node',
    ],
    ['list', 'csinodes.storage.k8s.io', {}, 'can only get, create, update, patch, or delete a CSINode'],
    ['get', 'csinodes.storage.k8s.io', { name: 'two' }, 'can only access CSINode with the same name as the requesting node'],
    ['get', 'csinodes.storage.k8s.io', { name: 'one' }, true],
    ['deletecollection', 'resourceslices.resource.k8s.io', selecting('nodeName', 'one'), true],
    [
      'list',
      'resourceslices.resource.k8s.io',
      selecting('spec.nodeName', 'one'),
      'can only list/watch/deletecollection resourceslices with nodeName field selector',
    ],
    [
      'escalate',
      'resourceslices.resource.k8s.io',
      {},
      'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
    ],
    ['get', 'csidrivers.storage.k8s.io', { name: 'x' }, true],
    ['list', 'deployments.apps', {}, ''],
    ['get', 'pods', { user: { name: 'system:node:', groups: ['system:nodes'] } }, 'unknown node for user "system:node:"'],
    ['get', 'nodes', { name: 'one', user: { name: 'system:node:one', groups: [] } }, ''],
  ];
  for (const [verb, resource, more, expected] of table) {
    const answer = authorize(attributesOf(verb, resource, more));
    const wanted = expected === true ? { decision: 'allow' } : { decision: 'no opinion', ...(expected ? { reason: expected } : {}) };
    assert.deepEqual(answer, wanted, `${verb} ${resource} ${JSON.stringify(more)}`);
  }
});
