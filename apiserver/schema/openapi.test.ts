import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases, pods } from '../../api/core.ts';
import { defineKind } from '../../api/kind.ts';
import { type ResourceDeclaration, serve } from '../resources/resource.ts';
import { OpenApiDocuments } from './openapi-documents.ts';
import { groupWord, operationsOf } from './operations.ts';
import { compiledModels } from './schema.ts';

const cronTabs = defineKind({ group: 'stable.example.com', version: 'v1beta1', kind: 'CronTab', plural: 'crontabs' });
const declarations = [
  serve(pods, {
    validate: () => [],
    columns: [],
    returnsDeletedObject: true,
    status: {},
    subresources: {
      eviction: { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'], handler: 'eviction' },
      exec: { kind: 'PodExecOptions', verbs: ['create', 'get'], handler: 'exec' },
      log: { kind: 'Pod', verbs: ['get'], handler: 'log' },
      proxy: { kind: 'PodProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'], handler: 'proxy' },
    },
  }),
  serve(leases, { validate: () => [], columns: [] }),
  serve(cronTabs, {
    validate: () => [],
    columns: [],
    isCustom: true,
    scale: { specReplicas: () => 0, setReplicas() {}, statusReplicas: () => 0, selector: () => '' },
  }),
] as ResourceDeclaration[];

/** As much of a document as these tests look at. */
interface Document {
  paths: Record<string, Record<string, { operationId?: string; 'x-kubernetes-action'?: string; parameters?: { name: string }[] }>>;
  definitions: Record<string, { description?: string; properties?: object }>;
  components: { schemas: Record<string, object> };
}
const crontabSchema = { type: 'object', properties: { spec: { type: 'object' } } };
const documents = () =>
  new OpenApiDocuments(declarations, {
    version: 'v1.36.0',
    customSchema: (kind) => (kind === (cronTabs as typeof kind) ? crontabSchema : undefined),
  });
const parse = (bytes: Uint8Array | undefined) => JSON.parse(Buffer.from(bytes ?? assert.fail('no document')).toString()) as Document;

test('operations carry the paths, methods and ids that Kubernetes publishes', () => {
  const ids = new Map(operationsOf(declarations).map((o) => [`${o.method} ${o.path}`, o.operationId]));
  const expected = {
    'get /api/v1/': 'getCoreV1APIResources',
    'get /api/v1/pods': 'listCoreV1PodForAllNamespaces',
    'get /api/v1/namespaces/{namespace}/pods': 'listCoreV1NamespacedPod',
    'delete /api/v1/namespaces/{namespace}/pods': 'deleteCoreV1CollectionNamespacedPod',
    'patch /api/v1/namespaces/{namespace}/pods/{name}': 'patchCoreV1NamespacedPod',
    'put /api/v1/namespaces/{namespace}/pods/{name}/status': 'replaceCoreV1NamespacedPodStatus',
    'post /api/v1/namespaces/{namespace}/pods/{name}/eviction': 'createCoreV1NamespacedPodEviction',
    'get /api/v1/namespaces/{namespace}/pods/{name}/exec': 'connectCoreV1GetNamespacedPodExec',
    'get /api/v1/namespaces/{namespace}/pods/{name}/log': 'readCoreV1NamespacedPodLog',
    'head /api/v1/namespaces/{namespace}/pods/{name}/proxy': 'connectCoreV1HeadNamespacedPodProxy',
    'put /api/v1/namespaces/{namespace}/pods/{name}/proxy/{path}': 'connectCoreV1PutNamespacedPodProxyWithPath',
    'post /apis/coordination.k8s.io/v1/namespaces/{namespace}/leases': 'createCoordinationV1NamespacedLease',
    'get /apis/stable.example.com/v1beta1/namespaces/{namespace}/crontabs/{name}/scale':
      'readStableExampleComV1beta1NamespacedCronTabScale',
  };
  for (const [operation, id] of Object.entries(expected)) assert.equal(ids.get(operation), id, operation);
  assert.equal(groupWord('flowcontrol.apiserver.k8s.io'), 'FlowcontrolApiserver');
});

