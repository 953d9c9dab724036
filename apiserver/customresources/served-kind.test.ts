// What a client meets when it talks to a kind that a definition makes: media types, strictness about fields, and what the kind itself asks
// of its objects. One server for all of it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { JsonSchema } from '../../api/apiextensions.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';
import { applyPatch, define, mergePatch, widget, widgets, widgetsPath } from './definition-fixture.ts';

const object = (properties: Record<string, JsonSchema> = {}, more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  properties,
  ...more,
});
const text: JsonSchema = { type: 'string' };

let server: ServerFixture;
const ask: ServerFixture['ask'] = (...request) => server.ask(...request);
const strict = `${widgetsPath}?fieldValidation=Strict`;
const warn = `${widgetsPath}?dryRun=All&fieldValidation=Warn`;
/** The texts of the Warning header. */
const warningsOf = (headers: Record<string, string>) =>
  [...(headers['warning'] ?? '').matchAll(/299 - ("(?:[^"\\]|\\.)*")/g)].map(([, quoted]) => JSON.parse(quoted as string) as string);

before(async () => {
  server = await startServer();
  const named = object({ name: text, value: text }, { required: ['name'] });
  const spec = object({
    size: { type: 'integer' },
    list: { type: 'array', items: object({ name: text }) },
    byName: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], items: named },
    set: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
    whole: object({ a: text, b: text }, { 'x-kubernetes-map-type': 'atomic' }),
    labels: { type: 'object', additionalProperties: object({ x: text }) },
    pod: object({ spec: object({ node: text }) }, { 'x-kubernetes-embedded-resource': true }),
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    nullable: { type: 'string', nullable: true },
    defaulted: { type: 'string', default: 'x' },
    nullDefaulted: { type: 'string', nullable: true, default: 'y' },
  });
  await define(server, widgets({ spec }));
});
after(() => server.close());

const unknown = widget(
  'a',
  {
    spec: {
      size: 1,
      zeta: 1,
      list: [{ name: 'x', other: 1 }],
      labels: { k: { y: 1 } },
      pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', bogus: 1 }, spec: { node: 'n', more: 1 } },
      free: { anything: { goes: 1 } },
    },
  },
  { foo: 'bar' },
);
const unknownTexts = [
  'metadata.foo',
  'spec.labels.k.y',
  'spec.list[0].other',
  'spec.pod.spec.more',
  'spec.zeta',
  'spec.pod.metadata.bogus',
].map((path) => `unknown field "${path}"`);
const kept = {
  size: 1,
  list: [{ name: 'x' }],
  labels: { k: {} },
  pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: { node: 'n' } },
  free: { anything: { goes: 1 } },
  defaulted: 'x',
  nullDefaulted: 'y',
};

test('unknown fields are refused, warned of or dropped in silence, as fieldValidation says', async () => {
  const refused = await ask('POST', strict, unknown);
  assert.equal(refused.status, 400);
  assert.equal(
    refused.json.message,
    `Widget in version "v1" cannot be handled as a Widget: strict decoding error: ${unknownTexts.join(', ')}`,
  );
  const warned = await ask('POST', warn, unknown);
  assert.deepEqual([warned.status, warningsOf(warned.headers), warned.json.spec], [201, unknownTexts, kept]);
  const byDefault = await ask('POST', `${widgetsPath}?dryRun=All`, unknown);
  assert.deepEqual(warningsOf(byDefault.headers), unknownTexts);
  const ignored = await ask('POST', `${widgetsPath}?dryRun=All&fieldValidation=Ignore`, unknown);
  assert.deepEqual([warningsOf(ignored.headers), ignored.json.spec], [[], kept]);
  const bogus = await ask('POST', `${widgetsPath}?fieldValidation=Bogus`, unknown);
  assert.equal(
    bogus.json.message,
    'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Bogus": supported values: "", "Ignore", "Strict", "Warn"',
  );
});

