// Kubelets in a server with the node authorizer and NodeRestriction.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, leases, nodes, type Pod, pods, secrets } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { createClient } from '../../client/rest-client.ts';
import { nodeRestriction } from '../admission/node-restriction.ts';
import { startServer } from '../server-fixture.ts';
import { mastersAuthorizer, unionAuthorizer } from './authorizer.ts';
import { NodeGraph, nodeAuthorizer } from './node-authorizer.ts';

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