test('version 2 has every built-in definition with its description, and custom kinds with their lists', () => {
  const { definitions, paths } = parse(documents().v2Json().bytes);
  assert.deepEqual(
    compiledModels().names.filter((name) => !(name in definitions)),
    [],
  );
  assert.match(definitions['io.k8s.api.core.v1.Pod']?.description ?? '', /^Pod is a collection of containers/);
  assert.ok(definitions['com.example.stable.v1beta1.CronTab'] && definitions['com.example.stable.v1beta1.CronTabList']);
  const patch = paths['/api/v1/namespaces/{namespace}/pods/{name}']?.['patch'];
  assert.equal(patch?.['x-kubernetes-action'], 'patch');
  assert.ok(patch.parameters?.some(({ name }) => name === 'dryRun'));
});

test('a version 3 document has all its references within itself, and no more than it needs', () => {
  for (const path of ['api/v1', 'apis/coordination.k8s.io/v1', 'apis/stable.example.com/v1beta1']) {
    const { bytes } = documents().v3(path) ?? assert.fail(path);
    const { components } = parse(bytes);
    const references = [
      ...Buffer.from(bytes)
        .toString()
        .matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g),
    ].map((match) => match[1]!);
    assert.deepEqual(
      references.filter((name) => !(name in components.schemas)),
      [],
    );
    assert.equal('io.k8s.api.core.v1.PodSpec' in components.schemas, path === 'api/v1');
  }
  assert.equal(documents().v3('apis/nothing/v1'), undefined);
});

test('the index names a hash for each document, which changes with what the document is made from', () => {
  const index = (docs: OpenApiDocuments) =>
    JSON.parse(Buffer.from(docs.v3Index().bytes).toString()) as { paths: Record<string, { serverRelativeURL: string }> };
  const before = index(documents()).paths;
  const after = index(new OpenApiDocuments(declarations.slice(1), { version: 'v1.36.0' })).paths;
  const path = 'apis/coordination.k8s.io/v1';
  assert.match(before[path]?.serverRelativeURL ?? '', /^\/openapi\/v3\/apis\/coordination\.k8s\.io\/v1\?hash=[0-9A-F]{128}$/);
  assert.deepEqual(before[path], after[path]);
  assert.notDeepEqual(before['apis/stable.example.com/v1beta1'], after['apis/stable.example.com/v1beta1']);
  const hash = before[path]?.serverRelativeURL.split('=')[1];
  assert.equal(documents().v3(path)?.etag, `"${hash}"`);
});

/** The fields of a protobuf message: number -> values, where a value is bytes or a number. */
function fieldsOf(bytes: Uint8Array): Map<number, (Uint8Array | number)[]> {
  const fields = new Map<number, (Uint8Array | number)[]>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? assert.fail('ends within a number');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const length = varint();
    const isBytes = (tag & 7) === 2;
    const value = isBytes ? bytes.subarray(at, at + length) : length;
    if (isBytes) at += length;
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  assert.equal(at, bytes.length);
  return fields;
}
const sub = (bytes: Uint8Array, number: number) => (fieldsOf(bytes).get(number) ?? []).filter((value) => typeof value !== 'number');
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? assert.fail('no such field')).toString();

test('the protobuf form holds the same definitions and paths under gnostic field numbers', () => {
  const json = parse(documents().v2Json().bytes);
  const { bytes } = documents().v2Protobuf();
  assert.equal(text(sub(bytes, 1)[0]), '2.0');
  const definitions = new Map(sub(sub(bytes, 9)[0]!, 1).map((pair) => [text(sub(pair, 1)[0]), sub(pair, 2)[0]!]));
  assert.deepEqual([...definitions.keys()], Object.keys(json.definitions));
  const podProperties = sub(sub(definitions.get('io.k8s.api.core.v1.Pod')!, 25)[0]!, 1).map((pair) => text(sub(pair, 1)[0]));
  assert.deepEqual(podProperties, Object.keys(json.definitions['io.k8s.api.core.v1.Pod']?.properties ?? {}));
  const extension = sub(definitions.get('io.k8s.api.core.v1.Pod')!, 31)[0]!;
  assert.equal(text(sub(extension, 1)[0]), 'x-kubernetes-group-version-kind');
  assert.deepEqual(JSON.parse(text(sub(sub(extension, 2)[0]!, 2)[0])), [{ group: '', kind: 'Pod', version: 'v1' }]);
  const paths = sub(sub(bytes, 8)[0]!, 2).map((pair) => text(sub(pair, 1)[0]));
  assert.deepEqual(paths, Object.keys(json.paths));
});
