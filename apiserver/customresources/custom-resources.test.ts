import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore } from '../../store/memory.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const crontabs = '/apis/stable.example.com/v1/namespaces/default/crontabs';

const specSchema = {
  type: 'object',
  required: ['cronSpec'],
  properties: {
    cronSpec: { type: 'string', pattern: '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$' },
    replicas: { type: 'integer', minimum: 1, maximum: 10, default: 1 },
    mode: { type: 'string', enum: ['fast', 'slow'] },
    port: { 'x-kubernetes-int-or-string': true },
    hosts: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, ip: { type: 'string', format: 'ipv4' } } },
    },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
};

function crontab(over: object = {}, version: object = {}) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'crontabs.stable.example.com' },
    spec: {
      group: 'stable.example.com',
      scope: 'Namespaced',
      names: { plural: 'crontabs', kind: 'CronTab', shortNames: ['ct'], categories: ['all'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec: specSchema, status: { type: 'object', properties: { replicas: { type: 'integer' } } } },
            },
          },
          subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
          additionalPrinterColumns: [
            { name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec' },
            { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          selectableFields: [{ jsonPath: '.spec.mode' }],
          ...version,
        },
      ],
      ...over,
    },
  };
}

const object = (name: string, spec: object) => ({ apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name }, spec });

/** Asks until the answer is as wished; at most as often as a definition can take turns of the event loop. */
async function eventually(ask: () => Promise<boolean>, what: string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (await ask()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`not in time: ${what}`);
}

async function define(server: ServerFixture, body: object): Promise<void> {
  const created = await server.ask('POST', definitions, body);
  assert.equal(created.status, 201, created.text);
  const { name } = created.json.metadata;
  await eventually(async () => {
    const { json } = await server.ask('GET', `${definitions}/${name}`);
    return json.status.conditions.some((c: { type: string; status: string }) => c.type === 'Established' && c.status === 'True');
  }, `${name} is established`);
}

test('a custom resource is served with its defaults, columns, scale and status as soon as its definition is established', async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  await define(server, crontab());
  const created = await server.ask('POST', crontabs, object('a', { cronSpec: '* * * * *', unknown: 1, free: { any: [1.5] } }));
  assert.equal(created.status, 201, created.text);
  assert.deepEqual(created.json.spec, { cronSpec: '* * * * *', free: { any: [1.5] }, replicas: 1 });
  assert.equal(created.json.metadata.generation, 1);
  assert.match(created.headers['warning'] ?? '', /unknown field \\?"spec.unknown\\?"/);

  const table = await server.ask('GET', crontabs, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
  assert.deepEqual(
    table.json.columnDefinitions.map((column: { name: string }) => column.name),
    ['Name', 'Spec', 'Replicas', 'Age'],
  );
  assert.deepEqual(table.json.rows[0].cells, ['a', '* * * * *', 1, '0s']);

  const scaled = await server.ask(
    'PATCH',
    `${crontabs}/a/scale`,
    { spec: { replicas: 4 } },
    { 'content-type': 'application/merge-patch+json' },
  );
  assert.equal(scaled.json.spec.replicas, 4, scaled.text);
  const status = await server.ask(
    'PATCH',
    `${crontabs}/a/status`,
    { spec: { replicas: 9 }, status: { replicas: 3 } },
    { 'content-type': 'application/merge-patch+json' },
  );
  assert.deepEqual([status.json.spec.replicas, status.json.status.replicas, status.json.metadata.generation], [4, 3, 2]);

  const selected = await server.ask('GET', `${crontabs}?fieldSelector=spec.mode%3Dfast`);
  assert.deepEqual(selected.json.items, []);
});

