// What validating policies decide, and how they say it: after Kubernetes' documentation and its own tests of the plug-in.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type PolicyFixture, rulesFor, startPolicyServer } from './policy-fixture.ts';

let server: PolicyFixture;
before(async () => {
  server = await startPolicyServer(({ user, verb, group, resource, namespace, name, path, isResourceRequest, subresource }) => {
    const asked = isResourceRequest ? [verb, group, resource, subresource, namespace, name].join(' ') : `${verb} ${path}`;
    return { decision: asked === 'use apps deployments scale vap-authorizer d' ? 'allow' : 'deny', reason: `${user.name}: ${asked}` };
  });
});
after(() => server.close());

const configMaps = rulesFor('', 'configmaps', ['CREATE', 'UPDATE']);

/** A policy of one validation over config maps, and what it makes of one of them. */
async function outcomeOf(
  name: string,
  validation: object,
  { binding = {}, data = { other: 'yes' }, ...spec }: Record<string, unknown> = {},
) {
  await server.addNamespace(name);
  await server.addValidating(name, { matchConstraints: configMaps, validations: [validation], ...spec }, binding as object);
  return server.addConfigMap(name, 'c', { data });
}
const deniedBy = (name: string, message: string) => `ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request: ${message}`;

test('the reason of a validation gives the code', async () => {
  for (const [reason, code] of Object.entries({ Forbidden: 403, Invalid: 422, RequestEntityTooLarge: 413 })) {
    const name = `vap-reason-${reason.toLowerCase()}`;
    const answer = await outcomeOf(name, { expression: 'false', message: ' no ', reason });
    const text = deniedBy(name, 'no');
    assert.deepEqual(
      [answer.status, answer.json.reason, answer.json.code, answer.json.message],
      [code, reason, code, `configmaps "c" is forbidden: ${text}`],
    );
    assert.deepEqual(answer.json.details, { name: 'c', kind: 'configmaps', causes: [{ message: text }] });
  }
});

test('a message is made by its expression, unless it fails, is empty, has lines or is too long', async () => {
  const cases: [expression: string, made: string][] = [
    ["'has ' + string(size(object.data)) + ' '", 'has 1'],
    ['object.missing', 'fixed'],
    ["'  '", 'fixed'],
    ["'two' + '\\n' + 'lines'", 'fixed'],
    [`'${'x'.repeat(5121)}'`, 'fixed'],
    [`'${'x'.repeat(5120)}'`, 'x'.repeat(5120)],
  ];
  const validations = (message: string) => ({ expression: 'false', messageExpression: message, message: 'fixed' });
  for (const [i, [expression, made]] of cases.entries()) {
    const text = expression === 'object.missing' ? 'string(object.missing)' : expression;
    const answer = await outcomeOf(`vap-message-${i}`, validations(text), { data: { a: 'b' } });
    assert.equal(answer.json.message, `configmaps "c" is forbidden: ${deniedBy(`vap-message-${i}`, made)}`, expression);
  }
  const bare = await outcomeOf('vap-message-bare', { expression: ' object.data.size() > 1 ' });
  assert.match(bare.json.message, /denied request: failed expression: object\.data\.size\(\) > 1$/);
});

test('Warn warns, Audit annotates, and both let the request pass', async () => {
  const validations = [{ expression: 'true' }, { expression: "object.data.a == 'x'", message: 'must be x' }];
  const binding = { validationActions: ['Warn', 'Audit'] };
  const answer = await outcomeOf('vap-warn', {}, { validations, binding, data: { a: 'y' } });
  assert.equal(answer.status, 201);
  const text = "Validation failed for ValidatingAdmissionPolicy 'vap-warn' with binding 'vap-warn': must be x";
  assert.equal(answer.headers['warning'], `299 - "${text}"`);
  assert.deepEqual(JSON.parse(server.annotations()['validation.policy.admission.k8s.io/validation_failure'] ?? ''), [
    { message: 'must be x', policy: 'vap-warn', binding: 'vap-warn', expressionIndex: 1, validationActions: ['Warn', 'Audit'] },
  ]);
});

