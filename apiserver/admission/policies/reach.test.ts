// Which requests validating policies are about, and with which parameters.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type PolicyFixture, policyGroup, rulesFor, startPolicyServer } from './policy-fixture.ts';

let server: PolicyFixture;
before(async () => {
  server = await startPolicyServer();
});
after(() => server.close());

const configMaps = rulesFor('', 'configmaps', ['CREATE', 'UPDATE']);
const deniedBy = (name: string, message: string) => `ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request: ${message}`;

test('parameters come by name or by selector, from where the request is, and their absence is allowed or denied', async () => {
  await server.addNamespace('vap-params');
  const spec = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    matchConstraints: rulesFor('', 'secrets', ['CREATE']),
    validations: [
      {
        expression: 'params != null && object.metadata.name.size() <= int(params.data.max)',
        messageExpression: "'no longer than ' + params.data.max",
      },
    ],
  };
  const paramRef = { name: 'limit', parameterNotFoundAction: 'Deny' };
  await server.addValidating('vap-params', spec, { paramRef });
  const add = (name: string) => server.ask('POST', '/api/v1/namespaces/vap-params/secrets', { metadata: { name } });
  const lost = await add('s');
  assert.match(
    lost.json.message,
    /'vap-params' with binding 'vap-params' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction$/,
  );
  assert.equal((await server.addConfigMap('vap-params', 'limit', { data: { max: '3' } })).status, 201);
  assert.equal((await add('abc')).status, 201);
  assert.match((await add('abcd')).json.message, /denied request: no longer than 3$/);
  // A changed parameter counts from the next request on.
  await server.ask(
    'PATCH',
    '/api/v1/namespaces/vap-params/configmaps/limit',
    { data: { max: '4' } },
    { 'content-type': 'application/merge-patch+json' },
  );
  assert.equal((await add('abcd')).status, 201);
  await server.ask('DELETE', '/api/v1/namespaces/vap-params/configmaps/limit');
  assert.equal((await add('x')).status, 422);
  const binding = `${policyGroup}/validatingadmissionpolicybindings/vap-params`;
  const changed = await server.ask(
    'PATCH',
    binding,
    { spec: { paramRef: { parameterNotFoundAction: 'Allow' } } },
    { 'content-type': 'application/merge-patch+json' },
  );
  assert.equal(changed.status, 200, changed.text);
  assert.equal((await add('longer-than-all')).status, 201);
  const without = await server.ask('PATCH', binding, { spec: { paramRef: null } }, { 'content-type': 'application/merge-patch+json' });
  assert.equal(without.status, 200, without.text);
  assert.match((await add('y')).json.message, /failed expression: params != null/, 'a binding without parameters evaluates with null');
});

test('what cannot be configured denies, whatever the binding says, unless failures are ignored', async () => {
  await server.addNamespace('vap-misconfigured');
  const spec = {
    matchConstraints: configMaps,
    validations: [{ expression: 'params == null' }],
    paramKind: { apiVersion: 'rules.example.com/v1', kind: 'Rule' },
  };
  await server.addValidating('vap-misconfigured', spec, {
    validationActions: ['Audit'],
    paramRef: { name: 'x', parameterNotFoundAction: 'Allow' },
  });
  const answer = await server.addConfigMap('vap-misconfigured', 'c');
  const why = "failed to configure policy: failed to find resource referenced by paramKind: 'rules.example.com/v1, Kind=Rule'";
  assert.match(answer.json.message, new RegExp(`ValidatingAdmissionPolicy 'vap-misconfigured' denied request: ${why}$`));
  await server.ask('DELETE', `${policyGroup}/validatingadmissionpolicies/vap-misconfigured`);
  assert.equal((await server.addConfigMap('vap-misconfigured', 'c')).status, 201, 'a deleted policy is gone at once');
  const ofRoles = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    matchConstraints: { ...rulesFor('rbac.authorization.k8s.io', 'clusterroles', ['CREATE']) },
    validations: [{ expression: 'namespaceObject == null && !has(request.namespace)' }],
  };
  const paramRef = { name: 'x', parameterNotFoundAction: 'Allow' };
  await server.addValidating('vap-no-namespace', ofRoles, { matchResources: {}, paramRef });
  const addRole = () =>
    server.ask('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', { metadata: { name: 'vap-role' }, rules: [] });
  const refused = await addRole();
  const text = 'failed to configure binding: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources';
  assert.equal(
    refused.json.message,
    `clusterroles.rbac.authorization.k8s.io "vap-role" is forbidden: ${deniedBy('vap-no-namespace', text)}`,
  );
  const binding = `${policyGroup}/validatingadmissionpolicybindings/vap-no-namespace`;
  const merge = { 'content-type': 'application/merge-patch+json' };
  assert.equal((await server.ask('PATCH', binding, { spec: { paramRef: null } }, merge)).status, 200);
  assert.equal((await addRole()).status, 201);
});

