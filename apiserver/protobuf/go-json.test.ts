import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectNode, SchemaNode } from '../schema/node.ts';
import { definitionNode } from '../schema/schema.ts';
import { goFields, plainJson, sortedJson } from './go-json.ts';
import { type Message, messageNames, messageOf } from './message.ts';
import { normalize } from './normal-form.ts';

const bytesOf = (definition: string, object: object) => `{${goFields(messageOf(definition) as Message, object)}}`;
const core = (name: string, object: object) => bytesOf(`io.k8s.api.core.v1.${name}`, object);

test('fields are written as they are declared, and keys of maps sorted', () => {
  const object = {
    data: { b: '2', 10: 'ten', 9: 'nine', 'a-b': '1' },
    immutable: true,
    metadata: { labels: { z: '', a: 'x' }, name: 'c' },
  };
  const metadata = '"metadata":{"name":"c","labels":{"a":"x","z":""}}';
  assert.equal(core('ConfigMap', object), `{${metadata},"immutable":true,"data":{"10":"ten","9":"nine","a-b":"1","b":"2"}}`);
});

test('what is empty is left out, unless it is a pointer that is set or a field that is always written', () => {
  const container = { args: [], tty: false, image: '', name: 'c', env: [{ name: 'E', value: '' }], securityContext: {}, workingDir: '' };
  assert.equal(core('Container', container), '{"name":"c","env":[{"name":"E"}],"resources":{},"securityContext":{}}');
  const bytes = core('PodSpec', { hostNetwork: false, shareProcessNamespace: false, nodeSelector: {}, terminationGracePeriodSeconds: 0 });
  assert.equal(bytes, '{"containers":null,"terminationGracePeriodSeconds":0,"shareProcessNamespace":false}');
});

test('structs by value, lists and times that are always written show that they hold nothing', () => {
  assert.equal(core('Pod', { metadata: { creationTimestamp: null } }), '{"metadata":{},"spec":{"containers":null},"status":{}}');
  assert.equal(
    core('PodCondition', { type: 'Ready', status: 'True' }).slice(-54),
    '"True","lastProbeTime":null,"lastTransitionTime":null}',
  );
  const role = bytesOf('io.k8s.api.rbac.v1.ClusterRole', { rules: [], metadata: { name: 'r' } });
  assert.equal(role, '{"metadata":{"name":"r"},"rules":null}');
  const replicas = bytesOf('io.k8s.api.apps.v1.ReplicaSetStatus', {});
  assert.equal(replicas, '{"replicas":0}');
});

test('fields of embedded structs stand among those of their owner, where it embeds them', () => {
  const volume = { emptyDir: {}, name: 'v' };
  assert.equal(core('Volume', volume), '{"name":"v","emptyDir":{}}');
  const container = { targetContainerName: 't', tty: true, name: 'e' };
  assert.equal(core('EphemeralContainer', container), '{"name":"e","resources":{},"tty":true,"targetContainerName":"t"}');
});

test('raw JSON stays as it was sent, but not in definitions, whose schemas are parsed', () => {
  const revision = bytesOf('io.k8s.api.apps.v1.ControllerRevision', { data: { b: 1, a: [null] }, revision: 1 });
  assert.equal(revision, '{"metadata":{},"data":{"b":1,"a":[null]},"revision":1}');
  assert.equal(bytesOf('io.k8s.api.apps.v1.ControllerRevision', { revision: 0 }), '{"metadata":{},"data":null,"revision":0}');
  const props = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps';
  const schema = {
    properties: { b: { items: { type: 'string' } }, a: { additionalProperties: false } },
    default: { z: 1, y: 2 },
    type: 'object',
  };
  const properties = '{"a":{"additionalProperties":false},"b":{"items":{"type":"string"}}}';
  assert.equal(bytesOf(props, schema), `{"type":"object","default":{"y":2,"z":1},"properties":${properties}}`);
});

test('characters that mean something in HTML are escaped, and keys sorted by their UTF-8', () => {
  assert.equal(
    sortedJson({ '\u{1f600}': 1, '\uffee': '<&>\u2028"\n', b: [{ d: 1, c: undefined }] }),
    '{"b":[{"d":1}],"\uffee":"\\u003c\\u0026\\u003e\\u2028\\"\\n","\u{1f600}":1}',
  );
  assert.equal(plainJson({ b: '>', a: 1.5 }), '{"b":"\\u003e","a":1.5}');
});

/** A value of the field that holds something, or that holds nothing. */
function sample(node: SchemaNode, isFull: boolean, depth: number): unknown {
  if (node.type === 'object') return objectOf(node, isFull, depth);
  if (node.type === 'list') return isFull ? [sample(node.item, depth < 4, depth)] : [];
  if (node.type === 'map') return isFull ? { b: sample(node.value, depth < 4, depth), a: sample(node.value, depth < 4, depth) } : {};
  if (node.type === 'any') return isFull ? { k: 1 } : null;
  switch (node.scalar) {
    case 'boolean':
      return isFull;
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return isFull ? 7 : 0;
    case 'time':
      return '2026-01-01T00:00:00Z';
    case 'microTime':
      return '2026-01-01T00:00:00.000000Z';
    case 'quantity':
      return isFull ? '1Gi' : '0';
    default:
      return isFull ? 'eA==' : '';
  }
}

/** Fields in the order of the schema, which is that of the alphabet. */
function objectOf(node: ObjectNode, isFull: boolean, depth = 0): object {
  if (depth > 5) return {};
  return Object.fromEntries([...node.fields].map(([name, field]) => [name, sample(field, isFull, depth + 1)]));
}

test('every message writes each field of its definition, loses none that is set, and is in normal form once written', () => {
  let checked = 0;
  for (const name of messageNames()) {
    const node = definitionNode(name);
    if (node?.type !== 'object') continue;
    checked++;
    const full = objectOf(node, true) as Record<string, unknown>;
    // What kinds say of themselves is written by whoever knows it.
    for (const type of ['kind', 'apiVersion']) if (!messageOf(name)?.named.has(type)) delete full[type];
    const written = JSON.parse(bytesOf(name, full)) as object;
    assert.deepEqual(Object.keys(written).sort(), Object.keys(full).sort(), name);
    for (const object of [full, objectOf(node, false), {}]) {
      const bytes = bytesOf(name, object);
      assert.equal(bytesOf(name, JSON.parse(bytes) as object), bytes, `${name} is written differently the second time`);
      const normal = structuredClone(object);
      normalize(messageOf(name) as Message, normal);
      assert.equal(bytesOf(name, normal), bytes, `the normal form of ${name} is written differently`);
      const again = structuredClone(normal);
      normalize(messageOf(name) as Message, again);
      assert.deepEqual(again, normal);
    }
  }
  assert.ok(checked > 400, `${checked} messages`);
});