test('Deny and Audit do both, for every validation that fails; the first is the answer', async () => {
  const validations = [{ expression: '1 == 2' }, { expression: '3 == 4', reason: 'Forbidden' }];
  const answer = await outcomeOf('vap-both', {}, { validations, binding: { validationActions: ['Audit', 'Deny'] } });
  assert.deepEqual([answer.status, answer.json.details.causes.length], [422, 1]);
  assert.match(answer.json.message, /failed expression: 1 == 2$/);
  const found = JSON.parse(server.annotations()['validation.policy.admission.k8s.io/validation_failure'] ?? '');
  assert.deepEqual(
    found.map((each: { expressionIndex: number; message: string }) => [each.expressionIndex, each.message]),
    [
      [0, 'failed expression: 1 == 2'],
      [1, 'failed expression: 3 == 4'],
    ],
  );
});

test('an expression that fails refuses, or is passed over with failurePolicy Ignore', async () => {
  const expression = "object.data.missing == 'x'";
  const refused = await outcomeOf('vap-fail', { expression });
  assert.equal(refused.status, 422);
  assert.equal(
    refused.json.message,
    `configmaps "c" is forbidden: ${deniedBy('vap-fail', `expression '${expression}' resulted in error: no such key: missing`)}`,
  );
  assert.equal((await outcomeOf('vap-ignore', { expression }, { failurePolicy: 'Ignore' })).status, 201);
  const still = await outcomeOf('vap-ignore-deny', { expression: 'false' }, { failurePolicy: 'Ignore' });
  assert.equal(still.status, 422, 'a validation that is false is no failure');
});

test('match conditions leave a request alone, and fail as the failure policy says', async () => {
  const conditions = (expression: string) => ({ matchConditions: [{ name: 'a', expression }] });
  assert.equal((await outcomeOf('vap-condition', { expression: 'false' }, conditions("object.metadata.name != 'c'"))).status, 201);
  const failing = 'object.data.missing.size() > 0';
  const broken = await outcomeOf('vap-condition-fail', { expression: 'true' }, conditions(failing));
  assert.match(
    broken.json.message,
    /denied request: expression 'object\.data\.missing\.size\(\) > 0' resulted in error: no such key: missing$/,
  );
  assert.equal(
    (await outcomeOf('vap-condition-ignore', { expression: 'false' }, { ...conditions(failing), failurePolicy: 'Ignore' })).status,
    201,
  );
  const matchConditions = [
    { name: 'a', expression: failing },
    { name: 'b', expression: 'int(object.data.other) > 0' },
    { name: 'c', expression: failing },
  ];
  const both = await outcomeOf('vap-conditions', { expression: 'true' }, { matchConditions });
  assert.match(
    both.json.message,
    /denied request: \[expression '\S+ > 0' resulted in error: .*, expression 'int\(.*' resulted in error: .*\]$/,
  );
  const settled = [...matchConditions, { name: 'd', expression: 'false' }];
  assert.equal((await outcomeOf('vap-conditions-false', { expression: 'false' }, { matchConditions: settled })).status, 201);
});

