import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicyRule } from '../../../api/rbac.ts';
import type { AuthorizationAttributes } from '../authorizer.ts';
import { compactRules, describeRule, ruleAllows, uncovered } from './rules.ts';

const base: AuthorizationAttributes = {
  user: { name: 'ann', groups: [] },
  verb: 'get',
  isResourceRequest: true,
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  namespace: 'a',
  name: 'x',
  path: '',
};
const rule = (verbs: string, groups: string, resources: string, ...resourceNames: string[]): PolicyRule => ({
  verbs: verbs.split(','),
  apiGroups: groups.split(','),
  resources: resources.split(','),
  ...(resourceNames.length ? { resourceNames } : {}),
});
const urls = (...nonResourceURLs: string[]): PolicyRule => ({ verbs: ['get'], nonResourceURLs });

const table: [string, PolicyRule, Partial<AuthorizationAttributes>, boolean][] = [
  ['its verb, group and resource', rule('get', '', 'pods'), {}, true],
  ['no other verb', rule('list', '', 'pods'), {}, false],
  ['no other group', rule('get', 'apps', 'pods'), {}, false],
  ['any verb with a star', rule('*', '', 'pods'), { verb: 'escalate' }, true],
  ['any group with a star', rule('get', '*', 'pods'), { group: 'metrics.k8s.io' }, true],
  ['no subresource by its resource alone', rule('get', '', 'pods'), { subresource: 'log' }, false],
  ['a subresource', rule('get', '', 'pods/log'), { subresource: 'log' }, true],
  ['not the resource by its subresource', rule('get', '', 'pods/log'), {}, false],
  ['a subresource of anything', rule('get', '*', '*/scale'), { group: 'apps', resource: 'deployments', subresource: 'scale' }, true],
  ['not a prefix of a subresource', rule('get', '', '*/scale'), { subresource: 'scal' }, false],
  ['all subresources with a star', rule('get', '', '*'), { subresource: 'log' }, true],
  ['a named object', rule('get', '', 'pods', 'x', 'y'), {}, true],
  ['no other object', rule('get', '', 'pods', 'y'), {}, false],
  ['no collection by a name', rule('list', '', 'pods', 'x'), { verb: 'list', name: '' }, false],
  ['a path', urls('/metrics'), { isResourceRequest: false, path: '/metrics' }, true],
  ['paths below', urls('/healthz/*'), { isResourceRequest: false, path: '/healthz/etcd' }, true],
  ['not the path above', urls('/healthz/*'), { isResourceRequest: false, path: '/healthz' }, false],
  ['no path by a resource rule', rule('*', '*', '*'), { isResourceRequest: false, path: '/metrics' }, false],
  ['no resource by a path rule', urls('*'), {}, false],
];
for (const [what, given, asked, isAllowed] of table) {
  test(`a rule allows ${what}`, () => assert.equal(ruleAllows(given, { ...base, ...asked }), isAllowed));
}

test('rules are covered by wider ones, and by several together', () => {
  assert.deepEqual(uncovered([rule('*', '*', '*')], [rule('get,list', '', 'pods,pods/log')]), []);
  assert.deepEqual(uncovered([rule('get', '', 'pods'), rule('list', '', 'pods')], [rule('get,list', '', 'pods')]), []);
  assert.deepEqual(uncovered([rule('get', '', 'pods', 'x')], [rule('get', '', 'pods', 'x')]), []);
  assert.deepEqual(uncovered([rule('get', '', 'pods', 'x')], [rule('get', '', 'pods')]), [rule('get', '', 'pods')]);
  assert.deepEqual(uncovered([urls('/a/*')], [urls('/a/b', '/c')]), [urls('/c')]);
  assert.deepEqual(uncovered([rule('get', '', '*/scale')], [rule('get', '', 'a/scale,a/status')]), [rule('get', '', 'a/status')]);
});

test('missing rights are told by resource, with their verbs together', () => {
  const missing = compactRules([rule('get', '', 'pods'), rule('list', '', 'pods'), urls('/x')]);
  assert.deepEqual(missing.map(describeRule), [
    '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}',
    '{NonResourceURLs:["/x"], Verbs:["get"]}',
  ]);
});
