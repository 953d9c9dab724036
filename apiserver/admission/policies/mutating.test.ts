// What mutating policies make of requests, and how they refuse: after Kubernetes' documentation and its own tests of the plug-in.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AdmissionPlugin } from '../admission.ts';
import { builtInAdmission } from '../built-in.ts';
import { type PolicyFixture, rulesFor, startPolicyServer } from './policy-fixture.ts';

/** Counts what it sees, and adds a label the first time, as a webhook that comes after the policies would. */
const seen: string[] = [];
const later: AdmissionPlugin = {
  name: 'Later',
  operations: ['CREATE'],
  handles: ({ namespace, kind }) => namespace === 'map-later' && kind.plural === 'configmaps',
  admit({ object }, reinvocation) {
    const memory = reinvocation.memoryOf('Later');
    memory.begin(object);
    seen.push(object?.metadata?.labels?.['policy'] ?? 'none');
    if (memory.isDue('later') && object?.metadata) {
      object.metadata.labels = { ...object.metadata.labels, later: 'yes' };
      memory.changed();
    }
    memory.end(object);
  },
};

let server: PolicyFixture;
before(async () => {
  server = await startPolicyServer(undefined, {
    admission: (view) => [...builtInAdmission(view, { authorizer: () => ({ decision: 'no opinion' }) }), later],
  });
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
const addPod = (namespace: string, spec: object = podSpec) =>
  server.ask('POST', `/api/v1/namespaces/${namespace}/pods`, { metadata: { name: 'p' }, spec });

test('an apply configuration is merged by the schema: items by their keys, maps by field, and defaults follow', async () => {
  const sidecar = `Object{
    metadata: Object.metadata{labels: {"added": "yes"}},
    spec: Object.spec{
      containers: [
        Object.spec.containers{name: "c", env: [Object.spec.containers.env{name: "B", value: "2"}]},
        Object.spec.containers{name: "mesh", image: "mesh/proxy", ports: [Object.spec.containers.ports{containerPort: 80}]}
      ],
      ?priorityClassName: optional.none(),
      ?hostname: optional.of("h")
    }
  }`;
  await mutate('map-apply', [apply(sidecar)], { matchConstraints: rulesFor('', 'pods', ['CREATE']) });
  const { status, json, text } = await addPod('map-apply');
  assert.equal(status, 201, text);
  const [own, mesh] = json.spec.containers;
  assert.deepEqual(
    [own.name, own.image, own.env],
    [
      'c',
      'i',
      [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    ],
  );
  assert.deepEqual([mesh.name, mesh.imagePullPolicy, mesh.ports], ['mesh', 'Always', [{ containerPort: 80, protocol: 'TCP' }]]);
  assert.deepEqual([json.metadata.labels, json.spec.hostname, json.spec.priorityClassName], [{ added: 'yes' }, 'h', undefined]);
});

test('operations of a JSON patch are applied in order', async () => {
  const expression = `[
    JSONPatch{op: "test", path: "/data/a", value: "1"},
    JSONPatch{op: "add", path: "/metadata/annotations", value: {"x": "y"}},
    JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey("example.com/a"), value: object.data.a + "!"},
    JSONPatch{op: "copy", from: "/data/a", path: "/data/copied"},
    JSONPatch{op: "move", from: "/data/b", path: "/data/moved"},
    JSONPatch{op: "replace", path: "/data/a", value: string(size(object.data))},
    JSONPatch{op: "remove", path: "/data/c"}
  ]`;
  await mutate('map-patch', [patch(expression)]);
  const { json, text, status } = await server.addConfigMap('map-patch', 'c', { data: { a: '1', b: '2', c: '3' } });
  assert.equal(status, 201, text);
  assert.deepEqual(json.data, { a: '3', copied: '1', moved: '2' });
  assert.deepEqual(json.metadata.annotations, { x: 'y', 'example.com/a': '1!' });
  const untouched = await server.addConfigMap('map-patch', 'd', { data: { a: 'other' } });
  assert.deepEqual([untouched.status, untouched.json.data], [201, { a: 'other' }], 'a test that does not hold leaves everything as it is');
});

test('mutations see what those before them made, through variables too; policies run by name', async () => {
  const add = (key: string, value: string) => patch(`[JSONPatch{op: "add", path: "/data/${key}", value: ${value}}]`);
  await mutate(
    'map-order',
    [add('b', 'object.data.a + "b"'), add('c', 'variables.last + "c"'), apply('Object{data: {"d": variables.last + "d"}}')],
    {
      variables: [{ name: 'last', expression: 'object.data[object.data.map(k, k).max()]' }],
    },
  );
  const binding = { matchResources: { namespaceSelector: { matchLabels: { policy: 'map-order' } } } };
  await server.addMutating(
    'map-order-then',
    {
      matchConstraints: configMaps,
      matchConditions: [{ name: 'd', expression: '"d" in object.data' }],
      mutations: [add('e', 'object.data.d + "e"')],
    },
    binding,
  );
  const { json } = await server.addConfigMap('map-order', 'c', { data: { a: 'a' } });
  assert.deepEqual(json.data, { a: 'a', b: 'ab', c: 'abc', d: 'abcd', e: 'abcde' });
});

test('parameters are applied one after the other; none is a matter of the binding', async () => {
  await server.addNamespace('map-params');
  for (const name of ['x', 'y']) {
    const made = await server.addConfigMap('default', `map-${name}`, {
      metadata: { name: `map-${name}`, labels: { map: 'params' } },
      data: { key: name },
    });
    assert.equal(made.status, 201);
  }
  const spec = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    matchConstraints: configMaps,
    mutations: [patch('[JSONPatch{op: "add", path: "/data/" + params.data.key, value: string(size(object.data))}]')],
  };
  await server.addMutating('map-params', spec, {
    paramRef: { selector: { matchLabels: { map: 'params' } }, namespace: 'default', parameterNotFoundAction: 'Deny' },
  });
  const { json } = await server.addConfigMap('map-params', 'c', { data: { a: '' } });
  assert.deepEqual(json.data, { a: '', x: '1', y: '2' });
  await server.addNamespace('map-no-params');
  await server.addMutating('map-no-params', spec, { paramRef: { name: 'none', parameterNotFoundAction: 'Deny' } });
  const refused = await server.addConfigMap('map-no-params', 'c');
  const why = 'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction';
  assert.deepEqual(
    [refused.json.reason, refused.json.message],
    ['Forbidden', `policy 'map-no-params' with binding 'map-no-params' denied request: ${why}`],
  );
});

test('a policy that asks for it is invoked once more when something has changed after it', async () => {
  const count = (key: string) =>
    patch(`[JSONPatch{op: "add", path: "/data/${key}", value: "${key}" in object.data ? object.data.${key} + "1" : "1"}]`);
  await server.addNamespace('map-again');
  const binding = { matchResources: { namespaceSelector: { matchLabels: { policy: 'map-again' } } } };
  await server.addMutating(
    'map-again-a',
    { matchConstraints: configMaps, reinvocationPolicy: 'IfNeeded', mutations: [count('a')] },
    binding,
  );
  await server.addMutating('map-again-b', { matchConstraints: configMaps, reinvocationPolicy: 'Never', mutations: [count('b')] }, binding);
  const { json } = await server.addConfigMap('map-again', 'c', { data: { x: '' } });
  assert.deepEqual(json.data, { x: '', a: '11', b: '1' });
});

test('plug-ins that come later are seen by policies, and see what these make of it', async () => {
  const label =
    'Object{metadata: Object.metadata{labels: {"policy": has(object.metadata.labels) && "later" in object.metadata.labels ? "saw-it" : "first"}}}';
  await mutate('map-later', [apply(label)], { reinvocationPolicy: 'IfNeeded' });
  const { json } = await server.addConfigMap('map-later', 'c');
  assert.deepEqual(json.metadata.labels, { policy: 'saw-it', later: 'yes' });
  assert.deepEqual(seen, ['first', 'saw-it']);
});

test('updates, dry runs and status are mutated where the rules say so, deletions never', async () => {
  await mutate('map-updates', [apply('Object{data: {"op": request.operation + (request.dryRun ? " dry" : "")}}')]);
  const path = '/api/v1/namespaces/map-updates/configmaps/c';
  assert.equal((await server.addConfigMap('map-updates', 'c', {}, '?dryRun=All')).json.data.op, 'CREATE dry');
  assert.equal((await server.addConfigMap('map-updates', 'c')).json.data.op, 'CREATE');
  assert.equal((await server.ask('PUT', path, { metadata: { name: 'c' }, data: {} })).json.data.op, 'UPDATE');
  assert.equal((await server.ask('DELETE', path)).status, 200);
});

test('custom resources are mutated by their own schema', async () => {
  const schema = {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          size: { type: 'integer' },
          parts: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['name'],
            items: {
              type: 'object',
              required: ['name'],
              properties: { name: { type: 'string' }, kind: { type: 'string', default: 'plain' }, weight: { type: 'integer' } },
            },
          },
          tags: { type: 'array', items: { type: 'string' } },
        },
      },
    },
  };
  const names = { kind: 'Gadget', plural: 'gadgets' };
  await server.make('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'gadgets.example.com' },
    spec: {
      group: 'example.com',
      names,
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  });
  for (let i = 0; i < 200 && !server.server.resources.find('example.com', 'v1', 'gadgets'); i++) await new Promise(setImmediate);
  const matchConstraints = rulesFor('example.com', 'gadgets', ['CREATE']);
  const parts = 'Object{spec: Object.spec{parts: [Object.spec.parts{name: "a", weight: 2}, Object.spec.parts{name: "b"}]}}';
  await mutate('map-custom', [apply(parts), patch('[JSONPatch{op: "add", path: "/spec/size", value: object.spec.parts.size()}]')], {
    matchConstraints,
  });
  const add = (namespace: string) =>
    server.ask('POST', `/apis/example.com/v1/namespaces/${namespace}/gadgets`, {
      apiVersion: 'example.com/v1',
      kind: 'Gadget',
      metadata: { name: 'g' },
      spec: { parts: [{ name: 'a', kind: 'special' }], tags: ['x'] },
    });
  const { json, text } = await add('map-custom');
  assert.deepEqual(
    json.spec,
    {
      parts: [
        { name: 'a', kind: 'special', weight: 2 },
        { name: 'b', kind: 'plain' },
      ],
      tags: ['x'],
      size: 2,
    },
    text,
  );
  await mutate('map-custom-atomic', [apply('Object{spec: Object.spec{tags: ["y"]}}')], { matchConstraints });
  assert.match((await add('map-custom-atomic')).json.message, /may not mutate atomic arrays, maps or structs: \.spec\.tags$/);
  // With its definition goes what it is a parameter of.
  const spec = {
    paramKind: { apiVersion: 'example.com/v1', kind: 'Gadget' },
    matchConstraints: configMaps,
    mutations: [apply('Object{data: {"size": string(params.spec.size)}}')],
  };
  await server.addNamespace('map-by-custom');
  await server.addMutating('map-by-custom', spec, { paramRef: { name: 'g', namespace: 'map-custom', parameterNotFoundAction: 'Allow' } });
  assert.deepEqual((await server.addConfigMap('map-by-custom', 'c')).json.data, { size: '2' });
  assert.equal((await server.ask('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.example.com')).status, 200);
  for (let i = 0; i < 500 && server.server.resources.find('example.com', 'v1', 'gadgets'); i++) await new Promise(setImmediate);
  const without = await server.addConfigMap('map-by-custom', 'd');
  assert.deepEqual([without.status, without.json.data], [201, undefined]);
});

