// Admission policies on a real server: after the examples of Kubernetes' documentation.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ServerFixture, startServer } from '../../server-fixture.ts';
import { builtInAdmission } from '../built-in.ts';

let server: ServerFixture;
before(async () => {
  server = await startServer({
    admission: (view) =>
      builtInAdmission(view, {
        authorizer: async ({ verb, resource }) => ({
          decision: verb === 'breakglass' && resource === 'deployments' ? 'allow' : 'no opinion',
        }),
      }),
  });
});
after(() => server.close());

const group = '/apis/admissionregistration.k8s.io/v1';
const deploymentRules = {
  resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] }],
};
const configMapRules = {
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] }],
};

async function made(path: string, body: object): Promise<void> {
  const answer = await server.ask('POST', path, body);
  assert.equal(answer.status, 201, answer.text);
}
const inNamespace = (selected: string) => ({ matchResources: { namespaceSelector: { matchLabels: { policy: selected } } } });
async function addNamespace(name: string): Promise<void> {
  await made('/api/v1/namespaces', { metadata: { name, labels: { policy: name } } });
}
async function addPolicy(name: string, spec: object, binding: object): Promise<void> {
  await made(`${group}/validatingadmissionpolicies`, { metadata: { name }, spec });
  await made(`${group}/validatingadmissionpolicybindings`, {
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'], ...binding },
  });
}
const deployment = (name: string, replicas: number) => ({
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});
const addDeployment = (namespace: string, name: string, replicas: number) =>
  server.ask('POST', `/apis/apps/v1/namespaces/${namespace}/deployments`, deployment(name, replicas));