test('expressions see the whole request', async () => {
  const checks = [
    "request.kind.group == '' && request.kind.version == 'v1' && request.kind.kind == 'ConfigMap'",
    "request.resource.group == '' && request.resource.version == 'v1' && request.resource.resource == 'configmaps'",
    'request.requestKind == request.kind && request.requestResource == request.resource',
    '!has(request.subResource) && !has(request.requestSubResource)',
    "request.name == 'c' && request.namespace == 'vap-request' && request.operation == 'CREATE'",
    "request.userInfo.username == 'root' && 'system:masters' in request.userInfo.groups && !has(request.userInfo.uid)",
    'request.dryRun == false',
    "request.options.kind == 'CreateOptions'",
    "object.kind == 'ConfigMap' && object.apiVersion == 'v1' && object.metadata.namespace == 'vap-request'",
    'oldObject == null',
    "namespaceObject.metadata.name == 'vap-request' && namespaceObject.metadata.labels['policy'] == 'vap-request'",
    "namespaceObject.status.phase == 'Active' && 'kubernetes' in namespaceObject.spec.finalizers",
    "!('managedFields' in dyn(namespaceObject).metadata) && dyn(namespaceObject).metadata.uid != ''",
  ];
  const validations = checks.map((expression) => ({ expression }));
  const answer = await outcomeOf('vap-request', {}, { validations });
  assert.equal(answer.status, 201, answer.text);
});

test('what is named like something of JavaScript is seen like anything else', async () => {
  const data = JSON.parse('{"constructor": "a", "__proto__": "b", "hasOwnProperty": "c"}');
  const validations = [
    { expression: "object.data.constructor == 'a' && object.data['__proto__'] == 'b' && object.data.hasOwnProperty == 'c'" },
    { expression: "object.data.size() == 3 && !has(object.data.toString) && !('valueOf' in object.data)" },
    { expression: 'object.data.all(key, value, value.size() == 1)' },
  ];
  const answer = await outcomeOf('vap-names', {}, { validations, data });
  assert.equal(answer.status, 201, answer.text);
});

