import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { parseJson, stringifyJson } from '../../api/json.ts';
import { formatQuantity, parseQuantity } from '../../api/quantity.ts';
import { allResources } from '../resources/all.ts';
import { checkBody, DecodeError } from '../schema/check.ts';
import type { ObjectNode, ScalarNode, SchemaNode } from '../schema/node.ts';
import { builtInName, schemaOf } from '../schema/schema.ts';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import { envelope, unwrap } from './envelope.ts';
import { type Field, type Message, messageNames, messageOf } from './message.ts';

type Json = Record<string, unknown>;

const kinds = allResources
  .filter((declaration) => !declaration.isCustom)
  .map(({ kind }) => {
    const definition = builtInName(kind.group, kind.version, kind.kind) ?? '';
    return {
      title: `${kind.group}/${kind.version} ${kind.kind}`,
      message: messageOf(definition),
      schema: schemaOf(kind.group, kind.version, kind.kind),
    };
  });

const text = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' });
const moment = fc
  .integer({ min: -62_000_000_000, max: 253_402_300_799 })
  .map((seconds) => new Date(seconds * 1000).toISOString().slice(0, 19));
const count = (max: number) => fc.oneof(fc.integer({ min: 1, max }), fc.integer({ min: -max, max: -1 }));
const anyJson = fc.dictionary(text, fc.jsonValue({ maxDepth: 2 }), { minKeys: 1, maxKeys: 3 });

function scalarOf({ scalar }: ScalarNode): fc.Arbitrary<unknown> {
  if (scalar === 'string') return text;
  if (scalar === 'boolean') return fc.constant(true);
  if (scalar === 'int32') return count(2 ** 31 - 1);
  if (scalar === 'int64') return count(Number.MAX_SAFE_INTEGER);
  if (scalar === 'double') return fc.double({ noNaN: true, noDefaultInfinity: true, min: 0.001 });
  if (scalar === 'byte') return fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64'));
  if (scalar === 'quantity') return fc.integer({ min: 1, max: 10 ** 9 }).map((n) => formatQuantity(parseQuantity(`${n}m`)));
  if (scalar === 'time') return moment.map((seconds) => `${seconds}Z`);
  if (scalar === 'microTime') {
    return fc.tuple(moment, fc.nat(999_999)).map(([seconds, micros]) => `${seconds}.${String(micros).padStart(6, '0')}Z`);
  }
  return fc.oneof(count(2 ** 31 - 1), text);
}

/** Objects of a node; what is there is never empty or zero, which protobuf does not tell from nothing. */
function objectOf(node: SchemaNode, depth: number): fc.Arbitrary<unknown> {
  switch (node.type) {
    case 'scalar':
      return scalarOf(node);
    case 'list':
      return fc.array(objectOf(node.item, depth), { minLength: 1, maxLength: 2 });
    case 'map':
      return fc.dictionary(text, objectOf(node.value, depth), { minKeys: 1, maxKeys: 2 });
    case 'any':
      return anyNode(node.goType);
    case 'object': {
      const fields = [...node.fields].filter(([name]) => (name !== 'apiVersion' && name !== 'kind') || !isRoot(node));
      // Schemas hold schemas, volumes a hundred others: deep down only a few fields are there.
      const share = depth > 4 ? 0 : depth > 2 ? 3 : 8;
      return fc
        .shuffledSubarray(fields, { maxLength: Math.min(share, fields.length) })
        .chain((some) => fc.record(Object.fromEntries(some.map(([name, field]) => [name, objectOf(field, depth + 1)]))));
    }
  }
}

const isRoot = (node: ObjectNode) => node.fields.has('apiVersion') && node.fields.has('kind') && node.fields.has('metadata');

/** The schema's own few shapes in apiextensions, and any JSON elsewhere. */
function anyNode(goType: string): fc.Arbitrary<unknown> {
  if (goType.endsWith('JSONSchemaPropsOrBool')) return fc.oneof(fc.boolean(), fc.constant({ type: 'string' }));
  if (goType.endsWith('JSONSchemaPropsOrArray')) return fc.constantFrom({ type: 'string' }, [{ type: 'string' }, { format: 'x' }]);
  if (goType.endsWith('JSONSchemaPropsOrStringArray')) return fc.constantFrom({ type: 'string' }, ['a', 'b']);
  return anyJson;
}