test('what a schema does not allow is refused with the field and the reason', async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  await define(server, crontab());
  const causes = async (spec: object) => {
    const { json } = await server.ask('POST', crontabs, object('a', spec));
    assert.equal(json.reason, 'Invalid', JSON.stringify(json));
    return json.details.causes.map((c: { field: string; message: string }) => `${c.field}: ${c.message}`);
  };
  assert.deepEqual(await causes({ cronSpec: 'x', replicas: 11 }), [
    `spec.cronSpec: Invalid value: "x": spec.cronSpec in body should match '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$'`,
    'spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10',
  ]);
  assert.deepEqual((await causes({ mode: 'none', replicas: 'many' })).slice(0, 3).sort(), [
    'spec.cronSpec: Required value',
    'spec.mode: Unsupported value: "none": supported values: "fast", "slow"',
    'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"',
  ]);
  assert.deepEqual(await causes({ cronSpec: '* * * * *', hosts: [{ name: 'a' }, { name: 'a', ip: 'x' }] }), [
    'spec.hosts[1].ip: Invalid value: "x": spec.hosts[1].ip in body must be of type ipv4: "x"',
    'spec.hosts[1]: Duplicate value: {"name":"a"}',
  ]);
  const strict = await server.ask('POST', `${crontabs}?fieldValidation=Strict`, object('a', { cronSpec: '* * * * *', foo: 1 }));
  assert.match(strict.json.message, /strict decoding error: unknown field "spec.foo"/);
});

test('what was stored before a schema grew stricter may be updated, as long as it is not changed into something wrong', async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  await define(server, crontab());
  await server.ask('POST', crontabs, object('a', { cronSpec: '* * * * *', mode: 'slow' }));
  const narrowed = crontab();
  Object.assign(narrowed.spec.versions[0]?.schema.openAPIV3Schema.properties.spec.properties ?? {}, {
    mode: { type: 'string', enum: ['fast'] },
    added: { type: 'string', default: 'new' },
  });
  const merge = { 'content-type': 'application/merge-patch+json' };
  assert.equal((await server.ask('PATCH', `${definitions}/crontabs.stable.example.com`, narrowed, merge)).status, 200);
  await eventually(async () => (await server.ask('GET', `${crontabs}/a`)).json.spec.added === 'new', 'the new default is read');
  assert.equal((await server.ask('PATCH', `${crontabs}/a`, { spec: { replicas: 3 } }, merge)).status, 200);
  const refused = await server.ask('PATCH', `${crontabs}/a`, { spec: { mode: 'slower' } }, merge);
  assert.equal(refused.status, 422, refused.text);
});

test('discovery and OpenAPI show a custom resource while it is defined', async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  await define(server, crontab());
  const list = await server.ask('GET', '/apis/stable.example.com/v1');
  assert.deepEqual(
    list.json.resources.map((resource: { name: string }) => resource.name),
    ['crontabs', 'crontabs/scale', 'crontabs/status'],
  );
  assert.deepEqual(list.json.resources[0].shortNames, ['ct']);
  const v3 = await server.ask('GET', '/openapi/v3/apis/stable.example.com/v1');
  assert.equal(v3.json.components.schemas['com.example.stable.v1.CronTab'].properties.spec.properties.replicas.maximum, 10);
  // kubectl asks here which patches it may send.
  const { patch } = v3.json.paths['/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}'];
  assert.deepEqual(Object.keys(patch.requestBody.content).sort(), [
    'application/apply-patch+yaml',
    'application/json-patch+json',
    'application/merge-patch+json',
  ]);
  const v2 = await server.ask('GET', '/openapi/v2');
  assert.ok(v2.json.definitions['com.example.stable.v1.CronTab'].properties.spec.properties.cronSpec);
  await server.ask('DELETE', `${definitions}/crontabs.stable.example.com`);
  await eventually(async () => (await server.ask('GET', '/apis/stable.example.com/v1')).status === 404, 'the group is gone');
});