test('updates see both objects, deletions the old one alone, subresources their name, and dry runs that they are', async () => {
  await server.addNamespace('vap-operations');
  const path = '/apis/apps/v1/namespaces/vap-operations/deployments';
  const spec = {
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  };
  await server.make(path, { metadata: { name: 'd' }, spec });
  const matchConstraints = {
    resourceRules: [
      { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE', 'DELETE'], resources: ['deployments', 'deployments/scale'] },
    ],
  };
  const validations = [
    {
      expression: 'false',
      messageExpression:
        "request.operation + ' ' + (has(request.subResource) ? request.subResource : 'main') + ' ' + string(type(object) == null_type) + ' ' + string(request.dryRun) + ' ' + string(oldObject.spec.replicas)",
    },
  ];
  await server.addValidating('vap-operations', { matchConstraints, validations });
  const denial = async (...request: Parameters<PolicyFixture['ask']>) =>
    / denied request: (.*)$/.exec((await server.ask(...request)).json.message)?.[1];
  const patch = { 'content-type': 'application/merge-patch+json' };
  assert.equal(await denial('PATCH', `${path}/d`, { spec: { replicas: 3 } }, patch), 'UPDATE main false false 1');
  assert.equal(await denial('PATCH', `${path}/d?dryRun=All`, { spec: { replicas: 3 } }, patch), 'UPDATE main false true 1');
  assert.equal(await denial('PATCH', `${path}/d/scale`, { spec: { replicas: 3 } }, patch), 'UPDATE scale false false 1');
  assert.equal(await denial('DELETE', `${path}/d`), 'DELETE main true false 1');
});

test('a namespace has no namespace object, and is in itself', async () => {
  await server.addNamespace('vap-cluster');
  const matchConstraints = { ...rulesFor('', 'namespaces', ['CREATE']), objectSelector: { matchLabels: { judged: 'yes' } } };
  const validations = [
    { expression: "namespaceObject == null && request.namespace == 'judged'", message: 'there is one' },
    { expression: 'false', message: 'seen' },
  ];
  await server.addValidating('vap-cluster', { matchConstraints, validations }, { matchResources: {} });
  const answer = await server.ask('POST', '/api/v1/namespaces', { metadata: { name: 'judged', labels: { judged: 'yes' } } });
  assert.match(answer.json.message, /denied request: seen$/);
  assert.equal((await server.ask('POST', '/api/v1/namespaces', { metadata: { name: 'not-judged' } })).status, 201);
});

test('the authorizer answers for the caller, service accounts, the request itself and paths', async () => {
  const resource = "group('apps').resource('deployments').subresource('scale').namespace('vap-authorizer').name('d')";
  const checks = [
    `authorizer.${resource}.check('use').allowed()`,
    `!authorizer.${resource}.check('get').allowed()`,
    `authorizer.${resource}.check('get').reason() == 'root: get apps deployments scale vap-authorizer d'`,
    `!authorizer.${resource}.check('get').errored() && authorizer.${resource}.check('get').error() == ''`,
    `authorizer.serviceAccount('ns', 'sa').${resource}.check('use').reason() == 'system:serviceaccount:ns:sa: use apps deployments scale vap-authorizer d'`,
    "authorizer.requestResource.check('create').reason() == 'root: create  configmaps  vap-authorizer c'",
    "authorizer.requestResource.name('other').check('get').reason() == 'root: get  configmaps  vap-authorizer other'",
    "authorizer.path('/healthz').check('get').reason() == 'root: get /healthz'",
    // An answer that is not needed is not waited for in vain, whichever side it stands on.
    `authorizer.${resource}.check('use').allowed() || authorizer.path('/x').check('get').allowed()`,
  ];
  const answer = await outcomeOf('vap-authorizer', {}, { validations: checks.map((expression) => ({ expression })) });
  assert.equal(answer.status, 201, answer.text);
  const wrong = await outcomeOf('vap-authorizer-wrong', {
    expression: "authorizer.serviceAccount('ns', 'No').group('').resource('pods').check('get').allowed()",
  });
  assert.match(wrong.json.message, /resulted in error: Invalid service account name$/);
});

test('three checks are more than one expression may cost', async () => {
  const check = (path: string) => `authorizer.path('${path}').check('get').allowed()`;
  const answer = await outcomeOf('vap-expensive', { expression: `${check('/a')} || ${check('/b')} || ${check('/c')}` });
  assert.match(answer.json.message, /resulted in error: operation cancelled: actual cost limit exceeded$/);
  const spared = await outcomeOf('vap-spared', { expression: `true || ${check('/a')} || ${check('/b')} || ${check('/c')}` });
  assert.equal(spared.status, 201, 'what is not evaluated costs nothing');
});

test('loops within loops over much data are more than one expression may cost, over little they are not', async () => {
  const expression = 'object.data.all(a, object.data.all(b, object.data.all(c, a + b + c != "")))';
  const data = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`key-${i}`, 'value']));
  const answer = await outcomeOf('vap-loops', { expression }, { data: data(100) });
  assert.match(answer.json.message, /resulted in error: operation cancelled: actual cost limit exceeded$/);
  assert.equal((await outcomeOf('vap-few-loops', { expression }, { data: data(10) })).status, 201);
  const messageExpression = "'has ' + object.?data.?a.orValue('nothing') + object.data.map(k, k).join(', ')";
  const denied = await outcomeOf('vap-optional', { expression: 'false', messageExpression }, { data: { a: 'b' } });
  assert.match(denied.json.message, /denied request: has ba$/, 'values whose size nothing tells are no reason');
});

test('all expressions together run out of budget', async () => {
  const twice = "authorizer.path('/a').check('get').allowed() || authorizer.path('/b').check('get').allowed() || true";
  const validations = Array.from({ length: 15 }, () => ({ expression: twice }));
  const answer = await outcomeOf('vap-budget', {}, { validations });
  const text = 'validation failed due to running out of cost budget, no further validation rules will be run';
  assert.equal(answer.json.message, `configmaps "c" is forbidden: ${deniedBy('vap-budget', text)}`);
  assert.equal((await outcomeOf('vap-within', {}, { validations: validations.slice(1) })).status, 201);
  assert.equal((await outcomeOf('vap-budget-ignored', {}, { validations, failurePolicy: 'Ignore' })).status, 201);
});

