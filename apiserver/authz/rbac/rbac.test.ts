// RBAC in a server: who may do what, who may give what away, and what is there from the start.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { pods, secrets } from '../../../api/core.ts';
import { type ClusterRole, clusterRoleBindings, clusterRoles, rbacGroup, roleBindings, roles } from '../../../api/rbac.ts';
import { isStatus } from '../../../api/status.ts';
import { createClient } from '../../../client/rest-client.ts';
import { createMemoryStore } from '../../../store/memory.ts';
import { startServer } from '../../server-fixture.ts';
import { type AuthorizationAttributes, mastersAuthorizer, unionAuthorizer } from '../authorizer.ts';
import { createRbac } from './rbac.ts';

async function start(t: TestContext, store = createMemoryStore()) {
  const rbac = createRbac();
  const authorizer = unionAuthorizer([mastersAuthorizer, rbac.authorizer]);
  const fixture = await startServer({ store, authorizer, admission: [rbac.escalation], begin: [rbac.begin] });
  t.after(() => fixture.close());
  const as = (name: string, ...groups: string[]) => createClient(fixture.server.transport({ name, groups }));
  return { ...fixture, as, authorizer };
}

const roleRef = (kind: string, name: string) => ({ apiGroup: rbacGroup, kind, name });
const toUser = (name: string) => [{ kind: 'User', name, apiGroup: rbacGroup }];
const inDefault = (name: string) => ({ namespace: 'default', name });

test('a user may do what a bound role says, in its namespace only', async (t) => {
  const { client, as, clock } = await start(t);
  await client.create(roles, {
    metadata: inDefault('reader'),
    rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }],
  });
  await client.create(roleBindings, { metadata: inDefault('ann'), roleRef: roleRef('Role', 'reader'), subjects: toUser('ann') });
  await clock.step(0);
  assert.deepEqual((await as('ann').list(pods, { namespace: 'default' })).items, []);
  await assert.rejects(as('ann').list(pods), {
    message: 'pods is forbidden: User "ann" cannot list resource "pods" in API group "" at the cluster scope',
  });
  await assert.rejects(as('ann').list(secrets, { namespace: 'default' }), (error) => isStatus(error, 'Forbidden'));
  await client.delete(roles, inDefault('reader'));
  await clock.step(0);
  await assert.rejects(as('ann').list(pods, { namespace: 'default' }), {
    message:
      'pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "default": RBAC: role.rbac.authorization.k8s.io "reader" not found',
  });
});

test('a service account is a subject by its name and by its groups', async (t) => {
  const { client, as, clock } = await start(t);
  const account = { kind: 'ServiceAccount', name: 'robot', namespace: 'default' };
  await client.create(clusterRoleBindings, {
    metadata: { name: 'robots' },
    roleRef: roleRef('ClusterRole', 'system:aggregate-to-view'),
    subjects: [account],
  });
  await clock.step(0);
  assert.deepEqual((await as('system:serviceaccount:default:robot').list(pods)).items, []);
  await assert.rejects(as('system:serviceaccount:other:robot').list(pods), (error) => isStatus(error, 'Forbidden'));
});