const seedOf = () => Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const plain = (value: unknown) => parseJson(stringifyJson(value)) as Json;

test('every kind that is served has a message, and a field in it for each of its own', () => {
  const missing: string[] = [];
  const seen = new Set<string>();
  const fieldsOf = (message: Message): Map<string, Field> => {
    const all = new Map(message.named);
    for (const inner of message.inlined) for (const [name, field] of fieldsOf(inner.message as Message)) all.set(name, field);
    return all;
  };
  const visit = (node: SchemaNode, message: Message | undefined, path: string): void => {
    if (node.type === 'list') visit(node.item, message, path);
    else if (node.type === 'map') visit(node.value, message, path);
    if (node.type !== 'object' || !message || seen.has(node.name)) return;
    seen.add(node.name);
    const fields = fieldsOf(message);
    for (const [name, inner] of node.fields) {
      if (isRoot(node) && (name === 'apiVersion' || name === 'kind')) continue;
      const field = fields.get(name);
      if (!field) missing.push(`${node.name}.${name}`);
      else visit(inner, field.message, `${path}.${name}`);
    }
  };
  for (const { title, message, schema } of kinds) {
    assert.ok(message && schema, `${title} has no message`);
    visit(schema, message, title);
  }
  assert.deepEqual(missing, []);
  assert.ok(seen.size > 200);
});

test('an object of any kind is the same after protobuf as before', (t) => {
  const seed = seedOf();
  t.diagnostic(`seed ${seed}`);
  for (const { title, message, schema } of kinds) {
    const property = fc.property(objectOf(schema as ObjectNode, 0), (value) => {
      const object = plain(value);
      checkBody(object, schema as ObjectNode);
      const before = plain(object);
      const after = decodeMessage(message as Message, encodeMessage(message as Message, object));
      assert.deepEqual(plain(after), before, title);
    });
    fc.assert(property, { seed, numRuns: 40 });
  }
});

test('another decoder reads in our bytes what we have written', (t) => {
  const seed = seedOf();
  t.diagnostic(`seed ${seed}`);
  const other = otherDecoder();
  for (const { title, message, schema } of kinds) {
    const name = messageNames().find((candidate) => messageOf(candidate) === message) as string;
    const type = other.lookupType(name.replaceAll('-', '_'));
    const property = fc.property(objectOf(schema as ObjectNode, 0), (value) => {
      const object = plain(value);
      checkBody(object, schema as ObjectNode);
      const bytes = encodeMessage(message as Message, object);
      const read = type.decode(bytes);
      assert.equal(type.verify(read), null, title);
      // What it writes of that, we read as the same object.
      const again = decodeMessage(message as Message, type.encode(read).finish());
      assert.deepEqual(plain(again), plain(object), title);
    });
    fc.assert(property, { seed, numRuns: 10 });
  }
});

/** The table as protobufjs types. */
function otherDecoder(): protobuf.Root {
  const root = new protobuf.Root();
  const special = root.define('special');
  const add = (name: string, fields: [string, number, string, string?][]) => {
    const type = new protobuf.Type(name);
    for (const [field, id, kind, rule] of fields) type.add(new protobuf.Field(field, id, kind, rule));
    special.add(type);
  };
  add('quantity', [['string', 1, 'string']]);
  for (const name of ['time', 'microTime']) {
    add(name, [
      ['seconds', 1, 'int64'],
      ['nanos', 2, 'int32'],
    ]);
  }
  add('intOrString', [
    ['type', 1, 'int64'],
    ['intVal', 2, 'int32'],
    ['strVal', 3, 'string'],
  ]);
  add('json', [['raw', 1, 'bytes']]);
  add('strings', [['items', 1, 'string', 'repeated']]);
  const schema = '.io.k8s.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps';
  add('schemaOrBool', [
    ['allows', 1, 'bool'],
    ['schema', 2, schema],
  ]);
  add('schemaOrArray', [
    ['schema', 1, schema],
    ['jSONSchemas', 2, schema, 'repeated'],
  ]);
  add('schemaOrStrings', [
    ['schema', 1, schema],
    ['property', 2, 'string', 'repeated'],
  ]);
  const names = new Map(messageNames().map((name) => [messageOf(name), `.${name.replaceAll('-', '_')}`]));
  for (const [message, name] of names) {
    if (!message) continue;
    const at = name.lastIndexOf('.');
    const type = new protobuf.Type(name.slice(at + 1));
    for (const field of message.numbered) {
      if (!field) continue;
      const scalar = { string: 'string', int: 'int64', bool: 'bool', double: 'double', bytes: 'bytes' }[field.type as string];
      const typeName = scalar ?? (field.type === 'message' ? names.get(field.message) : `.special.${field.type}`) ?? '';
      const fieldName = `f${field.number}`;
      if (field.repeats === '{}') type.add(new protobuf.MapField(fieldName, field.number, 'string', typeName));
      else
        type.add(
          new protobuf.Field(fieldName, field.number, typeName, field.repeats === '[]' ? 'repeated' : undefined, undefined, {
            packed: false,
          }),
        );
    }
    root.define(name.slice(1, at)).add(type);
  }
  root.resolveAll();
  return root;
}