test('deleting a definition deletes its objects first, and waits for their finalizers', async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  await define(server, crontab());
  const held = object('held', { cronSpec: '* * * * *' });
  await server.ask('POST', crontabs, { ...held, metadata: { name: 'held', finalizers: ['example.com/wait'] } });
  await server.ask('POST', crontabs, object('free', { cronSpec: '* * * * *' }));
  await server.ask('DELETE', `${definitions}/crontabs.stable.example.com`);
  await eventually(async () => (await server.ask('GET', `${crontabs}/free`)).status === 404, 'what nothing holds is deleted');
  const { json } = await server.ask('GET', `${definitions}/crontabs.stable.example.com`);
  assert.deepEqual(json.metadata.finalizers, ['customresourcecleanup.apiextensions.k8s.io']);
  assert.equal((await server.ask('POST', crontabs, object('late', { cronSpec: '* * * * *' }))).status, 405);
  await server.ask('PATCH', `${crontabs}/held`, { metadata: { finalizers: null } }, { 'content-type': 'application/merge-patch+json' });
  await eventually(async () => {
    await server.clock.step(1000);
    return (await server.ask('GET', `${definitions}/crontabs.stable.example.com`)).status === 404;
  }, 'the definition is gone');
});

test('custom resources are served again by a server that starts on the same store, in all their versions', async (t) => {
  const store = createMemoryStore();
  const first = await startServer({ store });
  const two = crontab();
  two.spec.versions.push({ ...(two.spec.versions[0] as (typeof two.spec.versions)[0]), name: 'v2', storage: false });
  await define(first, two);
  await first.ask('POST', crontabs, object('a', { cronSpec: '* * * * *' }));
  await first.server.close(0);
  const second = await startServer({ store });
  t.after(() => second.close());
  const found = await second.ask('GET', `${crontabs.replace('/v1/', '/v2/')}/a`);
  assert.equal(found.json.apiVersion, 'stable.example.com/v2', found.text);
});

test('a definition whose names another has taken is not served', async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  await define(server, crontab());
  const other = crontab({ names: { plural: 'others', kind: 'CronTab' } });
  other.metadata.name = 'others.stable.example.com';
  await server.ask('POST', definitions, other);
  let conditions: { type: string; status: string; reason: string; message: string }[] = [];
  await eventually(async () => {
    conditions = (await server.ask('GET', `${definitions}/others.stable.example.com`)).json.status.conditions;
    return conditions.length > 0;
  }, 'the names are looked at');
  assert.deepEqual(
    conditions.map(({ type, status, reason, message }) => [type, status, reason, message]),
    [
      ['NamesAccepted', 'False', 'ListKindConflict', '"CronTabList" is already in use'],
      ['Established', 'False', 'NotAccepted', 'not all names are accepted'],
    ],
  );
  assert.equal((await server.ask('GET', '/apis/stable.example.com/v1/others')).status, 404);
});

test('a schema that is not structural is refused, and a stored version cannot be taken away', async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  const bad = crontab({}, { schema: { openAPIV3Schema: { type: 'object', properties: { a: {}, b: { type: 'array' } } } } });
  const refused = await server.ask('POST', definitions, bad);
  const fields = refused.json.details.causes.map((c: { field: string; message: string }) => `${c.field}: ${c.message}`);
  const at = 'spec.validation.openAPIV3Schema.properties';
  assert.ok(fields.includes(`${at}[a].type: Required value: must not be empty for specified object fields`), fields.join('\n'));
  assert.ok(fields.includes(`${at}[b].items: Required value: must be specified`), fields.join('\n'));
});

test('server-side apply merges lists by the keys of the schema and names its types', async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  await define(server, crontab());
  const apply = (manager: string, spec: object) =>
    server.ask('PATCH', `${crontabs}/a?fieldManager=${manager}`, object('a', spec), { 'content-type': 'application/apply-patch+yaml' });
  assert.equal((await apply('one', { cronSpec: '* * * * *', hosts: [{ name: 'a', ip: '1.1.1.1' }] })).status, 201);
  const merged = await apply('two', { hosts: [{ name: 'b' }] });
  assert.deepEqual(merged.json.spec.hosts.map((host: { name: string }) => host.name).sort(), ['a', 'b'], merged.text);
  const wrong = await apply('two', { replicas: 'x' });
  assert.match(wrong.json.message, /\.spec\.replicas: expected numeric/);
});