test('nobody gives away more than they have, unless they may escalate or bind', async (t) => {
  const { client, as, clock } = await start(t);
  const grant = async (user: string, verbs: string[], resources: string[], apiGroups = [rbacGroup]) => {
    await client.create(clusterRoles, { metadata: { name: user }, rules: [{ verbs, apiGroups, resources }] });
    await client.create(clusterRoleBindings, { metadata: { name: user }, roleRef: roleRef('ClusterRole', user), subjects: toUser(user) });
    await clock.step(0);
  };
  const wanted: ClusterRole = {
    metadata: { name: 'wanted' },
    rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['secrets'] }],
  };
  await grant('ann', ['*'], ['clusterroles', 'clusterrolebindings']);
  // A star among the verbs holds escalate and bind.
  await as('ann').create(clusterRoles, wanted);
  await client.delete(clusterRoles, { name: 'wanted' });
  await grant('bob', ['create', 'update', 'get'], ['clusterroles', 'clusterrolebindings']);
  await assert.rejects(as('bob').create(clusterRoles, wanted), {
    message: `clusterroles.rbac.authorization.k8s.io "wanted" is forbidden: user "bob" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:
{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}`,
  });
  const own: ClusterRole = {
    metadata: { name: 'own' },
    rules: [{ verbs: ['get'], apiGroups: [rbacGroup], resources: ['clusterroles'] }],
  };
  await as('bob').create(clusterRoles, own);
  await assert.rejects(as('bob').create(clusterRoles, { metadata: { name: 'sum' }, aggregationRule: { clusterRoleSelectors: [{}] } }), {
    message: 'clusterroles.rbac.authorization.k8s.io "sum" is forbidden: must have cluster-admin privileges to use an aggregationRule',
  });
  const binding = { metadata: { name: 'b' }, roleRef: roleRef('ClusterRole', 'cluster-admin'), subjects: toUser('bob') };
  await assert.rejects(as('bob').create(clusterRoleBindings, binding), /not currently held:\n\{APIGroups:\["\*"\], Resources:\["\*"\]/);
  await assert.rejects(as('bob').create(clusterRoleBindings, { ...binding, roleRef: roleRef('ClusterRole', 'none') }), {
    message: 'clusterroles.rbac.authorization.k8s.io "none" not found',
  });
});

test('what is missing of the bootstrap roles comes back at the next start, what was added or is protected stays', async (t) => {
  const store = createMemoryStore();
  const first = await start(t, store);
  const { client } = first;
  const scheduler = await client.get(clusterRoles, { name: 'system:kube-scheduler' });
  const added = { verbs: ['get'], apiGroups: ['example.com'], resources: ['things'] };
  await client.update(clusterRoles, { ...scheduler, rules: [added] });
  const view = await client.get(clusterRoles, { name: 'system:aggregate-to-view' });
  const frozen = { ...view.metadata, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } };
  await client.update(clusterRoles, { ...view, metadata: frozen, rules: [] });
  await client.delete(clusterRoleBindings, { name: 'system:discovery' });
  const second = await start(t, store);
  const after = await second.client.get(clusterRoles, { name: 'system:kube-scheduler' });
  assert.deepEqual(after.rules?.[0], added);
  assert.ok((after.rules?.length ?? 0) > 10);
  assert.equal((await second.client.get(clusterRoles, { name: 'system:aggregate-to-view' })).rules?.length ?? 0, 0);
  assert.equal((await second.client.get(clusterRoleBindings, { name: 'system:discovery' })).subjects?.[0]?.name, 'system:authenticated');
});

test('the scheduler binds pods and makes none; discovery is for everyone with a name, health for all', async (t) => {
  const { authorizer } = await start(t);
  const isAllowed = async (name: string, groups: string[], verb: string, asked: Partial<AuthorizationAttributes>) => {
    const about = { isResourceRequest: true, group: '', version: 'v1', resource: '', subresource: '', namespace: 'a', name: '', path: '' };
    return (await authorizer({ user: { name, groups }, verb, ...about, ...asked })).decision === 'allow';
  };
  assert.equal(await isAllowed('system:kube-scheduler', [], 'create', { resource: 'pods', subresource: 'binding' }), true);
  assert.equal(await isAllowed('system:kube-scheduler', [], 'create', { resource: 'pods' }), false);
  const path = (p: string) => ({ isResourceRequest: false, path: p, namespace: '' });
  assert.equal(await isAllowed('ann', ['system:authenticated'], 'get', path('/openapi/v3')), true);
  assert.equal(await isAllowed('ann', ['system:authenticated'], 'get', path('/metrics')), false);
  assert.equal(await isAllowed('system:anonymous', ['system:unauthenticated'], 'get', path('/apis')), false);
  assert.equal(await isAllowed('system:anonymous', ['system:unauthenticated'], 'get', path('/readyz')), true);
});
