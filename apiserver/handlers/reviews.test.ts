// Reviews and impersonation in a server with RBAC.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { clusterRoleBindings, clusterRoles, rbacGroup } from '../../api/rbac.ts';
import { readBody } from '../../client/transport.ts';
import { parseTokenFile, staticTokenAuthenticator } from '../authn/static-tokens.ts';
import { type AuthorizationAttributes, type Authorizer, mastersAuthorizer, unionAuthorizer } from '../authz/authorizer.ts';
import { createRbac } from '../authz/rbac/rbac.ts';
import { startServer } from '../server-fixture.ts';

async function start(t: TestContext) {
  const rbac = createRbac();
  const authenticators = [staticTokenAuthenticator(parseTokenFile('secret,ann,7,dev'))];
  const authorizer = unionAuthorizer([mastersAuthorizer, rbac.authorizer]);
  const fixture = await startServer({ authenticators, authorizer, rulesOf: rbac.rulesOf, begin: [rbac.begin] });
  t.after(() => fixture.close());
  const { client, clock } = fixture;
  await client.create(clusterRoles, { metadata: { name: 'r' }, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] });
  await client.create(clusterRoleBindings, {
    metadata: { name: 'b' },
    roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: 'r' },
    subjects: [{ kind: 'User', name: 'ann', apiGroup: rbacGroup }],
  });
  await clock.step(0);
  const post = async (name: string, path: string, body: object, headers: Record<string, string> = {}) => {
    const response = await fixture.server.transport({ name, groups: [] }).request({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { code: response.status, ...JSON.parse((await readBody(response)).toString()) };
  };
  return { ...fixture, post };
}

const authorization = '/apis/authorization.k8s.io/v1';
const authentication = '/apis/authentication.k8s.io/v1';
const getPods = { resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } };

test('whether somebody may do something is told with the reason', async (t) => {
  const { ask, post } = await start(t);
  const about = async (user: string) => (await ask('POST', `${authorization}/subjectaccessreviews`, { spec: { user, ...getPods } })).json;
  const yes = await about('ann');
  assert.deepEqual(yes.status, {
    allowed: true,
    reason: 'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "r" to User "ann"',
  });
  assert.equal(yes.kind, 'SubjectAccessReview');
  assert.deepEqual((await about('bob')).status, { allowed: false });
  assert.equal((await post('ann', `${authorization}/selfsubjectaccessreviews`, { spec: getPods })).status.allowed, true);
  assert.equal((await post('bob', `${authorization}/selfsubjectaccessreviews`, { spec: getPods })).status.allowed, false);
  assert.equal((await post('bob', `${authorization}/subjectaccessreviews`, { spec: { user: 'ann', ...getPods } })).code, 403);
  const local = `${authorization}/namespaces/other/localsubjectaccessreviews`;
  assert.match((await ask('POST', local, { spec: { user: 'ann', ...getPods } })).json.message, /must match metadata.namespace/);
  assert.match(
    (await ask('POST', `${authorization}/subjectaccessreviews`, { spec: { user: 'ann' } })).json.message,
    /exactly one of nonResourceAttributes or resourceAttributes must be specified/,
  );
});

test('a user is told what they may do and who they are', async (t) => {
  const { post, client, clock } = await start(t);
  const { status } = await post('ann', `${authorization}/selfsubjectrulesreviews`, { spec: { namespace: 'default' } });
  assert.equal(status.incomplete, false);
  assert.ok(status.resourceRules.some((rule: { resources: string[] }) => rule.resources.includes('pods')));
  assert.ok(status.nonResourceRules.some((rule: { nonResourceURLs: string[] }) => rule.nonResourceURLs.includes('/openapi/*')));
  await client.delete(clusterRoles, { name: 'r' });
  await clock.step(0);
  const dangling = (await post('ann', `${authorization}/selfsubjectrulesreviews`, { spec: { namespace: 'default' } })).status;
  assert.equal(dangling.incomplete, false);
  assert.equal(dangling.evaluationError, 'clusterrole.rbac.authorization.k8s.io "r" not found');
  const who = await post('ann', `${authentication}/selfsubjectreviews`, {});
  assert.deepEqual(who.status, { userInfo: { username: 'ann', groups: ['system:authenticated'] } });
});

test('a token is told whose it is', async (t) => {
  const { ask } = await start(t);
  const review = async (token: string) => (await ask('POST', `${authentication}/tokenreviews`, { spec: { token } })).json.status;
  assert.deepEqual((await review('secret')).user, { username: 'ann', uid: '7', groups: ['dev', 'system:authenticated'] });
  assert.deepEqual(await review('wrong'), { user: {}, error: 'invalid bearer token' });
});

test('who may impersonate acts as the other, with the other’s rights only', async (t) => {
  const { ask, post } = await start(t);
  const pods = '/api/v1/namespaces/default/pods/x';
  assert.equal((await ask('GET', pods, undefined, { 'impersonate-user': 'ann' })).status, 404);
  assert.equal((await ask('GET', pods, undefined, { 'impersonate-user': 'bob' })).status, 403);
  assert.match(
    (await ask('GET', pods, undefined, { 'impersonate-user': 'system:serviceaccount:a:b' })).json.message,
    /User "system:serviceaccount:a:b" cannot get/,
  );
  const refused = await post('ann', `${authentication}/selfsubjectreviews`, {}, { 'impersonate-user': 'root' });
  assert.equal(
    refused.message,
    'users "root" is forbidden: User "ann" cannot impersonate resource "users" in API group "" at the cluster scope',
  );
  const grouped = await ask(
    'POST',
    `${authentication}/selfsubjectreviews`,
    {},
    {
      'impersonate-user': 'eve',
      'impersonate-group': 'dev',
      'impersonate-extra-scopes': 'view',
    },
  );
  assert.deepEqual(grouped.json.status.userInfo, { username: 'eve', groups: ['dev', 'system:authenticated'], extra: { scopes: ['view'] } });
  assert.equal((await ask('GET', pods, undefined, { 'impersonate-group': 'dev' })).status, 400);
  const unknown = { 'impersonate-user': 'eve', 'impersonate-group': 'system:unauthenticated' };
  // Everyone who is authenticated may ask who they are.
  assert.equal((await ask('POST', `${authentication}/selfsubjectreviews`, {}, unknown)).status, 403);
});

