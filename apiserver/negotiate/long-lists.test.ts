import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { configMaps } from '../../api/core.ts';
import { settleEventLoop } from '../../base/virtual-clock.ts';
import { readBody } from '../../client/transport.ts';
import { rawFields } from '../protobuf/decode.ts';
import { protobufType, unwrap } from '../protobuf/envelope.ts';
import { root, type ServerFixture, startServer } from '../server-fixture.ts';

const path = '/api/v1/namespaces/default/configmaps';
const count = 60;
let fixture: ServerFixture;
before(async () => {
  fixture = await startServer();
  for (let i = 0; i < count; i++) {
    const data = { text: `${i} ${'lorem ipsum '.repeat(5000)}` };
    await fixture.client.create(configMaps, { metadata: { namespace: 'default', name: `c${i}` }, data });
  }
});
after(() => fixture.close());

async function listed(headers: Record<string, string>, query = ''): Promise<{ body: Buffer; headers: Record<string, string> }> {
  const response = await fixture.server.transport(root).request({ method: 'GET', path: path + query, headers });
  assert.equal(response.status, 200);
  return { body: await readBody(response), headers: response.headers };
}

test('a long list is the same in one piece and in many, compressed or not', async () => {
  const plain = await listed({});
  assert.equal(plain.headers['content-length'], String(plain.body.length));
  assert.equal(JSON.parse(plain.body.toString()).items.length, count);
  const compressed = await listed({ 'accept-encoding': 'gzip' });
  assert.equal(compressed.headers['content-encoding'], 'gzip');
  assert.equal(compressed.headers.vary, 'Accept-Encoding');
  assert.ok(compressed.body.length < plain.body.length / 10);
  assert.deepEqual(gunzipSync(compressed.body), plain.body);
});

test('a long list in protobuf holds the same items as its pages do', async () => {
  const whole = await listed({ accept: protobufType });
  assert.equal(whole.headers['content-length'], String(whole.body.length));
  assert.deepEqual(gunzipSync((await listed({ accept: protobufType, 'accept-encoding': 'gzip' })).body), whole.body);
  const { kind, raw } = unwrap(whole.body);
  assert.equal(kind, 'ConfigMapList');
  const itemsOf = (bytes: Uint8Array) =>
    [...rawFields(bytes)].flatMap(([number, value]) => (number === 2 && typeof value !== 'number' ? [value] : []));
  // Ten are too few to be sent in pieces: those are made by other code.
  const first = itemsOf(unwrap((await listed({ accept: protobufType }, '?limit=10')).body).raw);
  assert.deepEqual([first.length, itemsOf(raw).length], [10, count]);
  assert.deepEqual(itemsOf(raw).slice(0, 10), first);
});

test('a long list as a Table or of metadata alone is sent in pieces, and says what its pages say', async () => {
  for (const as of ['as=Table;v=v1;g=meta.k8s.io', 'as=Table;v=v1beta1;g=meta.k8s.io', 'as=PartialObjectMetadataList;v=v1;g=meta.k8s.io']) {
    const accept = `application/json;${as}`;
    const whole = await listed({ accept });
    assert.equal(whole.headers['content-length'], undefined);
    assert.deepEqual(gunzipSync((await listed({ accept, 'accept-encoding': 'gzip' })).body), whole.body);
    const list = JSON.parse(whole.body.toString());
    const page = JSON.parse((await listed({ accept }, '?limit=10')).body.toString());
    assert.equal((list.rows ?? list.items).length, count);
    assert.deepEqual((list.rows ?? list.items).slice(0, 10), page.rows ?? page.items);
    assert.deepEqual([list.kind, list.apiVersion, list.columnDefinitions], [page.kind, page.apiVersion, page.columnDefinitions]);
  }
});

test('a long list of metadata in protobuf holds the same items as its pages do, in both versions', async () => {
  for (const [version, itemsNumber] of [
    ['v1', 2],
    ['v1beta1', 1],
  ] as const) {
    const accept = `${protobufType};as=PartialObjectMetadataList;v=${version};g=meta.k8s.io`;
    const whole = await listed({ accept });
    assert.equal(whole.headers['content-length'], String(whole.body.length));
    const { kind, apiVersion, raw } = unwrap(whole.body);
    assert.deepEqual([kind, apiVersion], ['PartialObjectMetadataList', `meta.k8s.io/${version}`]);
    const itemsOf = (bytes: Uint8Array) =>
      [...rawFields(bytes)].flatMap(([number, value]) => (number === itemsNumber && typeof value !== 'number' ? [value] : []));
    const first = itemsOf(unwrap((await listed({ accept }, '?limit=10')).body).raw);
    assert.deepEqual([first.length, itemsOf(raw).length], [10, count]);
    assert.deepEqual(itemsOf(raw).slice(0, 10), first);
  }
});

test('metadata of one object is not what a list can be told in', async () => {
  const { status, json } = await fixture.ask('GET', path, undefined, {
    accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  });
  const message = 'you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)';
  assert.deepEqual([status, json.reason, json.message], [406, 'NotAcceptable', message]);
  const includes = await fixture.ask('GET', `${path}?includeObject=Some`, undefined, {
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  });
  const why = `Unable to convert to Table as requested: includeObject: Invalid value: "Some": must be 'Metadata', 'Object', 'None', or empty`;
  assert.deepEqual([includes.status, includes.json.message], [400, why]);
});

test('a client that goes away in the middle of a long list leaves nothing behind', async () => {
  for (const headers of [
    {},
    { 'accept-encoding': 'gzip' },
    { accept: protobufType },
    { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  ] as Record<string, string>[]) {
    const controller = new AbortController();
    const response = await fixture.server.transport(root).request({ method: 'GET', path, headers, signal: controller.signal });
    const reader = response.body[Symbol.asyncIterator]();
    await reader.next();
    controller.abort();
    await settleEventLoop(50);
    const { text } = await fixture.ask('GET', '/metrics');
    assert.match(text, /apiserver_current_inflight_requests\{request_kind="readOnly"\} 1\n/);
  }
});
