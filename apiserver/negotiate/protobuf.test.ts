import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../api/wire.ts';
import { type ApiRequest, readBody } from '../../client/transport.ts';
import { decodeMessage, rawFields } from '../protobuf/decode.ts';
import { envelope, metaMessage, protobufType, unwrap } from '../protobuf/envelope.ts';
import { type Message, messageOf } from '../protobuf/message.ts';
import { root, type ServerFixture, startServer } from '../server-fixture.ts';
import { objectProtobuf } from './protobuf.ts';

const configMap = messageOf('io.k8s.api.core.v1.ConfigMap') as Message;
const path = '/api/v1/namespaces/default/configmaps';

const mapOf = (name: string, data: Record<string, string>) =>
  objectProtobuf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data } as KubeObject);

async function ask(fixture: ServerFixture, request: Pick<ApiRequest, 'method' | 'path' | 'body'>, headers: Record<string, string> = {}) {
  const response = await fixture.server.transport(root).request({
    ...request,
    headers: { accept: protobufType, ...(request.body ? { 'content-type': protobufType } : {}), ...headers },
  });
  return { status: response.status, type: response.headers['content-type'], body: await readBody(response) };
}

function read(body: Uint8Array, message: Message) {
  const { apiVersion, kind, raw } = unwrap(body);
  // biome-ignore lint/suspicious/noExplicitAny: tests look into objects of every shape
  return { apiVersion, kind, ...decodeMessage(message, raw) } as any;
}

/** The items of a list as messages. */
const itemsOf = (body: Uint8Array) =>
  [...rawFields(unwrap(body).raw)].filter(([number]) => number === 2).map(([, bytes]) => bytes as Buffer);

test('objects are created, read, listed, patched and deleted in protobuf', async () => {
  const fixture = await startServer();
  try {
    const created = await ask(fixture, { method: 'POST', path, body: mapOf('a', { k: 'v' }) });
    assert.equal(created.status, 201);
    assert.equal(created.type, protobufType);
    const object = read(created.body, configMap);
    assert.equal(object.kind, 'ConfigMap');
    assert.deepEqual(object.data, { k: 'v' });
    assert.ok(object.metadata.uid && object.metadata.resourceVersion);

    const inJson = await fixture.ask('GET', `${path}/a`);
    assert.deepEqual(
      JSON.parse(JSON.stringify(read((await ask(fixture, { method: 'GET', path: `${path}/a` })).body, configMap))),
      inJson.json,
    );

    await ask(fixture, { method: 'POST', path, body: mapOf('b', { k: 'w' }) });
    const list = await ask(fixture, { method: 'GET', path });
    assert.equal(unwrap(list.body).kind, 'ConfigMapList');
    const names = itemsOf(list.body).map((item) => (decodeMessage(configMap, item) as KubeObject).metadata?.name);
    assert.deepEqual(names, ['a', 'b']);

    const headers = { 'content-type': 'application/merge-patch+json' };
    const patched = await ask(fixture, { method: 'PATCH', path: `${path}/a`, body: '{"data":{"k":"x"}}' }, headers);
    assert.equal(read(patched.body, configMap).data.k, 'x');

    const options = objectProtobuf({ apiVersion: 'v1', kind: 'DeleteOptions' });
    const deleted = await ask(fixture, { method: 'DELETE', path: `${path}/a`, body: options });
    assert.equal(deleted.status, 200);
    assert.equal(read(deleted.body, metaMessage('Status')).status, 'Success');
    const missing = await ask(fixture, { method: 'GET', path: `${path}/a` });
    assert.equal(missing.status, 404);
    const status = read(missing.body, metaMessage('Status'));
    assert.equal(status.kind, 'Status');
    assert.equal(status.reason, 'NotFound');
    assert.equal(status.details.name, 'a');
  } finally {
    await fixture.close();
  }
});

