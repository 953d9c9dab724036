// How mutating policies refuse: patches that do not apply, mutations that fail, and policies that cannot be carried out.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type PolicyFixture, policyGroup, rulesFor, startPolicyServer } from './policy-fixture.ts';

let server: PolicyFixture;
before(async () => {
  server = await startPolicyServer();
});
after(() => server.close());

const apply = (expression: string) => ({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } });
const patch = (expression: string) => ({ patchType: 'JSONPatch', jsonPatch: { expression } });
const configMaps = rulesFor('', 'configmaps', ['CREATE', 'UPDATE']);
const podSpec = { containers: [{ name: 'c', image: 'i', env: [{ name: 'A', value: '1' }] }] };

async function mutate(name: string, mutations: object[], spec: object = {}): Promise<void> {
  await server.addNamespace(name);
  await server.addMutating(name, { matchConstraints: configMaps, mutations, ...spec });
}
const addPod = (namespace: string) =>
  server.ask('POST', `/api/v1/namespaces/${namespace}/pods`, { metadata: { name: 'p' }, spec: podSpec });

test('what an apply configuration may not say is refused with its place', async () => {
  const cases: [name: string, expression: string, why: string][] = [
    [
      'atomic-list',
      'Object{spec: Object.spec{containers: [Object.spec.containers{name: "c", args: ["a"]}]}}',
      'error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.containers[0].args',
    ],
    [
      'atomic-struct',
      'Object{spec: Object.spec{containers: [Object.spec.containers{name: "c", env: [Object.spec.containers.env{name: "A", valueFrom: Object.spec.containers.env.valueFrom{fieldRef: Object.spec.containers.env.valueFrom.fieldRef{fieldPath: "x"}}}]}]}}',
      'error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.containers[0].env[0].valueFrom.fieldRef',
    ],
    [
      'unknown',
      'Object{spec: Object.spec{nothing: 1}}',
      'error applying patch: failed to convert patch object to typed object: .spec.nothing: field not declared in schema',
    ],
    [
      'mistyped',
      'Object{spec: Object.spec{priority: "high"}}',
      'error applying patch: failed to convert patch object to typed object: .spec.priority: expected numeric (int or float), got string',
    ],
    [
      'misplaced',
      'Object{spec: Object.wrong{priority: 1}}',
      'type mismatch: unexpected type name "Object.wrong", expected "Object.spec", which matches field name path from root Object type',
    ],
    [
      'failing',
      'Object{spec: Object.spec{priority: object.spec.nothing}}',
      "expression 'Object{spec: Object.spec{priority: object.spec.nothing}}' resulted in error: no such key: nothing",
    ],
  ];
  for (const [name, expression, why] of cases) {
    await mutate(`map-${name}`, [apply(expression)], { matchConstraints: rulesFor('', 'pods', ['CREATE']) });
    const { json } = await addPod(`map-${name}`);
    const message = `policy 'map-${name}' with binding 'map-${name}' denied request: ${why}`;
    assert.deepEqual([json.code, json.reason, json.message], [403, 'Invalid', message]);
    assert.deepEqual(json.details, { name: 'p', kind: 'pods', causes: [{ message }] });
  }
});

test('a JSON patch of objects, and one that makes something else of the object', async () => {
  const container =
    'Object.spec.initContainers{name: "init", image: "x", resources: Object.spec.initContainers.resources{limits: {"cpu": "1000m"}}}';
  await mutate('map-objects', [patch(`[JSONPatch{op: "add", path: "/spec/initContainers", value: [${container}]}]`)], {
    matchConstraints: rulesFor('', 'pods', ['CREATE']),
  });
  const { json, text } = await addPod('map-objects');
  assert.equal(json.spec.initContainers?.[0].resources.limits.cpu, '1', text);
  const cases: [path: string, value: string, code: number, message: RegExp][] = [
    [
      '/data/x/y',
      '"z"',
      403,
      /denied request: JSON Patch: add operation does not apply: doc is missing path: "\/data\/x\/y": missing value$/,
    ],
    ['/unknown', '"z"', 500, /^Internal error occurred: strict decoding error: unknown field "unknown"$/],
    [
      '/data',
      '[1]',
      500,
      /^Internal error occurred: json: cannot unmarshal array into Go struct field ConfigMap\.data of type map\[string\]string$/,
    ],
    [
      '/metadata/labels',
      'Object.metadata{labels: Object.wrong{}}',
      403,
      /type mismatch: unexpected type name "Object\.wrong", expected "Object\.metadata\.labels"/,
    ],
  ];
  for (const [i, [path, value, code, message]] of cases.entries()) {
    await mutate(`map-misfit-${i}`, [patch(`[JSONPatch{op: "add", path: "${path}", value: ${value}}]`)]);
    const refused = await server.addConfigMap(`map-misfit-${i}`, 'c');
    assert.equal(refused.status, code, refused.text);
    assert.match(refused.json.message, message);
  }
});