test('a review may be limited by selectors; what of them is not understood is told and left out', async (t) => {
  const asked: AuthorizationAttributes[] = [];
  const authorizer: Authorizer = (attributes) => {
    asked.push(attributes);
    return { decision: 'allow' };
  };
  const { ask, close } = await startServer({ authorizer });
  t.after(close);
  const path = `${authorization}/subjectaccessreviews`;
  const review = async (selectors: object) => {
    const attributes = { verb: 'list', resource: 'pods', ...selectors };
    const { json } = await ask('POST', path, { spec: { user: 'ann', resourceAttributes: attributes } });
    const { fieldSelector, labelSelector } = asked.at(-1) ?? {};
    return { message: json.message as string, problem: json.status?.evaluationError as string | undefined, fieldSelector, labelSelector };
  };
  const raw = await review({ fieldSelector: { rawSelector: 'spec.nodeName=a' }, labelSelector: { rawSelector: 'app in (x,y),!z' } });
  assert.deepEqual(raw.fieldSelector, [{ field: 'spec.nodeName', operator: '=', value: 'a' }]);
  assert.deepEqual(raw.labelSelector, [
    { key: 'app', operator: 'in', values: ['x', 'y'] },
    { key: 'z', operator: '!', values: [] },
  ]);
  assert.equal(raw.problem, undefined);
  const partly = await review({
    fieldSelector: {
      requirements: [
        { key: 'a', operator: 'NotIn', values: ['b'] },
        { key: 'c', operator: 'Exists' },
      ],
    },
    labelSelector: { rawSelector: 'a b' },
  });
  assert.deepEqual(partly.fieldSelector, [{ field: 'a', operator: '!=', value: 'b' }]);
  assert.equal(partly.labelSelector, undefined);
  assert.equal(
    partly.problem,
    'spec.resourceAttributes.fieldSelector partially ignored due to parse error; spec.resourceAttributes.labelSelector ignored due to parse error',
  );
  const wrong = await review({
    fieldSelector: {},
    labelSelector: {
      rawSelector: 'a',
      requirements: [
        { key: '-', operator: 'In' },
        { key: 'b', operator: 'Near' },
      ],
    },
  });
  for (const part of [
    'spec.resourceAttributes.fieldSelector.requirements: Required value: when spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is required',
    'spec.resourceAttributes.labelSelector.rawSelector: Invalid value: "a": may not specified at the same time as requirements',
    "spec.resourceAttributes.labelSelector.requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    'spec.resourceAttributes.labelSelector.requirements[0].key: Invalid value: "-"',
  ])
    assert.ok(wrong.message.includes(part), wrong.message);
  assert.ok(!wrong.message.includes('requirements[1]'));
  const named = await ask('POST', path, { metadata: { name: 'x' }, spec: { user: 'ann', ...getPods } });
  assert.match(named.json.message, /metadata: Invalid value: .*: must be empty/);
});

test('an authorizer sees what lists, watches and deletions of many are limited to', async (t) => {
  const asked: AuthorizationAttributes[] = [];
  const authorizer: Authorizer = (attributes) => {
    asked.push(attributes);
    return { decision: attributes.user.name === 'ann' ? 'no opinion' : 'allow' };
  };
  const { server, close } = await startServer({ authorizer });
  t.after(close);
  const limits = async (method: 'GET' | 'DELETE', path: string) => {
    await server.transport({ name: 'ann', groups: [] }).request({ method, path, headers: {} });
    const { verb, name, fieldSelector, labelSelector } = asked.at(-1) ?? {};
    return { verb, name, fieldSelector, labelSelector };
  };
  const spec = { field: 'spec.nodeName', operator: '=', value: 'a' };
  assert.deepEqual(await limits('GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Da&labelSelector=x%3Dy'), {
    verb: 'list',
    name: '',
    fieldSelector: [spec],
    labelSelector: [{ key: 'x', operator: '=', values: ['y'] }],
  });
  const one = { field: 'metadata.name', operator: '=', value: 'p' };
  const nothing = { fieldSelector: undefined, labelSelector: undefined };
  const named = '/api/v1/namespaces/n/pods?fieldSelector=metadata.name%3Dp';
  assert.deepEqual(await limits('GET', `${named}&watch=1`), { ...nothing, verb: 'watch', name: 'p', fieldSelector: [one] });
  assert.deepEqual(await limits('DELETE', named), { ...nothing, verb: 'deletecollection', name: '', fieldSelector: [one] });
  assert.deepEqual(await limits('GET', '/api/v1/watch/pods?fieldSelector=spec.nodeName%3Da'), { ...nothing, verb: 'watch', name: '' });
  assert.deepEqual(await limits('GET', '/api/v1/pods?labelSelector=a%20b'), { ...nothing, verb: 'list', name: '' });
});