test('metadata alone is told in protobuf, of one object and of a list', async () => {
  const fixture = await startServer();
  try {
    await ask(fixture, { method: 'POST', path, body: mapOf('a', { k: 'v' }) });
    const accept = (as: string) => ({ accept: `${protobufType};as=${as};g=meta.k8s.io;v=v1` });
    const one = await ask(fixture, { method: 'GET', path: `${path}/a` }, accept('PartialObjectMetadata'));
    const partial = read(one.body, metaMessage('PartialObjectMetadata'));
    assert.deepEqual(Object.keys(partial), ['apiVersion', 'kind', 'metadata']);
    assert.equal(partial.apiVersion, 'meta.k8s.io/v1');
    const list = await ask(fixture, { method: 'GET', path }, accept('PartialObjectMetadataList'));
    assert.equal(unwrap(list.body).kind, 'PartialObjectMetadataList');
    assert.equal(itemsOf(list.body).length, 1);
  } finally {
    await fixture.close();
  }
});

test('a watch sends frames with their length before them', async () => {
  const fixture = await startServer();
  try {
    await ask(fixture, { method: 'POST', path, body: mapOf('a', { k: 'v' }) });
    const end = new AbortController();
    const response = await fixture.server.transport(root).request({
      method: 'GET',
      path: `${path}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
      headers: { accept: protobufType },
      signal: end.signal,
    });
    assert.equal(response.headers['content-type'], `${protobufType};stream=watch`);
    let bytes = Buffer.alloc(0);
    const events: string[] = [];
    let hasDeleted = false;
    for await (const chunk of response.body) {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE(0)) {
        const frame = bytes.subarray(4, 4 + bytes.readUInt32BE(0));
        bytes = bytes.subarray(4 + frame.length);
        const fields = new Map(rawFields(frame));
        const raw = new Map(rawFields(fields.get(2) as Buffer)).get(1) as Buffer;
        const object = read(raw, configMap);
        events.push(`${fields.get(1)} ${object.kind} ${object.metadata.name ?? Object.keys(object.metadata.annotations)[0]}`);
      }
      if (events.length >= 2 && !hasDeleted) {
        hasDeleted = true;
        await ask(fixture, { method: 'DELETE', path: `${path}/a` });
      }
      if (events.length >= 4) break;
      if (events.some((event) => event.startsWith('DELETED'))) break;
    }
    end.abort();
    assert.ok(events.includes('ADDED ConfigMap a'));
    assert.ok(events.includes('BOOKMARK ConfigMap k8s.io/initial-events-end'));
    assert.ok(events.includes('DELETED ConfigMap a'));
  } finally {
    await fixture.close();
  }
});

test('bodies that are no message are refused in Kubernetes words', async () => {
  const fixture = await startServer();
  try {
    const messageFor = async (body: Uint8Array) => {
      const { status, body: answer } = await ask(fixture, { method: 'POST', path, body });
      assert.equal(status, 400);
      return String(read(answer, metaMessage('Status')).message);
    };
    assert.match(
      await messageFor(Buffer.from('{"kind":"ConfigMap"}')),
      /^the object provided is unrecognized \(must be of type ConfigMap\): provided data does not appear to be a protobuf message, expected prefix \[107 56 115 0\]/,
    );
    assert.equal(
      await messageFor(envelope({ apiVersion: 'v1', kind: 'ConfigMap' }, [Buffer.from([0x0a, 0x7f])])),
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: unexpected EOF',
    );
    assert.match(
      await messageFor(envelope({ apiVersion: 'v1', kind: 'Pod' }, [])),
      /^Pod in version "v1" cannot be handled as a ConfigMap: /,
    );
  } finally {
    await fixture.close();
  }
});

test('the first form of those accepted that is spoken is chosen', async () => {
  const fixture = await startServer();
  try {
    const typeOf = async (accept: string) => (await ask(fixture, { method: 'GET', path }, { accept })).type;
    assert.equal(await typeOf(`${protobufType}, application/json`), protobufType);
    assert.equal(await typeOf(`application/json, ${protobufType}`), 'application/json');
    assert.equal(await typeOf(`${protobufType};as=Table;g=meta.k8s.io;v=v1, application/json`), 'application/json');
    const none = await ask(fixture, { method: 'GET', path }, { accept: 'text/html' });
    assert.equal(none.status, 406);
    assert.match(none.body.toString(), /application\/json, application\/yaml, application\/vnd\.kubernetes\.protobuf/);
  } finally {
    await fixture.close();
  }
});
