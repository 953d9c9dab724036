// What becomes of definitions and of what they define: names, versions, warnings, and the end of both.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { JsonSchema } from '../../api/apiextensions.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';
import { conditionsOf, define, definitionsPath, eventually, mergePatch, widget, widgets, widgetsPath } from './definition-fixture.ts';

let server: ServerFixture;
const ask: ServerFixture['ask'] = (...request) => server.ask(...request);
const path = `${definitionsPath}/widgets.example.com`;
const text: JsonSchema = { type: 'string' };
const object = (properties: Record<string, JsonSchema>): JsonSchema => ({ type: 'object', properties });
const warningsOf = (headers: Record<string, string>) =>
  [...(headers['warning'] ?? '').matchAll(/299 - ("(?:[^"\\]|\\.)*")/g)].map(([, quoted]) => JSON.parse(quoted as string) as string);

before(async () => {
  server = await startServer();
});
after(() => server.close());

/** Deletes a definition and waits until it is gone. */
async function undefine(name: string): Promise<void> {
  assert.equal((await ask('DELETE', `${definitionsPath}/${name}`)).status, 200);
  await eventually(async () => {
    await server.clock.step(1000);
    return (await ask('GET', `${definitionsPath}/${name}`)).status === 404;
  }, `${name} is gone`);
}

test('names that another definition of the group has are not given twice, and each conflict is named', async () => {
  const names = { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList', shortNames: ['wd', 'wg'] };
  await define(server, widgets({}, {}, { names }));
  const conflicts: [names: { plural: string; kind: string; [word: string]: unknown }, reason: string, message: string][] = [
    [{ plural: 'as', kind: 'A', singular: 'widget' }, 'SingularConflict', '"widget" is already in use'],
    [{ plural: 'wd', kind: 'B' }, 'PluralConflict', '"wd" is already in use'],
    [{ plural: 'cs', kind: 'C', shortNames: ['widgets'] }, 'ShortNamesConflict', '"widgets" is already in use'],
    [{ plural: 'ds', kind: 'D', shortNames: ['wd', 'wg', 'd'] }, 'ShortNamesConflict', '["wd" is already in use, "wg" is already in use]'],
    [{ plural: 'es', kind: 'Widget', listKind: 'EList' }, 'KindConflict', '"Widget" is already in use'],
    [{ plural: 'fs', kind: 'F', listKind: 'WidgetList' }, 'ListKindConflict', '"WidgetList" is already in use'],
  ];
  for (const [wanted, reason, message] of conflicts) {
    assert.equal((await ask('POST', definitionsPath, widgets({}, {}, { names: wanted }))).status, 201);
    const name = `${wanted.plural}.example.com`;
    await eventually(async () => (await conditionsOf(server, name))['NamesAccepted'] !== undefined, 'the names are looked at');
    const { NamesAccepted, Established } = await conditionsOf(server, name);
    assert.deepEqual(NamesAccepted, { status: 'False', reason, message });
    assert.deepEqual(Established, { status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' });
    assert.equal((await ask('GET', `/apis/example.com/v1/${wanted.plural}`)).status, 404);
    await undefine(name);
  }
  const accepted = await conditionsOf(server, 'widgets.example.com');
  assert.deepEqual(accepted, {
    NamesAccepted: { status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
    Established: { status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' },
  });
  await undefine('widgets.example.com');
});

test('what an established definition is called and where its objects live cannot be changed', async () => {
  await define(server, widgets({}));
  const messageOf = async (spec: object) => (await ask('PATCH', path, { spec }, mergePatch)).json.message as string;
  assert.match(await messageOf({ scope: 'Cluster' }), /spec.scope: Invalid value: "Cluster": field is immutable/);
  assert.match(await messageOf({ names: { kind: 'Gadget' } }), /spec.names.kind: Invalid value: "Gadget": field is immutable/);
  assert.match(await messageOf({ names: { plural: 'gadgets' } }), /spec.names.plural: Invalid value: "gadgets": field is immutable/);
  assert.match(await messageOf({ group: 'example.org' }), /spec.group: Invalid value: "example.org": field is immutable/);
  assert.match(
    await messageOf({ preserveUnknownFields: true }),
    /spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions\[\*\].schema instead/,
  );
  const renamed = await ask('PATCH', path, { spec: { names: { shortNames: ['w'], categories: ['all'] } } }, mergePatch);
  assert.equal(renamed.json.metadata.generation, 2);
  await eventually(async () => {
    const { json } = await ask('GET', '/apis/example.com/v1');
    return json.resources[0].shortNames?.[0] === 'w' && json.resources[0].categories[0] === 'all';
  }, 'discovery shows the new names');
  await undefine('widgets.example.com');
});

test('the versions in which objects are stored are remembered until somebody says that none are left', async () => {
  const version = (name: string, storage: boolean) => ({ name, served: true, storage, schema: { openAPIV3Schema: object({}) } });
  await define(server, widgets({}, {}, { versions: [version('v1', true)] }));
  assert.deepEqual((await ask('GET', path)).json.status.storedVersions, ['v1']);
  const both = [version('v1', false), version('v2', true)];
  const moved = await ask('PATCH', path, { spec: { versions: both } }, mergePatch);
  assert.deepEqual(moved.json.status.storedVersions, ['v1', 'v2']);
  const dropped = await ask('PATCH', path, { spec: { versions: [version('v2', true)] } }, mergePatch);
  assert.equal(dropped.status, 422);
  assert.match(
    dropped.json.message,
    /status.storedVersions\[0\]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions$/,
  );
  const stored = await ask('PATCH', `${path}/status`, { status: { storedVersions: ['v2'] } }, mergePatch);
  assert.deepEqual(stored.json.status.storedVersions, ['v2'], stored.text);
  assert.equal((await ask('PATCH', path, { spec: { versions: [version('v2', true)] } }, mergePatch)).status, 200);
  await eventually(async () => (await ask('GET', widgetsPath)).status === 404, 'v1 is no longer served');
  await undefine('widgets.example.com');
});

test('users of a deprecated version are warned, readers too, and told what to use instead', async () => {
  const version = (name: string, more: object = {}) => ({
    name,
    served: true,
    storage: name === 'v2',
    schema: { openAPIV3Schema: object({}) },
    ...more,
  });
  const versions = [
    version('v1', { deprecated: true }),
    version('v1beta1', { deprecated: true, deprecationWarning: 'v1beta1 ends soon' }),
    version('v2'),
    version('v3', { served: false }),
  ];
  await define(server, widgets({}, {}, { versions }));
  const warned = async (name: string) => warningsOf((await ask('GET', widgetsPath.replace('/v1/', `/${name}/`))).headers);
  await eventually(async () => (await ask('GET', widgetsPath)).status === 200, 'the versions are served');
  assert.deepEqual(await warned('v1'), ['example.com/v1 Widget is deprecated; use example.com/v2 Widget']);
  assert.deepEqual(await warned('v1beta1'), ['v1beta1 ends soon']);
  assert.deepEqual(await warned('v2'), []);
  const refused = await ask('PATCH', path, { spec: { versions: [{ ...version('v2'), deprecationWarning: 'x' }] } }, mergePatch);
  assert.match(refused.json.message, /deprecationWarning: Invalid value: "x": can only be set for deprecated versions/);
  await undefine('widgets.example.com');
});

test('formats that nothing is held to are warned of where they are new', async () => {
  const properties = {
    a: { type: 'string', format: 'date-time' },
    b: { type: 'string', format: 'colour' },
    c: { type: 'integer', format: 'int128' },
  };
  const body = widgets(properties);
  const created = await ask('POST', definitionsPath, body);
  assert.deepEqual(warningsOf(created.headers), ['unrecognized format "colour"', 'unrecognized format "int128"']);
  const versions = [
    { ...body.spec.versions[0], schema: { openAPIV3Schema: object({ ...properties, d: { type: 'string', format: 'smell' } }) } },
  ];
  const changed = await ask('PATCH', path, { spec: { versions } }, mergePatch);
  assert.deepEqual(warningsOf(changed.headers), ['unrecognized format "smell"']);
  await undefine('widgets.example.com');
});

test('objects go with their definition, watches end with them, and the same names may be defined anew', async () => {
  await define(server, widgets({ spec: object({ a: text }) }));
  assert.equal((await ask('POST', widgetsPath, widget('held', { spec: { a: 'x' } }, { finalizers: ['example.com/wait'] }))).status, 201);
  assert.equal((await ask('POST', widgetsPath, widget('free'))).status, 201);
  const watching = ask('GET', `${widgetsPath}?watch=1`);
  await ask('DELETE', path);
  await eventually(async () => (await ask('GET', `${widgetsPath}/free`)).status === 404, 'what nothing holds is deleted');
  const { Terminating } = await conditionsOf(server, 'widgets.example.com');
  assert.deepEqual([Terminating?.status, Terminating?.reason], ['True', 'InstanceDeletionInProgress']);
  const late = await ask('POST', widgetsPath, widget('late'));
  assert.deepEqual([late.status, late.json.reason], [405, 'MethodNotAllowed']);
  assert.equal(late.json.message, 'create not allowed while custom resource definition is terminating');
  const held = await ask('GET', `${widgetsPath}/held`);
  assert.ok(held.json.metadata.deletionTimestamp);
  await ask('PATCH', `${widgetsPath}/held`, { metadata: { finalizers: null } }, mergePatch);
  await eventually(async () => {
    await server.clock.step(1000);
    return (await ask('GET', path)).status === 404;
  }, 'the definition is gone');
  const events = (await watching).text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    events
      .filter(({ type }) => type === 'DELETED')
      .map(({ object: deleted }) => deleted.metadata.name)
      .sort(),
    ['free', 'held'],
    'the watch has told of everything and has ended',
  );
  assert.equal((await ask('GET', widgetsPath)).status, 404);
  await define(server, widgets({ spec: object({ b: text }) }));
  assert.deepEqual((await ask('GET', widgetsPath)).json.items, []);
  const anew = await ask('POST', widgetsPath, widget('held', { spec: { a: 'x', b: 'y' } }));
  assert.deepEqual(anew.json.spec, { b: 'y' });
  await undefine('widgets.example.com');
});

test('a table of a custom kind shows its columns with their priorities, and kubectl its descriptions', async () => {
  const columns = [
    { name: 'Size', type: 'integer', jsonPath: '.spec.size', description: 'How large it is.' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ];
  const conditions: JsonSchema = { type: 'array', items: object({ type: text, status: text }) };
  const described: JsonSchema = { type: 'integer', description: 'Size says how large it is.' };
  await define(
    server,
    widgets({ spec: object({ size: described }), status: object({ conditions }) }, { additionalPrinterColumns: columns }),
  );
  await ask('POST', widgetsPath, widget('a', { spec: { size: 3 }, status: { conditions: [{ type: 'Ready', status: 'True' }] } }));
  await ask('POST', widgetsPath, widget('b'));
  const table = await ask('GET', widgetsPath, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
  const prefix = 'Custom resource definition column (in JSONPath format): ';
  assert.deepEqual(
    table.json.columnDefinitions
      .slice(1)
      .map(({ name, type, format, priority, description }: Record<string, unknown>) => [name, type, format, priority, description]),
    [
      ['Size', 'integer', '', 0, 'How large it is.'],
      ['Ready', 'string', '', 1, `${prefix}.status.conditions[?(@.type=="Ready")].status`],
      ['Age', 'date', '', 0, `${prefix}.metadata.creationTimestamp`],
    ],
  );
  assert.deepEqual(
    table.json.rows.map(({ cells }: { cells: unknown[] }) => cells.slice(0, 3)),
    [
      ['a', 3, 'True'],
      ['b', null, null],
    ],
  );
  const { json } = await ask('GET', '/openapi/v3/apis/example.com/v1');
  assert.equal(json.components.schemas['com.example.v1.Widget'].properties.spec.properties.size.description, 'Size says how large it is.');
  await undefine('widgets.example.com');
});

test('status and scale change what they are for and nothing else', async () => {
  const status = object({ replicas: { type: 'integer' }, selector: text, phase: { type: 'string', enum: ['Ready', 'Lost'] } });
  const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' };
  const spec = object({ replicas: { type: 'integer' }, text });
  await define(server, widgets({ spec, status }, { subresources: { status: {}, scale } }));
  const created = await ask('POST', widgetsPath, widget('a', { spec: { text: 'x' }, status: { phase: 'Ready' } }));
  assert.deepEqual([created.json.status, created.json.metadata.generation], [undefined, 1], 'a new object has no status yet');
  const one = `${widgetsPath}/a`;
  const unset = await ask('GET', `${one}/scale`);
  assert.deepEqual(
    [unset.status, unset.json.message],
    [500, 'Internal error occurred: the spec replicas field ".spec.replicas" does not exist'],
  );
  const empty = await ask('PATCH', `${one}/scale`, { metadata: { labels: { a: 'b' } } }, mergePatch);
  assert.deepEqual([empty.status, empty.json.message], [400, 'the spec replicas field ".spec.replicas" cannot be empty']);
  const scaled = await ask('PATCH', `${one}/scale`, { spec: { replicas: 2 } }, mergePatch);
  assert.equal(scaled.json.spec.replicas, 2);
  const below = await ask('PATCH', `${one}/scale`, { spec: { replicas: -3 } }, mergePatch);
  assert.equal(
    below.json.message,
    'Widget.example.com "a" is invalid: .spec.replicas: Invalid value: -3: should be a non-negative integer',
  );
  const above = await ask('PATCH', one, { spec: { replicas: 2 ** 31 } }, mergePatch);
  assert.match(above.json.message, /\.spec\.replicas: Invalid value: 2147483648: should be less than or equal to 2147483647$/);
  const wrong = await ask('PATCH', `${one}/status`, { status: { replicas: -1, phase: 'Found' } }, mergePatch);
  assert.equal(
    wrong.json.message,
    'Widget.example.com "a" is invalid: [status.phase: Unsupported value: "Found": supported values: "Ready", "Lost", .status.replicas: Invalid value: -1: should be a non-negative integer]',
  );
  const reported = {
    spec: { text: 'changed' },
    metadata: { labels: { a: 'b' } },
    status: { replicas: 2, selector: 'a=b', phase: 'Ready' },
  };
  const stated = await ask('PATCH', `${one}/status`, reported, mergePatch);
  assert.deepEqual(
    [stated.json.spec, stated.json.metadata.labels, stated.json.status, stated.json.metadata.generation],
    [{ text: 'x', replicas: 2 }, undefined, { replicas: 2, selector: 'a=b', phase: 'Ready' }, 2],
  );
  assert.deepEqual((await ask('GET', `${one}/scale`)).json.status, { replicas: 2, selector: 'a=b' });
  const labelled = await ask('PATCH', one, { metadata: { labels: { a: 'b' } }, status: { replicas: 9 } }, mergePatch);
  assert.deepEqual([labelled.json.metadata.generation, labelled.json.status.replicas], [2, 2], 'only a change of the spec counts');
  assert.equal((await ask('PATCH', one, { spec: { text: 'y' } }, mergePatch)).json.metadata.generation, 3);
  assert.equal((await ask('DELETE', `${one}/status`)).json.message, 'delete is not supported on resources of kind "widgets.example.com"');
  await undefine('widgets.example.com');
});

test('objects are selected by the fields that their definition names', async () => {
  const spec = object({ colour: text, count: { type: 'integer' }, on: { type: 'boolean' } });
  const selectableFields = [{ jsonPath: '.spec.colour' }, { jsonPath: '.spec.count' }, { jsonPath: '.spec.on' }];
  await define(server, widgets({ spec }, { selectableFields }));
  await ask('POST', widgetsPath, widget('a', { spec: { colour: 'red', count: 1, on: true } }));
  await ask('POST', widgetsPath, widget('b', { spec: { colour: 'blue', count: 2, on: false } }));
  await ask('POST', widgetsPath, widget('c'));
  const selected = async (selector: string) =>
    (await ask('GET', `${widgetsPath}?fieldSelector=${encodeURIComponent(selector)}`)).json.items?.map(
      ({ metadata }: { metadata: { name: string } }) => metadata.name,
    );
  assert.deepEqual(await selected('spec.colour=red'), ['a']);
  assert.deepEqual(await selected('spec.colour!=red'), ['b', 'c']);
  assert.deepEqual(await selected('spec.count=2,spec.on=false'), ['b']);
  assert.deepEqual(await selected('spec.colour='), ['c']);
  const refused = await ask('GET', `${widgetsPath}?fieldSelector=spec.other%3D1`);
  assert.deepEqual([refused.status, refused.json.message], [400, 'field label not supported: spec.other']);
  await undefine('widgets.example.com');
});
