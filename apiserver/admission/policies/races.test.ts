// Policies, bindings and parameters that change while requests are under way, and many of them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { builtInAdmission } from '../built-in.ts';
import { type PolicyFixture, policyGroup, rulesFor, startPolicyServer } from './policy-fixture.ts';

/** Questions to the authorizer, which wait for the test. */
const questions: (() => void)[] = [];
let onQuestion = () => {};
let server: PolicyFixture;
before(async () => {
  server = await startPolicyServer(undefined, {
    admission: (view) =>
      builtInAdmission(view, {
        authorizer: () =>
          new Promise((resolve) => {
            questions.push(() => resolve({ decision: 'allow' }));
            onQuestion();
          }),
      }),
  });
});
after(() => server.close());

/** Resolves once a request waits for the authorizer. */
const asked = () =>
  new Promise<void>((resolve) => {
    onQuestion = resolve;
    if (questions.length) resolve();
  });
const answer = () => {
  for (const each of questions.splice(0)) each();
};
const configMaps = rulesFor('', 'configmaps', ['CREATE', 'UPDATE']);
const waits = "authorizer.path('/wait').check('get').allowed()";
const merge = { 'content-type': 'application/merge-patch+json' };

test('a request is judged by one version of its parameters, however they change meanwhile', async () => {
  await server.addNamespace('race-params');
  const max = await server.ask('POST', '/api/v1/namespaces/default/secrets', { metadata: { name: 'race-max' }, stringData: { max: '1' } });
  assert.equal(max.status, 201);
  const spec = {
    paramKind: { apiVersion: 'v1', kind: 'Secret' },
    matchConstraints: configMaps,
    validations: [
      { expression: `object.data.size() <= 1 && ${waits}` },
      { expression: "params.data.max == 'MQ=='", messageExpression: "'max is ' + params.data.max" },
    ],
  };
  await server.addValidating('race-params', spec, {
    paramRef: { name: 'race-max', namespace: 'default', parameterNotFoundAction: 'Deny' },
  });
  const first = server.addConfigMap('race-params', 'a', { data: { a: '' } });
  await asked();
  const changed = await server.ask('PATCH', '/api/v1/namespaces/default/secrets/race-max', { stringData: { max: '2' } }, merge);
  assert.equal(changed.status, 200);
  answer();
  assert.equal((await first).status, 201);
  const second = server.addConfigMap('race-params', 'b', { data: { a: '' } });
  await asked();
  assert.equal((await server.ask('DELETE', '/api/v1/namespaces/default/secrets/race-max')).status, 200);
  answer();
  assert.match((await second).json.message, /max is Mg==$/);
  assert.match((await server.addConfigMap('race-params', 'c')).json.message, /no params found/);
});

test('a policy that is deleted or changed under a request still decides it, and no later one', async () => {
  await server.addNamespace('race-policy');
  const spec = { matchConstraints: configMaps, validations: [{ expression: `${waits} && false`, message: 'as it was' }] };
  await server.addValidating('race-policy', spec);
  const first = server.addConfigMap('race-policy', 'a');
  await asked();
  const path = `${policyGroup}/validatingadmissionpolicies/race-policy`;
  const validations = [{ expression: 'false', message: 'as it is' }];
  assert.equal((await server.ask('PATCH', path, { spec: { validations } }, merge)).status, 200);
  assert.match((await server.addConfigMap('race-policy', 'b')).json.message, /as it is$/, 'what is written is in force');
  answer();
  assert.match((await first).json.message, /as it was$/);
  assert.equal((await server.ask('PATCH', path, { spec: { validations: spec.validations } }, merge)).status, 200);
  const second = server.addConfigMap('race-policy', 'c');
  await asked();
  assert.equal((await server.ask('DELETE', path)).status, 200);
  assert.equal((await server.ask('DELETE', `${policyGroup}/validatingadmissionpolicybindings/race-policy`)).status, 200);
  assert.equal((await server.addConfigMap('race-policy', 'd')).status, 201);
  answer();
  assert.match((await second).json.message, /as it was$/);
});

test('a mutation under way is applied to what the request holds, not to what is stored meanwhile', async () => {
  await server.addNamespace('race-mutation');
  const expression = `${waits} ? Object{data: {"count": string(object.data.size())}} : Object{}`;
  const mutations = [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }];
  await server.addMutating('race-mutation', { matchConstraints: configMaps, mutations });
  const path = '/api/v1/namespaces/race-mutation/configmaps/a';
  const created = server.addConfigMap('race-mutation', 'a', { data: { a: '1', b: '2' } });
  await asked();
  answer();
  assert.deepEqual((await created).json.data, { a: '1', b: '2', count: '2' });
  const first = server.ask('PUT', path, { metadata: { name: 'a' }, data: { a: '1' } });
  await asked();
  const second = server.ask('PATCH', path, { data: { c: '3' } }, merge);
  while (questions.length < 2) await new Promise(setImmediate);
  // Whoever comes second tries again, and asks again.
  onQuestion = () => void setImmediate(answer);
  answer();
  const outcomes = [await first, await second];
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    [200, 200],
  );
  assert.deepEqual(outcomes[0]?.json.data, { a: '1', count: '1' });
});

test('two thousand bindings are looked through, and answer with what fits into headers and annotations', async () => {
  await server.addNamespace('race-many');
  const spec = { matchConstraints: configMaps, validations: [{ expression: 'false', message: 'no '.repeat(30) }] };
  await server.make(`${policyGroup}/validatingadmissionpolicies`, { metadata: { name: 'race-many' }, spec });
  const matchResources = { namespaceSelector: { matchLabels: { policy: 'race-many' } } };
  await Promise.all(
    Array.from({ length: 2000 }, (_, i) =>
      server.make(`${policyGroup}/validatingadmissionpolicybindings`, {
        metadata: { name: `race-many-${i}` },
        spec: { policyName: 'race-many', validationActions: ['Warn', 'Audit'], matchResources },
      }),
    ),
  );
  const answered = await server.addConfigMap('race-many', 'a');
  assert.equal(answered.status, 201);
  assert.ok(Buffer.byteLength(String(answered.headers['warning'])) < 16_384, 'warnings are cut');
  const failures = JSON.parse(server.annotations()['validation.policy.admission.k8s.io/validation_failure'] ?? '');
  assert.equal(failures.length, 50);
  assert.equal((await server.addConfigMap('default', 'race-other')).status, 201);
});
