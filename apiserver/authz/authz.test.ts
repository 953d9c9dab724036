import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { measuredAuthorizer } from '../measured-access.ts';
import type { UserInfo } from '../resources/resource.ts';
import {
  type AuthorizationAttributes,
  discoveryAuthorizer,
  forbiddenBy,
  mastersAuthorizer,
  namedAuthorizer,
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

test('several authorizers tell all their reasons and problems; who decides is named', async () => {
  const say = (reason: string, error?: string) => () => ({ decision: 'no opinion' as const, reason, ...(error ? { error } : {}) });
  const all = unionAuthorizer([say('one', 'e'), say('two', 'e'), say('three', 'f')]);
  assert.deepEqual(await all(ask(user('ann'), 'get', 'pods')), { decision: 'no opinion', reason: 'one\ntwo\nthree', error: '[e, f]' });
  const by = { type: 'Webhook', name: 'default' };
  const named = unionAuthorizer([
    namedAuthorizer(by, say('one')),
    namedAuthorizer({ ...by, name: 'next' }, async () => ({ decision: 'deny' })),
  ]);
  assert.deepEqual(await named(ask(user('ann'), 'get', 'pods')), { decision: 'deny', by: { type: 'Webhook', name: 'next' } });
});

test('decisions are counted by who made them', async () => {
  const registry = new Registry();
  const by = { type: 'RBAC', name: 'rbac' };
  const counted = measuredAuthorizer(
    (attributes) =>
      attributes.verb === 'get'
        ? { decision: 'allow', by }
        : attributes.verb === 'list'
          ? { decision: 'deny', by }
          : { decision: 'no opinion' },
    new VirtualClock(),
    registry,
  );
  for (const verb of ['get', 'get', 'list', 'watch']) await counted(ask(user('ann'), verb, 'pods'));
  const { values } = (await registry.getSingleMetric('apiserver_authorization_decisions_total')?.get()) ?? { values: [] };
  assert.deepEqual(
    values.map(({ labels, value }) => ({ ...labels, value })),
    [
      { ...by, decision: 'allowed', value: 2 },
      { ...by, decision: 'denied', value: 1 },
    ],
  );
});