test('variables are evaluated when they are asked for, and refer to those before them', async () => {
  const variables = [
    { name: 'keys', expression: 'object.data.map(k, k)' },
    { name: 'count', expression: 'variables.keys.size()' },
    { name: 'broken', expression: 'object.data.missing' },
  ];
  const validations = [
    { expression: 'variables.count == 2' },
    { expression: "variables.count == 2 || variables.broken == 'x'" },
    { expression: "variables.broken == 'x' || variables.count == 2" },
  ];
  const answer = await outcomeOf('vap-variables', {}, { variables, validations, data: { a: '1', b: '2' } });
  assert.equal(answer.status, 201, answer.text);
  const broken = await outcomeOf('vap-variable-broken', { expression: "variables.broken == 'x'" }, { variables });
  assert.match(broken.json.message, /resulted in error: composited variable "broken" fails to evaluate: no such key: missing$/);
});

test('audit annotations are named for their policy, joined over parameters, and left out when null or empty', async () => {
  await server.addNamespace('vap-annotations');
  for (const name of ['a', 'b', 'c'])
    assert.equal(
      (
        await server.addConfigMap('default', `annotation-${name}`, {
          metadata: { name: `annotation-${name}`, labels: { vap: 'annotations' } },
          data: { v: name === 'c' ? 'a' : name },
        })
      ).status,
      201,
    );
  const spec = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    matchConstraints: configMaps,
    auditAnnotations: [
      { key: 'value', valueExpression: "' got ' + params.data.v + ' '" },
      { key: 'none', valueExpression: 'null' },
      { key: 'empty', valueExpression: "''" },
      { key: 'long', valueExpression: `'${'é'.repeat(2500)}' + '${''}' + '${'x'.repeat(0)}'` },
    ],
  };
  const paramRef = { selector: { matchLabels: { vap: 'annotations' } }, namespace: 'default', parameterNotFoundAction: 'Deny' };
  await server.addValidating('vap-annotations', spec, { paramRef });
  assert.equal((await server.addConfigMap('vap-annotations', 'c')).status, 201);
  assert.deepEqual(
    Object.entries(server.annotations()).filter(([key]) => key.startsWith('vap-annotations/')),
    [
      ['vap-annotations/value', 'got a, got b'],
      ['vap-annotations/long', 'é'.repeat(2500)],
    ],
  );
  const failing = { matchConstraints: configMaps, auditAnnotations: [{ key: 'x', valueExpression: 'string(object.data.missing)' }] };
  await server.addNamespace('vap-annotation-fails');
  await server.addValidating('vap-annotation-fails', failing, { validationActions: ['Audit'] });
  const refused = await server.addConfigMap('vap-annotation-fails', 'c');
  assert.match(refused.json.message, /denied request: expression 'string\(object\.data\.missing\)' resulted in error: no such key: data$/);
});

test('what policies do is counted', async () => {
  await outcomeOf('vap-counted', { expression: 'false' }, { binding: { validationActions: ['Warn', 'Audit'] } });
  await outcomeOf('vap-counted-ignored', { expression: 'object.x == 1' }, { failurePolicy: 'Ignore' });
  const { text } = await server.ask('GET', '/metrics');
  const series = (name: string, error: string, action: string) =>
    `apiserver_validating_admission_policy_check_total{enforcement_action="${action}",error_type="${error}",policy="${name}",policy_binding="${name}"} 1`;
  for (const action of ['warn', 'audit']) assert.ok(text.includes(series('vap-counted', 'invalid_error', action)), action);
  assert.ok(text.includes(series('vap-counted-ignored', 'invalid_error', 'allow')));
  assert.match(text, /apiserver_validating_admission_policy_check_duration_seconds_bucket\{[^}]*policy="vap-counted"[^}]*,le="0.001"\}/);
});