const addConfigMap = (namespace: string, name: string, more: object = {}) =>
  server.ask('POST', `/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name }, ...more });

test('a policy refuses what its expression is not true of, where it is bound', async () => {
  await addNamespace('limited');
  const validations = [{ expression: 'object.spec.replicas <= 5' }];
  await addPolicy('replicas', { matchConstraints: deploymentRules, validations }, inNamespace('limited'));
  assert.equal((await addDeployment('limited', 'small', 5)).status, 201);
  const refused = await addDeployment('limited', 'large', 6);
  assert.deepEqual([refused.status, refused.json.reason], [422, 'Invalid']);
  const why = "ValidatingAdmissionPolicy 'replicas' with binding 'replicas' denied request: failed expression: object.spec.replicas <= 5";
  assert.equal(refused.json.message, `deployments.apps "large" is forbidden: ${why}`);
  assert.deepEqual(refused.json.details.causes, [{ message: why }]);
  assert.equal((await addDeployment('default', 'large', 6)).status, 201, 'elsewhere it does not hold');
});

test('parameters, variables, messages and the authorizer', async () => {
  await addNamespace('params');
  const spec = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    matchConstraints: deploymentRules,
    variables: [
      { name: 'max', expression: 'int(params.data.max)' },
      {
        name: 'mayBreak',
        expression: "authorizer.group('apps').resource('deployments').namespace(request.namespace).check('breakglass').allowed()",
      },
    ],
    validations: [
      {
        expression: 'object.spec.replicas <= variables.max || (has(object.metadata.labels) && variables.mayBreak)',
        messageExpression: "'no more than ' + string(variables.max) + ' in ' + namespaceObject.metadata.name",
        reason: 'Forbidden',
      },
    ],
  };
  const paramRef = { name: 'limits', namespace: 'default', parameterNotFoundAction: 'Deny' };
  await addPolicy('params', spec, { ...inNamespace('params'), paramRef });
  const lost = await addDeployment('params', 'a', 1);
  assert.match(lost.json.message, /failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction$/);
  assert.equal((await addConfigMap('default', 'limits', { data: { max: '3' } })).status, 201);
  const small = await addDeployment('params', 'a', 3);
  assert.equal(small.status, 201, small.text);
  const refused = await addDeployment('params', 'b', 4);
  assert.deepEqual([refused.status, refused.json.reason], [403, 'Forbidden']);
  assert.match(refused.json.message, /denied request: no more than 3 in params$/);
  const broken = { ...deployment('c', 9), metadata: { name: 'c', labels: { emergency: 'yes' } } };
  const allowed = await server.ask('POST', '/apis/apps/v1/namespaces/params/deployments', broken);
  assert.equal(allowed.status, 201, allowed.text);
});

test('warnings instead of refusals, match conditions, and expressions that fail', async () => {
  await addNamespace('warned');
  const spec = {
    matchConstraints: configMapRules,
    matchConditions: [{ name: 'not-system', expression: "!object.metadata.name.startsWith('system')" }],
    validations: [{ expression: "object.data.team != ''", message: 'team must be set' }],
  };
  await addPolicy('warned', spec, { ...inNamespace('warned'), validationActions: ['Warn', 'Audit'] });
  const warned = await addConfigMap('warned', 'a', { data: { team: '' } });
  assert.equal(warned.status, 201);
  assert.match(
    warned.headers['warning'] ?? '',
    /Validation failed for ValidatingAdmissionPolicy 'warned' with binding 'warned': team must be set/,
  );
  assert.equal((await addConfigMap('warned', 'system-a', { data: { team: '' } })).headers['warning'], undefined);
  const failing = await addConfigMap('warned', 'b');
  assert.match(failing.headers['warning'] ?? '', /expression 'object\.data\.team != \S+' resulted in error: no such key: data/);
});

test('a mutating policy adds a sidecar once, and sets a label by JSON patch', async () => {
  await addNamespace('mutated');
  const rules = { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }] };
  const sidecar = `Object{spec: Object.spec{initContainers: [
    Object.spec.initContainers{name: "mesh", image: "mesh/proxy:v1", restartPolicy: "Always"}]}}`;
  const mutations = [
    { patchType: 'ApplyConfiguration', applyConfiguration: { expression: sidecar } },
    {
      patchType: 'JSONPatch',
      jsonPatch: { expression: `[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("example.com/mesh"), value: "v1"}]` },
    },
  ];
  await made(`${group}/mutatingadmissionpolicies`, {
    metadata: { name: 'mesh' },
    spec: {
      matchConstraints: rules,
      matchConditions: [
        { name: 'no-mesh', expression: "!has(object.spec.initContainers) || !object.spec.initContainers.exists(c, c.name == 'mesh')" },
      ],
      failurePolicy: 'Fail',
      reinvocationPolicy: 'IfNeeded',
      mutations,
    },
  });
  await made(`${group}/mutatingadmissionpolicybindings`, {
    metadata: { name: 'mesh' },
    spec: { policyName: 'mesh', ...inNamespace('mutated') },
  });
  const pod = { metadata: { name: 'p', labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const { json, status, text } = await server.ask('POST', '/api/v1/namespaces/mutated/pods', pod);
  assert.equal(status, 201, text);
  assert.deepEqual(
    json.spec.initContainers.map(({ name, restartPolicy, imagePullPolicy }: Record<string, string>) => [
      name,
      restartPolicy,
      imagePullPolicy,
    ]),
    [['mesh', 'Always', 'IfNotPresent']],
  );
  assert.deepEqual(json.metadata.labels, { a: 'b', 'example.com/mesh': 'v1' });
  const bare = await server.ask('POST', '/api/v1/namespaces/mutated/pods', { metadata: { name: 'q' }, spec: pod.spec });
  assert.equal(bare.status, 403, 'a patch that cannot be applied refuses the request');
  assert.equal(bare.json.reason, 'Invalid');
  const path = '/metadata/labels/example.com~1mesh';
  const why = `JSON Patch: add operation does not apply: doc is missing path: "${path}": missing value`;
  assert.equal(bare.json.message, `policy 'mesh' with binding 'mesh' denied request: ${why}`);
});

test('what cannot be compiled is refused with where it stands', async () => {
  const answer = await server.ask('POST', `${group}/validatingadmissionpolicies`, {
    metadata: { name: 'bad' },
    spec: { matchConstraints: configMapRules, validations: [{ expression: 'object.x +' }, { expression: "'text'" }] },
  });
  assert.equal(answer.status, 422);
  assert.match(answer.json.message, /spec\.validations\[0\]\.expression: Invalid value: "object\.x \+": compilation failed: /);
  assert.match(answer.json.message, /spec\.validations\[1\]\.expression: Invalid value: "'text'": must evaluate to bool but got string/);
});