test('a pod is written as the bytes that its .proto file calls for', () => {
  const pod = {
    metadata: { name: 'web', labels: { app: 'a' }, creationTimestamp: '2024-01-02T03:04:05Z' },
    spec: { containers: [{ name: 'c', ports: [{ containerPort: 80 }] }], volumes: [{ name: 'v', emptyDir: {} }] },
  };
  const message = messageOf('io.k8s.api.core.v1.Pod') as Message;
  const bytes = envelope({ apiVersion: 'v1', kind: 'Pod' }, [encodeMessage(message, pod)]);
  const expected = [
    '6b387300', // k8s\0
    '0a09 0a027631 1203506f64', // typeMeta: v1, Pod
    '122f', // raw
    '0a19 0a03776562 5a08 0a0361707012 0161 4208 08a5facdac06 1000', // metadata: name, labels, creationTimestamp
    '1212', // spec
    '1207 0a0163 3202 1850', // containers: name, ports
    '0a07 0a0176 1202 1200', // volumes: name, and volumeSource with emptyDir
    '1a00 2200', // contentEncoding and contentType
  ];
  assert.equal(bytes.toString('hex'), expected.join('').replaceAll(' ', ''));
  assert.deepEqual(decodeMessage(message, unwrap(bytes).raw), pod);
});

test('a zero that Go always writes is nothing, and one behind a pointer is kept', () => {
  const message = messageOf('io.k8s.api.core.v1.Pod') as Message;
  const written = {
    spec: {
      hostNetwork: false,
      nodeName: '',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      containers: [{ name: '' }],
    },
  };
  const read = decodeMessage(message, encodeMessage(message, written));
  assert.deepEqual(read, {
    spec: { terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, containers: [{ name: '' }] },
  });
});

test('mutated bytes are an object or refused, and nothing else', (t) => {
  const seed = seedOf();
  t.diagnostic(`seed ${seed}`);
  const message = messageOf('io.k8s.api.core.v1.Pod') as Message;
  const schema = schemaOf('', 'v1', 'Pod') as ObjectNode;
  const change = fc.record({ at: fc.nat(), to: fc.nat(255), drop: fc.nat(3) });
  const property = fc.property(objectOf(schema, 0), fc.array(change, { minLength: 1, maxLength: 8 }), (value, changes) => {
    const bytes = envelope({ apiVersion: 'v1', kind: 'Pod' }, [encodeMessage(message, value as object)]);
    let mutated: Buffer = bytes;
    for (const { at, to, drop } of changes) {
      if (mutated.length === 0) break;
      const place = at % mutated.length;
      mutated[place] = to;
      if (drop) mutated = Buffer.concat([mutated.subarray(0, place), mutated.subarray(place + drop)]);
    }
    try {
      const { raw } = unwrap(mutated);
      assert.equal(typeof decodeMessage(message, raw), 'object');
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  });
  fc.assert(property, { seed, numRuns: 10_000 });
});

test('messages within messages without end are refused', () => {
  const message = messageOf('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps') as Message;
  let bytes: Buffer = Buffer.alloc(0);
  for (let i = 0; i < 3000; i++) {
    const head = new protobuf.Writer()
      .uint32(28 * 8 + 2)
      .bytes(bytes)
      .finish();
    bytes = Buffer.from(head);
  }
  assert.throws(() => decodeMessage(message, bytes), DecodeError);
});