test('a policy without its kind of parameters denies; with failurePolicy Ignore what fails is left out', async () => {
  const unknown = { paramKind: { apiVersion: 'rules.example.com/v1', kind: 'Rule' } };
  await mutate('map-no-kind', [apply('Object{}')], unknown);
  const refused = await server.addConfigMap('map-no-kind', 'c');
  assert.equal(
    refused.json.message,
    `policy "map-no-kind" denied request: failed to configure policy: failed to find resource referenced by paramKind: 'rules.example.com/v1, Kind=Rule'`,
  );
  // It stands in everybody's way, bound to them or not.
  assert.equal((await server.addConfigMap('default', 'anybody')).status, 403);
  await server.ask('DELETE', `${policyGroup}/mutatingadmissionpolicies/map-no-kind`);
  const mutations = [patch('[JSONPatch{op: "remove", path: "/data/none"}]'), patch('[JSONPatch{op: "add", path: "/data/b", value: "2"}]')];
  await mutate('map-ignore', mutations, { failurePolicy: 'Ignore' });
  const { status, json } = await server.addConfigMap('map-ignore', 'c', { data: { a: '1' } });
  assert.deepEqual([status, json.data], [201, { a: '1', b: '2' }]);
});

test('several failures are all told; the first is the message', async () => {
  const remove = (key: string) => patch(`[JSONPatch{op: "remove", path: "/data/${key}"}]`);
  await mutate('map-several', [remove('x'), remove('y')]);
  const { json } = await server.addConfigMap('map-several', 'c', { data: { other: 'yes' } });
  const text = (key: string) =>
    `policy 'map-several' with binding 'map-several' denied request: JSON Patch: error in remove for path: '/data/${key}': Unable to remove nonexistent key: ${key}: missing value`;
  assert.equal(json.message, text('x'));
  assert.deepEqual(json.details.causes, [{ message: text('x') }, { message: text('y') }]);
});

test('expressions of mutations are checked when they are written', async () => {
  const cases: [mutation: object, message: RegExp][] = [
    [
      apply('{"a": 1}'),
      /spec\.mutations\[0\]\.applyConfiguration\.expression: Invalid value: "\{\\"a\\": 1\}": must evaluate to Object but got map\(string, int\)/,
    ],
    [
      patch('Object{}'),
      /spec\.mutations\[0\]\.jsonPatch\.expression: Invalid value: "Object\{\}": must evaluate to list\(JSONPatch\) but got Object/,
    ],
    [
      patch('[JSONPatch{op: "add", path: 1}]'),
      /compilation failed: ERROR: <input>:1:27: expected type of field 'path' is 'string' but provided type is 'int'\n \| \[JSONPatch\{op: "add", path: 1\}\]\n \| \.{26}\^/,
    ],
    [{ patchType: 'JSONPatch' }, /spec\.mutations\[0\]\.jsonPatch: Required value: must be specified when patchType is JSONPatch/],
    [
      { patchType: 'Other' },
      /spec\.mutations\[0\]\.patchType: Unsupported value: "Other": supported values: "ApplyConfiguration", "JSONPatch"/,
    ],
  ];
  for (const [mutation, message] of cases) {
    const policy = {
      metadata: { name: 'map-invalid' },
      spec: { matchConstraints: configMaps, reinvocationPolicy: 'Never', mutations: [mutation] },
    };
    const refused = await server.ask('POST', `${policyGroup}/mutatingadmissionpolicies`, policy);
    assert.equal(refused.status, 422);
    assert.match(refused.json.message, message);
  }
});