test('fields that stand twice are named, in JSON by their path and in YAML by their line', async () => {
  const json = `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a","labels":{"a":"1","a":"2"}},"spec":{"size":1,"size":2,
    "pod":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","name":"b"}}}}`;
  const named = ['metadata.labels.a', 'spec.size', 'spec.pod.metadata.name'].map((path) => `duplicate field "${path}"`);
  const refused = await ask('POST', strict, json);
  assert.equal(refused.json.message, `Widget in version "v1" cannot be handled as a Widget: strict decoding error: ${named.join(', ')}`);
  assert.deepEqual(warningsOf((await ask('POST', warn, json)).headers), named);
  const yaml = 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec:\n  size: 1\n  size: 2\n';
  const inYaml = { 'content-type': 'application/yaml' };
  const line = 'line 6: key "size" already set in map';
  assert.match(
    (await ask('POST', strict, yaml, inYaml)).json.message,
    new RegExp(`strict decoding error: yaml: unmarshal errors:\n {2}${line}$`),
  );
  assert.deepEqual(warningsOf((await ask('POST', warn, yaml, inYaml)).headers), [line]);
});

test('patches are held to the schema as bodies are, and are shown as they would have been stored', async () => {
  assert.equal((await ask('POST', widgetsPath, widget('patched', { spec: { size: 1 } }))).status, 201);
  const path = `${widgetsPath}/patched`;
  const merge = await ask('PATCH', `${path}?fieldValidation=Strict`, { spec: { nope: 1 } }, mergePatch);
  assert.equal(merge.status, 422);
  assert.match(
    merge.json.message,
    /^ "" is invalid: patch: Invalid value: .*\\"nope\\":1.*: strict decoding error: unknown field "spec.nope"$/,
  );
  const operations = [{ op: 'add', path: '/spec/nope', value: 1 }];
  const json = await ask('PATCH', `${path}?fieldValidation=Strict`, operations, { 'content-type': 'application/json-patch+json' });
  assert.match(json.json.message, /: strict decoding error: unknown field "spec.nope"$/);
  const twice = await ask('PATCH', `${path}?fieldValidation=Strict`, '{"spec":{"size":2,"size":3}}', mergePatch);
  assert.match(twice.json.message, /: strict decoding error: duplicate field "spec.size"$/);
  const warned = await ask('PATCH', path, { spec: { nope: 1, size: 4 } }, mergePatch);
  assert.deepEqual([warned.json.spec.size, warningsOf(warned.headers)], [4, ['unknown field "spec.nope"']]);
  const applied = await ask('PATCH', `${path}?fieldManager=m`, widget('patched', { spec: { nope: 1 } }), applyPatch);
  assert.deepEqual(
    [applied.status, applied.json.message],
    [500, 'failed to create typed patch object (/patched; example.com/v1, Kind=Widget): .spec.nope: field not declared in schema'],
  );
});

test('nulls stay where they may, give way to defaults, or go', async () => {
  const spec = { size: null, list: null, nullable: null, defaulted: null, nullDefaulted: null, free: { a: null }, labels: { k: null } };
  const created = await ask('POST', widgetsPath, widget('nulls', { spec }));
  const left = { nullable: null, defaulted: 'x', nullDefaulted: null, free: { a: null }, labels: {} };
  assert.deepEqual([created.status, created.json.spec], [201, left], created.text);
  const applied = await ask('PATCH', `${widgetsPath}/nulls?fieldManager=m&force=true`, widget('nulls', { spec }), applyPatch);
  assert.deepEqual(applied.json.spec, left, applied.text);
  const listed = await ask('POST', widgetsPath, widget('null-items', { spec: { set: ['a', null] } }));
  assert.match(listed.json.message, /spec.set\[1\]: Invalid value: "null": spec.set\[1\] in body must be of type string: "null"/);
});