test('a policy for one version of a resource is about the others, too, unless it says Exact', async () => {
  await server.addNamespace('vap-versions');
  const rules = [{ apiGroups: ['autoscaling'], apiVersions: ['v2'], operations: ['CREATE'], resources: ['horizontalpodautoscalers'] }];
  const validations = [
    {
      expression: 'false',
      messageExpression:
        "object.apiVersion + ' of ' + string(object.spec.metrics[0].resource.target.averageUtilization) + ' as ' + request.kind.version + ' for ' + request.requestKind.version",
    },
  ];
  await server.addValidating('vap-versions', { matchConstraints: { resourceRules: rules }, validations });
  const autoscaler = {
    metadata: { name: 'h' },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, maxReplicas: 3, targetCPUUtilizationPercentage: 70 },
  };
  const add = () => server.ask('POST', '/apis/autoscaling/v1/namespaces/vap-versions/horizontalpodautoscalers', autoscaler);
  assert.match((await add()).json.message, /denied request: autoscaling\/v2 of 70 as v2 for v1$/);
  const path = `${policyGroup}/validatingadmissionpolicies/vap-versions`;
  const merge = { 'content-type': 'application/merge-patch+json' };
  const exact = await server.ask('PATCH', path, { spec: { matchConstraints: { matchPolicy: 'Exact' } } }, merge);
  assert.equal(exact.status, 200, exact.text);
  assert.equal((await add()).status, 201);
});

test('rules, exclusions, names and selectors of policy and binding all have to match', async () => {
  await server.addNamespace('vap-matching');
  const matchConstraints = {
    ...configMaps,
    excludeResourceRules: [{ ...configMaps.resourceRules[0], resourceNames: ['excluded'] }],
    objectSelector: { matchExpressions: [{ key: 'skip', operator: 'DoesNotExist' }] },
  };
  const matchResources = {
    namespaceSelector: { matchLabels: { policy: 'vap-matching' } },
    resourceRules: [{ ...configMaps.resourceRules[0], resourceNames: ['bound', 'excluded', 'skipped'] }],
  };
  await server.addValidating('vap-matching', { matchConstraints, validations: [{ expression: 'false' }] }, { matchResources });
  const status = async (name: string, labels?: object) =>
    (await server.addConfigMap('vap-matching', name, { metadata: { name, ...(labels && { labels }) } })).status;
  assert.equal(await status('bound'), 422);
  assert.equal(await status('unbound'), 201);
  assert.equal(await status('excluded'), 201);
  assert.equal(await status('skipped', { skip: 'yes' }), 201);
  // Taking the label away from what was let in does not help: the old object is looked at, too.
  const update = await server.ask('PUT', '/api/v1/namespaces/vap-matching/configmaps/skipped', { metadata: { name: 'skipped' } });
  assert.equal(update.status, 422);
});

test('policies never judge policies, nor questions about permissions; webhook configurations they do', async () => {
  const matchConstraints = { resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['CREATE'], resources: ['*'] }] };
  await server.addValidating('vap-everything', { matchConstraints, validations: [{ expression: 'false' }] }, { matchResources: {} });
  try {
    const review = { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } };
    assert.equal((await server.ask('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review)).status, 201);
    const policy = { metadata: { name: 'vap-another' }, spec: { matchConstraints: configMaps, validations: [{ expression: 'true' }] } };
    assert.equal((await server.ask('POST', `${policyGroup}/validatingadmissionpolicies`, policy)).status, 201);
    assert.equal((await server.ask('POST', `${policyGroup}/validatingwebhookconfigurations`, { metadata: { name: 'w' } })).status, 422);
    assert.equal((await server.addConfigMap('default', 'any')).status, 422);
  } finally {
    await server.ask('DELETE', `${policyGroup}/validatingadmissionpolicybindings/vap-everything`);
  }
  assert.equal((await server.addConfigMap('default', 'any')).status, 201, 'without its binding a policy is not in force');
});

test('connections are judged by what they ask for; evictions and bindings by their own kinds', async () => {
  await server.addNamespace('vap-connect');
  const at = '/api/v1/namespaces/vap-connect';
  await server.make(`${at}/pods`, { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } });
  const resources = ['pods/exec', 'pods/eviction', 'pods/binding'];
  const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CONNECT', 'CREATE'], resources }];
  const what = "request.operation + ' ' + request.kind.kind + ' ' + request.requestSubResource + ' ' + request.resource.resource";
  const messageExpression = `${what} + (has(object.command) ? ' ' + object.command.join(' ') : '')`;
  await server.addValidating('vap-connect', {
    matchConstraints: { resourceRules },
    validations: [{ expression: 'false', messageExpression }],
  });
  const denial = async (path: string, body?: object) =>
    / denied request: (.*)$/.exec((await server.ask('POST', `${at}/${path}`, body)).json?.message)?.[1];
  assert.equal(await denial('pods/p/exec?command=ls&command=-l'), 'CONNECT PodExecOptions exec pods ls -l');
  assert.equal(
    await denial('pods/p/eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p' } }),
    'CREATE Eviction eviction pods',
  );
  assert.equal(await denial('pods/p/binding', { metadata: { name: 'p' }, target: { name: 'node' } }), 'CREATE Binding binding pods');
});