test('a policy for one version of a resource changes the others in its own terms', async () => {
  const resourceRules = [
    { apiGroups: ['autoscaling'], apiVersions: ['v2'], operations: ['CREATE'], resources: ['horizontalpodautoscalers'] },
  ];
  const target = 'Object.spec.metrics.resource.target';
  const metric = `Object.spec.metrics{type: "Resource", resource: Object.spec.metrics.resource{name: "cpu", target: ${target}{type: "Utilization", averageUtilization: 55}}}`;
  const mutations = [
    patch(`[JSONPatch{op: "add", path: "/spec/metrics", value: [${metric}]}]`),
    apply('Object{spec: Object.spec{maxReplicas: object.spec.maxReplicas + object.spec.metrics.size()}}'),
  ];
  await mutate('map-versions', mutations, { matchConstraints: { resourceRules } });
  const spec = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }, maxReplicas: 3 };
  const path = '/apis/autoscaling/v1/namespaces/map-versions/horizontalpodautoscalers';
  const { json, text } = await server.ask('POST', path, { metadata: { name: 'h' }, spec });
  assert.deepEqual([json.apiVersion, json.spec?.targetCPUUtilizationPercentage, json.spec?.maxReplicas], ['autoscaling/v1', 55, 4], text);
});

test('what mutating policies do is counted', async () => {
  await mutate('map-counted', [apply('Object{}'), patch('[JSONPatch{op: "remove", path: "/none"}]')], { failurePolicy: 'Ignore' });
  assert.equal((await server.addConfigMap('map-counted', 'c')).status, 201);
  const { text } = await server.ask('GET', '/metrics');
  for (const error of ['no_error', 'invalid_error'])
    assert.ok(
      text.includes(
        `apiserver_mutating_admission_policy_check_total{error_type="${error}",policy="map-counted",policy_binding="map-counted"} 1`,
      ),
      error,
    );
  assert.match(text, /apiserver_mutating_admission_policy_check_duration_seconds_bucket\{[^}]*policy="map-counted"[^}]*,le="5e-07"\}/);
});

test('what is asked of a subresource is changed as the kind that it is', async () => {
  const resourceRules = [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['deployments/scale'] }];
  const mutations = [apply('Object{spec: Object.spec{replicas: object.spec.replicas > 3 ? 3 : object.spec.replicas}}')];
  await mutate('map-scale', mutations, { matchConstraints: { resourceRules } });
  const path = '/apis/apps/v1/namespaces/map-scale/deployments';
  const spec = {
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  };
  await server.make(path, { metadata: { name: 'd' }, spec });
  const merge = { 'content-type': 'application/merge-patch+json' };
  const { json, text } = await server.ask('PATCH', `${path}/d/scale`, { spec: { replicas: 9 } }, merge);
  assert.deepEqual([json.kind, json.spec?.replicas], ['Scale', 3], text);
  assert.equal((await server.ask('GET', `${path}/d`)).json.spec.replicas, 3);
});
