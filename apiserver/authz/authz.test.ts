import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UserInfo } from '../resources/resource.ts';
import {
  type AuthorizationAttributes,
  discoveryAuthorizer,
  forbiddenBy,
  mastersAuthorizer,
  publicInfoAuthorizer,
  unionAuthorizer,
} from './authorizer.ts';

const authorize = unionAuthorizer([mastersAuthorizer, publicInfoAuthorizer, discoveryAuthorizer]);
const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups: [...groups, 'system:authenticated'] });
const ask = (who: UserInfo, verb: string, resource: string, extra: Partial<AuthorizationAttributes> = {}): AuthorizationAttributes => ({
  user: who,
  verb,
  isResourceRequest: true,
  group: '',
  version: 'v1',
  resource,
  subresource: '',
  namespace: 'default',
  name: '',
  path: '',
  ...extra,
});
const isAllowed = async (attributes: AuthorizationAttributes) => (await authorize(attributes)).decision === 'allow';

test('masters may do anything, a stranger nothing but look at health, version and discovery', async () => {
  assert.equal(await isAllowed(ask(user('root', 'system:masters'), 'delete', 'nodes')), true);
  assert.equal(await isAllowed(ask(user('ann'), 'get', 'pods')), false);
  const path = (p: string, verb = 'get') => ask(user('ann'), verb, '', { isResourceRequest: false, path: p });
  assert.equal(await isAllowed(path('/readyz/ping')), true);
  assert.equal(await isAllowed(path('/openapi/v3')), true);
  assert.equal(await isAllowed(path('/metrics')), false);
  assert.equal(await isAllowed(path('/version', 'post')), false);
});

test('a refusal says who, what and where', () => {
  assert.equal(
    forbiddenBy(ask(user('x'), 'list', 'pods')).message,
    'pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "default"',
  );
  assert.equal(
    forbiddenBy(ask(user('x'), 'get', 'deployments', { group: 'apps', name: 'web', namespace: '' })).message,
    'deployments.apps "web" is forbidden: User "x" cannot get resource "deployments" in API group "apps" at the cluster scope',
  );
  assert.equal(
    forbiddenBy(ask(user('x'), 'get', '', { isResourceRequest: false, path: '/metrics' })).message,
    'forbidden: User "x" cannot get path "/metrics"',
  );
});
