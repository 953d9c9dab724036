import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ValidatingAdmissionPolicy } from '../../../api/admissionregistration.ts';
import { type ServerFixture, startServer } from '../../server-fixture.ts';
import { typeCheckPolicy } from './type-check.ts';

let server: ServerFixture;
before(async () => {
  server = await startServer();
  const schema = {
    type: 'object',
    properties: { spec: { type: 'object', properties: { size: { type: 'integer' }, 'with-dash': { type: 'string' } } } },
  };
  const crd = {
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      names: { kind: 'Widget', plural: 'widgets' },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
  const made = await server.ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd);
  assert.equal(made.status, 201, made.text);
  await server.server.ready();
  for (let i = 0; i < 200 && !server.server.resources.find('example.com', 'v1', 'widgets'); i++) await new Promise(setImmediate);
});
after(() => server.close());

const rule = (group: string, version: string, ...resources: string[]) => ({
  apiGroups: [group],
  apiVersions: [version],
  operations: ['*'],
  resources,
});
const warningsOf = (spec: object) => typeCheckPolicy({ spec } as ValidatingAdmissionPolicy, server.server.resources);
const check = (resourceRules: object[], ...expressions: string[]) =>
  warningsOf({ matchConstraints: { resourceRules }, validations: expressions.map((expression) => ({ expression })) });

test('a field that no matched type has is a warning for each type, by group, version and kind', () => {
  const found = check([rule('apps', 'v1', 'replicasets', 'deployments')], 'object.replicas > 1');
  const at = (kind: string) =>
    `apps/v1, Kind=${kind}: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^\n`;
  assert.deepEqual(found, [{ fieldRef: 'spec.validations[0].expression', warning: `${at('Deployment')}\n${at('ReplicaSet')}` }]);
});

test('what is right for all types is no warning', () => {
  const expressions = [
    'object.spec.replicas > 1 && oldObject.spec.replicas < 3',
    "object.spec.template.spec.containers.all(c, c.image.startsWith('a') && (!has(c.securityContext) || c.securityContext.privileged))",
    "object.metadata.labels['a'] == 'b' && object.metadata.creationTimestamp < timestamp('2000-01-01T00:00:00Z')",
    "authorizer.group('').resource('pods').check('get').allowed() && request.operation == 'CREATE' && namespaceObject.metadata.name != ''",
    'object.spec.strategy.rollingUpdate.maxSurge == 1 || object.spec.strategy.rollingUpdate.maxSurge == "1%"',
  ];
  assert.deepEqual(check([rule('apps', 'v1', 'deployments')], ...expressions), []);
});

test('types are checked through variables, messages and parameters, of custom kinds too', () => {
  const spec = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    matchConstraints: { resourceRules: [rule('example.com', 'v1', 'widgets')] },
    variables: [
      { name: 'size', expression: 'object.spec.size' },
      { name: 'broken', expression: 'object.spec.none' },
    ],
    validations: [
      { expression: "variables.size == 'x'", messageExpression: 'params.data.x + params.nothing' },
      { expression: "variables.broken == 'x' && object.spec.with__dash__dash == 'y'" },
    ],
  };
  const found = warningsOf(spec);
  assert.deepEqual(
    found.map(({ fieldRef }) => fieldRef),
    ['spec.validations[0].expression', 'spec.validations[0].messageExpression'],
  );
  assert.match(
    found[0]?.warning ?? '',
    /^example\.com\/v1, Kind=Widget: ERROR: <input>:1:16: found no matching overload for '_==_' applied to '\(int, string\)'\n/,
  );
  assert.match(found[1]?.warning ?? '', /undefined field 'nothing'/);
});

test('wildcards, subresources and unknown resources name no types; the core group stands for any', () => {
  const wrong = 'object.nothing';
  for (const each of [rule('*', 'v1', 'pods'), rule('', '*', 'pods'), rule('', 'v1', '*', 'pods/status', 'none')])
    assert.deepEqual(check([each], wrong), []);
  const [pods] = check([rule('', 'v1', 'pods')], wrong);
  assert.match(pods?.warning ?? '', /^\/v1, Kind=Pod: ERROR/);
  const [deployments] = check([rule('', 'v1', 'deployments')], wrong);
  assert.match(deployments?.warning ?? '', /^apps\/v1, Kind=Deployment: ERROR/);
});

test('no more than ten types are looked at', () => {
  const resources = [
    'pods',
    'configmaps',
    'secrets',
    'services',
    'nodes',
    'endpoints',
    'limitranges',
    'namespaces',
    'podtemplates',
    'serviceaccounts',
    'resourcequotas',
  ];
  const [found] = check([rule('', 'v1', ...resources)], 'object.nothing');
  assert.equal(found?.warning.match(/Kind=/g)?.length, 10);
});