test('an object must say what it is, and no other kind or version will do', async () => {
  const refusals: [body: object, status: number, message: string][] = [
    [{}, 400, `Widget in version "v1" cannot be handled as a Widget: Object 'Kind' is missing in '{}'`],
    [
      { kind: 'Widget', metadata: { name: 'x' } },
      500,
      "Internal error occurred: Object 'apiVersion' is missing in 'unstructured object has no version'",
    ],
    [{ ...widget('x'), kind: 'Other' }, 422, 'Other.example.com "x" is invalid: kind: Invalid value: "Other": must be Widget'],
    [
      { ...widget('x'), apiVersion: 'example.com/v2' },
      400,
      'the API version in the data (example.com/v2) does not match the expected API version (example.com/v1)',
    ],
    [
      { apiVersion: 'example.com/v1', kind: 'Widget' },
      422,
      'Widget.example.com "" is invalid: metadata.name: Required value: name or generateName is required',
    ],
  ];
  for (const [body, status, message] of refusals) {
    const answer = await ask('POST', widgetsPath, body);
    assert.deepEqual([answer.status, answer.json.message], [status, message]);
  }
  assert.equal((await ask('POST', widgetsPath, widget('typed'))).status, 201);
  const renamed = await ask('PATCH', `${widgetsPath}/typed`, { kind: 'Other' }, mergePatch);
  assert.equal(renamed.json.message, 'Other.example.com "typed" is invalid: kind: Invalid value: "Other": must be Widget');
  const moved = await ask('PATCH', `${widgetsPath}/typed`, { apiVersion: 'other/v1' }, mergePatch);
  assert.equal(moved.json.message, 'Widget.other "typed" is invalid: apiVersion: Invalid value: "other/v1": must be example.com/v1');
  const blind = await ask('PUT', `${widgetsPath}/typed`, widget('typed'));
  assert.equal(
    blind.json.message,
    'Widget.example.com "typed" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
  );
});

test('protobuf and CBOR are not spoken, but of metadata protobuf is', async () => {
  assert.equal((await ask('POST', widgetsPath, widget('spoken', { spec: { size: 1 } }))).status, 201);
  const path = `${widgetsPath}/spoken`;
  const protobuf = 'application/vnd.kubernetes.protobuf';
  const accepted = 'application/json, application/yaml';
  const got = await ask('GET', path, undefined, { accept: protobuf });
  assert.deepEqual([got.status, got.headers['content-type']], [406, protobuf]);
  assert.ok(got.text.includes(`only the following media types are accepted: ${accepted}`));
  const cbor = await ask('GET', path, undefined, { accept: 'application/cbor' });
  assert.deepEqual([cbor.status, cbor.json.message], [406, `only the following media types are accepted: ${accepted}`]);
  assert.equal((await ask('GET', path, undefined, { accept: `${protobuf},application/json` })).json.spec.size, 1);
  const sent = await ask('POST', widgetsPath, 'k8s\0', { 'content-type': protobuf });
  const unknownFormat = 'the body of the request was in an unknown format - accepted media types include:';
  assert.deepEqual([sent.status, sent.json.message], [415, `${unknownFormat} ${accepted}`]);
  const metadata = await ask('GET', widgetsPath, undefined, { accept: `${protobuf};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1` });
  assert.deepEqual([metadata.status, metadata.headers['content-type']], [200, protobuf]);
  assert.ok(metadata.text.includes('PartialObjectMetadataList') && metadata.text.includes('spoken'));
  const patchTypes = 'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml';
  for (const type of ['application/strategic-merge-patch+json', 'application/json', 'application/yaml']) {
    const answer = await ask('PATCH', path, {}, { 'content-type': type });
    assert.deepEqual([answer.status, answer.json.message], [415, `${unknownFormat} ${patchTypes}`], type);
  }
});

test('YAML goes in and out, a Status too, and is refused for what streams', async () => {
  const yaml = { accept: 'application/yaml', 'content-type': 'application/yaml' };
  const created = await ask(
    'POST',
    widgetsPath,
    'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: yaml}\nspec: {size: 3}\n',
    yaml,
  );
  assert.deepEqual([created.status, created.headers['content-type']], [201, 'application/yaml']);
  assert.match(created.text, /^spec:\n {2}defaulted: x\n {2}nullDefaulted: y\n {2}size: 3$/m);
  const listed = await ask('GET', widgetsPath, undefined, { accept: 'application/yaml' });
  assert.match(listed.text, /^kind: WidgetList$/m);
  const watched = await ask('GET', `${widgetsPath}?watch=1`, undefined, { accept: 'application/yaml' });
  assert.deepEqual([watched.status, watched.headers['content-type']], [406, 'application/yaml']);
  assert.match(watched.text, /^reason: NotAcceptable$/m);
  const absent = await ask('GET', `${widgetsPath}/absent`, undefined, { accept: 'application/yaml' });
  assert.match(absent.text, /^message: widgets.example.com "absent" not found$/m);
  const deleted = await ask('DELETE', `${widgetsPath}/yaml`, undefined, { accept: 'application/yaml' });
  assert.match(deleted.text, /^status: Success$/m);
});