test('a definition of a community group says whether it was approved, and lists carry its listKind', async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  const names = { plural: 'dice', singular: 'die', kind: 'Die', listKind: 'DiceList' };
  const make = (annotations: object | undefined) => {
    const body = crontab({ group: 'games.k8s.io', names });
    return { ...body, metadata: { name: 'dice.games.k8s.io', ...(annotations ? { annotations } : {}) } };
  };
  const needed = 'protected groups must have approval annotation "api-approved.kubernetes.io"';
  const missing = await server.ask('POST', definitions, make(undefined));
  assert.match(missing.json.message, new RegExp(`Required value: ${needed}, see https://github.com/kubernetes/enhancements/pull/1111$`));
  const garbled = await server.ask('POST', definitions, make({ 'api-approved.kubernetes.io': 'yes' }));
  assert.match(
    garbled.json.message,
    new RegExp(`Invalid value: "yes": ${needed} with either a URL or a reason starting with "unapproved"`),
  );
  await define(server, make({ 'api-approved.kubernetes.io': 'unapproved, a test' }));
  const { json } = await server.ask('GET', `${definitions}/dice.games.k8s.io`);
  const found = json.status.conditions.find(({ type }: { type: string }) => type === 'KubernetesAPIApprovalPolicyConformant');
  assert.deepEqual([found.status, found.reason, found.message], ['False', 'UnapprovedAnnotation', 'not approved: "unapproved, a test"']);
  assert.equal((await server.ask('GET', '/apis/games.k8s.io/v1/dice')).json.kind, 'DiceList');
  const v3 = await server.ask('GET', '/openapi/v3/apis/games.k8s.io/v1');
  assert.ok(v3.json.components.schemas['io.k8s.games.v1.DiceList'], Object.keys(v3.json.components.schemas).join());
});

test('names that are given up go to the definition of the same group that waits for them', async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  await define(server, crontab());
  const other = crontab({ names: { plural: 'others', kind: 'Other', shortNames: ['ct'] } });
  other.metadata.name = 'others.stable.example.com';
  await server.ask('POST', definitions, other);
  const accepted = async () =>
    (await server.ask('GET', `${definitions}/others.stable.example.com`)).json.status.conditions?.find(
      ({ type }: { type: string }) => type === 'NamesAccepted',
    );
  await eventually(async () => (await accepted())?.reason === 'ShortNamesConflict', 'the names are looked at');
  await server.ask('DELETE', `${definitions}/crontabs.stable.example.com`);
  await eventually(async () => (await accepted())?.status === 'True', 'the names are accepted');
});

test('a definition whose stored version nobody is served loses its objects all the same', async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  const two = crontab();
  const [first] = two.spec.versions as [(typeof two.spec.versions)[0]];
  two.spec.versions.push({ ...first, name: 'v2', storage: false });
  await define(server, two);
  await server.ask('POST', crontabs, object('a', { cronSpec: '* * * * *' }));
  const merge = { 'content-type': 'application/merge-patch+json' };
  const path = `${definitions}/crontabs.stable.example.com`;
  const versions = two.spec.versions.map((version) => ({ ...version, served: version.name === 'v2' }));
  assert.equal((await server.ask('PATCH', path, { spec: { versions } }, merge)).status, 200);
  await eventually(async () => (await server.ask('GET', crontabs)).status === 404, 'v1 is no longer served');
  await server.ask('DELETE', path);
  await eventually(async () => (await server.ask('GET', path)).status === 404, 'the definition is gone');
  assert.equal(await server.store.count('/registry/stable.example.com/'), 0);
});