test('metadata alone is listed and watched', async () => {
  const as = (kind: string) => ({ accept: `application/json;as=${kind};g=meta.k8s.io;v=v1` });
  assert.equal((await ask('POST', widgetsPath, widget('meta', { spec: { size: 1 } }, { labels: { only: 'meta' } }))).status, 201);
  const list = await ask('GET', `${widgetsPath}?labelSelector=only%3Dmeta`, undefined, as('PartialObjectMetadataList'));
  assert.deepEqual([list.json.kind, list.json.apiVersion, list.json.items.length], ['PartialObjectMetadataList', 'meta.k8s.io/v1', 1]);
  assert.deepEqual(
    [list.json.items[0].kind, list.json.items[0].metadata.name, list.json.items[0].spec],
    ['PartialObjectMetadata', 'meta', undefined],
  );
  const one = await ask('GET', `${widgetsPath}/meta`, undefined, as('PartialObjectMetadata'));
  assert.deepEqual([one.json.kind, one.json.spec], ['PartialObjectMetadata', undefined]);
  const ended = ask('GET', `${widgetsPath}?watch=1&timeoutSeconds=1&labelSelector=only%3Dmeta`, undefined, as('PartialObjectMetadata'));
  await server.clock.step(2000);
  const event = JSON.parse((await ended).text.split('\n', 1)[0] as string);
  assert.deepEqual(
    [event.type, event.object.kind, event.object.metadata.name, event.object.spec],
    ['ADDED', 'PartialObjectMetadata', 'meta', undefined],
  );
});

test('a resource within another must say what it is and have metadata as any has it', async () => {
  const messageOf = async (pod: object) => (await ask('POST', widgetsPath, widget('outer', { spec: { pod } }))).json.message as string;
  assert.match(
    await messageOf({ kind: 'foo bar', metadata: { name: 'a/b', labels: { 'x y': 'z' } } }),
    /^Widget.example.com "outer" is invalid: \[spec.pod.apiVersion: Required value, spec.pod.kind: Invalid value: "foo bar": may have mixed case, but should otherwise match: a DNS-1035 label.*, spec.pod.metadata.name: Invalid value: "a\/b": may not contain '\/', spec.pod.metadata.labels: Invalid value: "x y": name part must/,
  );
  assert.equal(
    await messageOf({ apiVersion: 'a/b/c', kind: '' }),
    'Widget.example.com "outer" is invalid: [spec.pod.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c, spec.pod.kind: Invalid value: "": must not be empty]',
  );
  const cannot = 'Widget in version "v1" cannot be handled as a Widget:';
  assert.equal(await messageOf({ apiVersion: 1, kind: 'Foo' }), `${cannot} spec.pod.apiVersion: Invalid value: 1: must be a string`);
  assert.equal(
    await messageOf({ apiVersion: 'v1', kind: 'Foo', metadata: { name: 1 } }),
    `${cannot} spec.pod.metadata: Invalid value: {"name":1}: json: cannot unmarshal number into Go struct field ObjectMeta.name of type string`,
  );
  assert.equal((await ask('POST', widgetsPath, widget('outer', { spec: { pod: { apiVersion: 'v1', kind: 'Pod' } } }))).status, 201);
});

test('server-side apply merges map lists by key, sets by value, and takes atomic maps whole', async () => {
  const apply = (manager: string, spec: object, more = '') =>
    ask('PATCH', `${widgetsPath}/applied?fieldManager=${manager}${more}`, widget('applied', { spec }), applyPatch);
  assert.equal(
    (await apply('one', { byName: [{ name: 'a', value: '1' }], set: ['x'], whole: { a: '1' }, list: [{ name: 'l' }] })).status,
    201,
  );
  const second = await apply('two', { byName: [{ name: 'b', value: '2' }], set: ['y'] });
  assert.deepEqual(
    [second.json.spec.byName, second.json.spec.set],
    [
      [
        { name: 'a', value: '1' },
        { name: 'b', value: '2' },
      ],
      ['x', 'y'],
    ],
  );
  const conflict = await apply('two', { byName: [{ name: 'a', value: '3' }], whole: { b: '2' } });
  assert.equal(conflict.status, 409);
  assert.match(
    conflict.json.message,
    /^Apply failed with 2 conflicts: conflicts with "one":\n- .spec.whole\n- .spec.byName\[name="a"\].value$/,
  );
  const forced = await apply('two', { whole: { b: '2' } }, '&force=true');
  assert.deepEqual(
    [forced.json.spec.whole, forced.json.spec.byName, forced.json.spec.set],
    [{ b: '2' }, [{ name: 'a', value: '1' }], ['x']],
    'what two no longer applies is gone',
  );
  const typed = 'failed to create typed patch object (/applied; example.com/v1, Kind=Widget):';
  assert.equal((await apply('two', { set: ['a', 'a'] })).json.message, `${typed} .spec.set: duplicate entries for key [="a"]`);
  assert.equal(
    (await apply('two', { byName: [{ name: 'a' }, { name: 'a' }] })).json.message,
    `${typed} .spec.byName: duplicate entries for key [name="a"]`,
  );
  assert.equal(
    (await apply('two', { byName: [{ value: 'a' }] })).json.message,
    `${typed} .spec.byName: element 0: associative list with keys has an element that omits key field "name" (and doesn't have default value)`,
  );
});

test('sets and map lists refuse what stands in them twice', async () => {
  const { json } = await ask('POST', widgetsPath, widget('twice', { spec: { set: ['a', 'a'], byName: [{ name: 'a' }, { name: 'a' }] } }));
  assert.equal(
    json.message,
    'Widget.example.com "twice" is invalid: [spec.set[1]: Duplicate value: "a", spec.byName[1]: Duplicate value: {"name":"a"}]',
  );
});

test('finalizers that others could take for theirs are warned of when they are new', async () => {
  const advice = (name: string, path: string) =>
    `metadata.finalizers: "${name}": prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`;
  const finalizers = ['foo', 'a.b', 'a.b/c'];
  const created = await ask('POST', widgetsPath, widget('held', {}, { finalizers }));
  assert.deepEqual(warningsOf(created.headers), [advice('a.b', ' including a path (/)'), advice('foo', '')]);
  const changed = await ask('PATCH', `${widgetsPath}/held`, { metadata: { finalizers: [...finalizers, 'bar'] } }, mergePatch);
  assert.deepEqual(warningsOf(changed.headers), [advice('bar', '')]);
});

test('paths that lead nowhere and verbs that are not there are answered as Kubernetes answers them', async () => {
  const answers: [method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, status: number, message: string][] = [
    ['GET', `${widgetsPath}/typed/nope`, 404, 'widgets.example.com "typed" not found'],
    ['GET', '/apis/example.com/v1/widgets/typed', 404, 'the server could not find the requested resource'],
    ['POST', '/apis/example.com/v1/widgets', 404, 'the server could not find the requested resource'],
    ['GET', '/apis/example.com/v2/widgets', 404, 'the server could not find the requested resource'],
    ['PUT', widgetsPath, 405, 'update is not supported on resources of kind "widgets.example.com"'],
    ['GET', `${widgetsPath}?fieldSelector=spec.size%3D1`, 400, 'field label not supported: spec.size'],
  ];
  for (const [method, path, status, message] of answers) {
    const answer = await ask(method, path, method === 'GET' || method === 'DELETE' ? undefined : widget('x'));
    assert.deepEqual([answer.status, answer.json.message], [status, message], path);
  }
});
