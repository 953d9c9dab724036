import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ServerFixture, startServer } from '../server-fixture.ts';

let fixture: ServerFixture;
before(async () => {
  fixture = await startServer();
});
after(() => fixture.close());

const configMapsPath = '/api/v1/namespaces/default/configmaps';
const podsPath = '/api/v1/namespaces/default/pods';
const servicesPath = '/api/v1/namespaces/default/services';
const podOf = (name: string) => ({ metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }] } });
const json = { 'content-type': 'application/json' };
const ask = (...all: Parameters<ServerFixture['ask']>) => fixture.ask(...all);

test('the server names what has only a generateName, and answers 201 with what it made of the rest', async () => {
  const { status, json: made } = await ask('POST', configMapsPath, { metadata: { generateName: 'a-', uid: 'mine', generation: 7 } });
  assert.equal(status, 201);
  assert.match(made.metadata.name, /^a-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  assert.notEqual(made.metadata.uid, 'mine');
  assert.equal(made.metadata.creationTimestamp, '2026-01-01T00:00:00Z');
});

test('a name that is taken is AlreadyExists; a resourceVersion on a new object, a missing namespace and a wrong one are refused', async () => {
  await ask('POST', configMapsPath, { metadata: { name: 'taken' } });
  const again = await ask('POST', configMapsPath, { metadata: { name: 'taken' } });
  assert.equal(again.status, 409);
  assert.equal(again.json.message, 'configmaps "taken" already exists');
  const versioned = await ask('POST', configMapsPath, { metadata: { name: 'v', resourceVersion: '1' } });
  assert.equal(versioned.json.message, 'resourceVersion should not be set on objects to be created');
  const nowhere = await ask('POST', '/api/v1/namespaces/nowhere/configmaps', { metadata: { name: 'a' } });
  assert.deepEqual([nowhere.status, nowhere.json.message], [404, 'namespaces "nowhere" not found']);
  const elsewhere = await ask('POST', configMapsPath, { metadata: { name: 'a', namespace: 'other' } });
  assert.equal(elsewhere.json.message, 'the namespace of the provided object does not match the namespace sent on the request');
});

test('a dry run goes through everything and stores nothing', async () => {
  const made = await ask('POST', `${configMapsPath}?dryRun=All`, { metadata: { name: 'dry' } });
  assert.equal(made.status, 201);
  assert.equal(made.json.metadata.resourceVersion, undefined);
  assert.equal((await ask('GET', `${configMapsPath}/dry`)).status, 404);
  const wrong = await ask('POST', `${configMapsPath}?dryRun=Some`, { metadata: { name: 'dry' } });
  assert.equal(wrong.status, 422);
});

test('a body that is too large, no JSON, of another media type or too strange for Strict is refused, and nothing is stored', async () => {
  const large = await ask('POST', configMapsPath, { metadata: { name: 'large' }, data: { x: 'y'.repeat(3 << 20) } });
  assert.deepEqual([large.status, large.json.reason], [413, 'RequestEntityTooLarge']);
  assert.equal(large.json.message, 'Request entity too large: limit is 3145728');
  assert.equal((await ask('POST', configMapsPath, '{"metadata":', json)).status, 400);
  assert.equal((await ask('POST', configMapsPath, 'x', { 'content-type': 'text/plain' })).status, 415);
  const strict = await ask('POST', `${configMapsPath}?fieldValidation=Strict`, { metadata: { name: 'strict' }, nonsense: 1 });
  assert.match(strict.json.message, /strict decoding error: unknown field "nonsense"/);
  const warned = await ask('POST', configMapsPath, { metadata: { name: 'warned' }, nonsense: 1 });
  assert.equal(warned.headers['warning'], '299 - "unknown field \\"nonsense\\""');
  for (const name of ['large', 'strict']) assert.equal((await ask('GET', `${configMapsPath}/${name}`)).status, 404);
});

test('an update keeps what clients may not change, refuses stale versions, and writes nothing when nothing changes', async () => {
  const made = (await ask('POST', configMapsPath, { metadata: { name: 'u' }, data: { a: '1' } })).json;
  const renamed = await ask('PUT', `${configMapsPath}/u`, { ...made, metadata: { ...made.metadata, name: 'w' } });
  assert.equal(renamed.json.message, 'the name of the object (w) does not match the name on the URL (u)');
  const changed = (
    await ask('PUT', `${configMapsPath}/u`, { metadata: { name: 'u', creationTimestamp: '2001-01-01T00:00:00Z' }, data: { a: '2' } })
  ).json;
  assert.equal(changed.metadata.uid, made.metadata.uid);
  assert.equal(changed.metadata.creationTimestamp, made.metadata.creationTimestamp);
  const stale = await ask('PUT', `${configMapsPath}/u`, made);
  assert.equal(stale.status, 409);
  assert.equal(
    stale.json.message,
    'Operation cannot be fulfilled on configmaps "u": the object has been modified; please apply your changes to the latest version and try again',
  );
  const same = (await ask('PUT', `${configMapsPath}/u`, changed)).json;
  assert.equal(same.metadata.resourceVersion, changed.metadata.resourceVersion);
  assert.equal((await ask('PUT', `${configMapsPath}/none`, { metadata: { name: 'none' } })).status, 404);
});

test('each kind of patch changes what it says', async () => {
  await ask('POST', podsPath, podOf('patched'));
  const merge = await ask(
    'PATCH',
    `${podsPath}/patched`,
    { metadata: { labels: { a: '1' } } },
    { 'content-type': 'application/merge-patch+json' },
  );
  assert.deepEqual(merge.json.metadata.labels, { a: '1' });
  const operations = [{ op: 'replace', path: '/metadata/labels/a', value: '2' }];
  const patched = await ask('PATCH', `${podsPath}/patched`, operations, { 'content-type': 'application/json-patch+json' });
  assert.deepEqual(patched.json.metadata.labels, { a: '2' });
  const strategic = { spec: { containers: [{ name: 'c', image: 'other' }] } };
  const merged = await ask('PATCH', `${podsPath}/patched`, strategic, { 'content-type': 'application/strategic-merge-patch+json' });
  assert.equal(merged.json.spec.containers.length, 1);
  assert.equal(merged.json.spec.containers[0].image, 'other');
  assert.equal(merged.json.spec.containers[0].terminationMessagePath, '/dev/termination-log');
  assert.equal((await ask('PATCH', `${podsPath}/patched`, {}, { 'content-type': 'text/x' })).status, 415);
});

test('server-side apply creates, owns what it applies, and meets the fields of others as conflicts', async () => {
  const apply = { 'content-type': 'application/apply-patch+yaml' };
  const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: applied\ndata:\n  a: "1"\n';
  const missing = await ask('PATCH', `${configMapsPath}/applied`, body, apply);
  assert.match(missing.json.message, /fieldManager: Required value: is required for apply patch/);
  const made = await ask('PATCH', `${configMapsPath}/applied?fieldManager=one`, body, apply);
  assert.equal(made.status, 201);
  assert.deepEqual(made.json.metadata.managedFields[0].fieldsV1, { 'f:data': { 'f:a': {} } });
  const again = await ask('PATCH', `${configMapsPath}/applied?fieldManager=one`, body, apply);
  assert.deepEqual([again.status, again.json.metadata.resourceVersion], [200, made.json.metadata.resourceVersion]);
  const conflict = await ask('PATCH', `${configMapsPath}/applied?fieldManager=two`, body.replace('"1"', '"2"'), apply);
  assert.equal(conflict.status, 409);
  assert.match(conflict.json.message, /conflict with "one": \.data\.a/);
  const forced = await ask('PATCH', `${configMapsPath}/applied?fieldManager=two&force=true`, body.replace('"1"', '"2"'), apply);
  assert.equal(forced.json.data.a, '2');
});

test('a deletion waits for finalizers, and checks its preconditions', async () => {
  const made = (await ask('POST', configMapsPath, { metadata: { name: 'held', finalizers: ['x.io/y'] } })).json;
  const refused = await ask('DELETE', `${configMapsPath}/held`, { preconditions: { uid: 'other' } });
  assert.equal(refused.status, 409);
  assert.match(refused.json.message, /the UID in the precondition \(other\) does not match the UID in record/);
  const begun = (await ask('DELETE', `${configMapsPath}/held`)).json;
  assert.equal(begun.kind, 'ConfigMap');
  assert.equal(begun.metadata.deletionTimestamp, '2026-01-01T00:00:00Z');
  assert.equal(begun.metadata.deletionGracePeriodSeconds, 0);
  assert.equal((await ask('GET', `${configMapsPath}/held`)).status, 200);
  const { resourceVersion: _, ...metadata } = begun.metadata;
  await ask('PUT', `${configMapsPath}/held`, { ...made, metadata: { ...metadata, finalizers: [] } });
  assert.equal((await ask('GET', `${configMapsPath}/held`)).status, 404);
});

test('foreground and orphan deletions leave a finalizer for the garbage collector', async () => {
  await ask('POST', configMapsPath, { metadata: { name: 'f' } });
  const foreground = await ask('DELETE', `${configMapsPath}/f?propagationPolicy=Foreground`);
  assert.deepEqual(foreground.json.metadata.finalizers, ['foregroundDeletion']);
  await ask('POST', configMapsPath, { metadata: { name: 'o' } });
  const orphan = await ask('DELETE', `${configMapsPath}/o`, { propagationPolicy: 'Orphan' });
  assert.deepEqual(orphan.json.metadata.finalizers, ['orphan']);
});

test('a bound pod ends gracefully, its grace period only shortens, and zero removes it', async () => {
  await ask('POST', '/api/v1/nodes', { metadata: { name: 'n1' } });
  await ask('POST', podsPath, podOf('bound'));
  const bound = await ask('POST', `${podsPath}/bound/binding`, { metadata: { name: 'bound' }, target: { kind: 'Node', name: 'n1' } });
  assert.equal(bound.status, 201);
  const twice = await ask('POST', `${podsPath}/bound/binding`, { metadata: { name: 'bound' }, target: { kind: 'Node', name: 'n2' } });
  assert.deepEqual([twice.status, twice.json.message.split(': ')[1]], [409, 'pod bound is already assigned to node "n1"']);
  const begun = (await ask('DELETE', `${podsPath}/bound`)).json;
  assert.equal(begun.metadata.deletionGracePeriodSeconds, 30);
  assert.equal(begun.metadata.deletionTimestamp, '2026-01-01T00:00:30Z');
  const longer = (await ask('DELETE', `${podsPath}/bound?gracePeriodSeconds=60`)).json;
  assert.equal(longer.metadata.deletionGracePeriodSeconds, 30);
  const shorter = (await ask('DELETE', `${podsPath}/bound?gracePeriodSeconds=5`)).json;
  assert.equal(shorter.metadata.deletionTimestamp, '2026-01-01T00:00:05Z');
  assert.equal((await ask('DELETE', `${podsPath}/bound?gracePeriodSeconds=0`)).status, 200);
  assert.equal((await ask('GET', `${podsPath}/bound`)).status, 404);
});

test('an unbound pod is removed at once, also by eviction', async () => {
  await ask('POST', podsPath, podOf('loose'));
  assert.equal((await ask('POST', `${podsPath}/loose/eviction`, { metadata: { name: 'loose' } })).status, 201);
  assert.equal((await ask('GET', `${podsPath}/loose`)).status, 404);
});

test('a namespace ends when its finalizers are gone, takes nothing new before, and default stays', async () => {
  await ask('POST', '/api/v1/namespaces', { metadata: { name: 'brief' } });
  const ending = (await ask('DELETE', '/api/v1/namespaces/brief')).json;
  assert.equal(ending.status.phase, 'Terminating');
  const refused = await ask('POST', '/api/v1/namespaces/brief/configmaps', { metadata: { name: 'a' } });
  assert.equal(refused.status, 403);
  assert.match(refused.json.message, /unable to create new content in namespace brief because it is being terminated/);
  assert.equal((await ask('PUT', '/api/v1/namespaces/brief/finalize', { ...ending, spec: {} })).status, 200);
  assert.equal((await ask('GET', '/api/v1/namespaces/brief')).status, 404);
  const immortal = await ask('DELETE', '/api/v1/namespaces/default');
  assert.equal(immortal.json.message, 'namespaces "default" is forbidden: this namespace may not be deleted');
});

test('status is written at its own path and nowhere else', async () => {
  const made = (await ask('POST', '/api/v1/nodes', { metadata: { name: 'n3' }, status: { nodeInfo: {} } })).json;
  const labelled = { ...made, metadata: { name: 'n3', labels: { a: '1' } }, status: { phase: 'Running' } };
  assert.equal((await ask('PUT', '/api/v1/nodes/n3', labelled)).json.status?.phase, undefined);
  const status = { ...made, metadata: { name: 'n3' }, spec: { unschedulable: true }, status: { phase: 'Running' } };
  const written = (await ask('PUT', '/api/v1/nodes/n3/status', status)).json;
  assert.deepEqual([written.status.phase, written.spec?.unschedulable], ['Running', undefined]);
});

test('scale shows and sets replicas of a replication controller', async () => {
  const path = '/api/v1/namespaces/default/replicationcontrollers';
  const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  assert.equal(
    (await ask('POST', path, { metadata: { name: 'rc' }, spec: { replicas: 2, selector: { app: 'a' }, template } })).status,
    201,
  );
  const scale = (await ask('GET', `${path}/rc/scale`)).json;
  assert.deepEqual([scale.kind, scale.spec.replicas, scale.status.selector], ['Scale', 2, 'app=a']);
  assert.equal((await ask('PUT', `${path}/rc/scale`, { ...scale, spec: { replicas: 5 } })).json.spec.replicas, 5);
  const patched = await ask('PATCH', `${path}/rc/scale`, { spec: { replicas: 0 } }, { 'content-type': 'application/merge-patch+json' });
  assert.equal(patched.status, 200);
  assert.equal((await ask('GET', `${path}/rc`)).json.spec.replicas, 0);
  const negative = await ask('PUT', `${path}/rc/scale`, { metadata: { name: 'rc' }, spec: { replicas: -1 } });
  assert.equal(negative.status, 422);
});

test('services get addresses and node ports that no other service has, and give them back', async () => {
  const kubernetes = (await ask('GET', `${servicesPath}/kubernetes`)).json;
  assert.equal(kubernetes.spec.clusterIP, '10.96.0.1');
  const service = (name: string, spec: object = {}) => ({ metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });
  const a = (await ask('POST', servicesPath, service('a', { type: 'NodePort' }))).json;
  assert.match(a.spec.clusterIP, /^10\.(9[6-9]|10\d|11[01])\./);
  assert.deepEqual(a.spec.clusterIPs, [a.spec.clusterIP]);
  assert.deepEqual([a.spec.ipFamilies, a.spec.ipFamilyPolicy], [['IPv4'], 'SingleStack']);
  const nodePort = a.spec.ports[0].nodePort;
  assert.ok(nodePort >= 30000 && nodePort <= 32767);
  const same = await ask('POST', servicesPath, service('b', { clusterIP: a.spec.clusterIP }));
  assert.equal(same.status, 422);
  assert.match(same.json.message, /spec\.clusterIPs: Invalid value: .*: failed to allocate IP .*: provided IP is already allocated$/);
  const samePort = await ask('POST', servicesPath, service('b', { type: 'NodePort', ports: [{ port: 80, nodePort }] }));
  assert.match(samePort.json.message, /spec\.ports\[0\]\.nodePort: Invalid value: \d+: provided port is already allocated$/);
  const outside = await ask('POST', servicesPath, service('b', { clusterIP: '192.168.0.1' }));
  assert.match(outside.json.message, /not in the valid range\. The range of valid IPs is 10\.96\.0\.0\/12$/);
  await ask('DELETE', `${servicesPath}/a`);
  assert.equal((await ask('POST', servicesPath, service('b', { clusterIP: a.spec.clusterIP }))).status, 201);
  const headless = (await ask('POST', servicesPath, service('h', { clusterIP: 'None', selector: { a: 'b' } }))).json;
  assert.equal(headless.spec.clusterIP, 'None');
});

test('a collection is deleted by selector', async () => {
  for (const name of ['x1', 'x2', 'x3'])
    await ask('POST', configMapsPath, { metadata: { name, labels: { set: name === 'x3' ? 'no' : 'yes' } } });
  const { json: deleted } = await ask('DELETE', `${configMapsPath}?labelSelector=set%3Dyes`);
  assert.equal(deleted.items.length, 2);
  assert.equal((await ask('GET', `${configMapsPath}/x1`)).status, 404);
  assert.equal((await ask('GET', `${configMapsPath}/x3`)).status, 200);
});

test('unknown resources, paths and methods answer as Kubernetes does', async () => {
  const unknown = await ask('GET', '/api/v1/nonsense');
  assert.deepEqual([unknown.status, unknown.json.message], [404, 'the server could not find the requested resource']);
  const path = await ask('GET', '/nonsense');
  assert.deepEqual([path.status, path.text], [404, '404 page not found\n']);
  assert.equal((await ask('POST', `${configMapsPath}/x3`, {})).status, 405);
});

test('discovery, OpenAPI, version, health and metrics answer', async () => {
  assert.equal((await ask('GET', '/api')).json.kind, 'APIVersions');
  assert.equal((await ask('GET', '/apis')).json.kind, 'APIGroupList');
  const v1 = (await ask('GET', '/api/v1')).json;
  assert.ok(v1.resources.some((resource: { name: string }) => resource.name === 'pods/log'));
  const aggregated = await ask('GET', '/apis', undefined, {
    accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  });
  assert.equal(aggregated.json.kind, 'APIGroupDiscoveryList');
  assert.ok((await ask('GET', '/openapi/v2')).json.definitions['io.k8s.api.core.v1.Pod']);
  assert.ok((await ask('GET', '/openapi/v3')).json.paths['api/v1']);
  assert.match((await ask('GET', '/version')).json.gitVersion, /^v1\.36\.\d+\+t8s$/);
  const metrics = (await ask('GET', '/metrics')).text;
  assert.match(metrics, /apiserver_request_total\{.*resource="pods".*\} \d+/);
  assert.match(metrics, /apiserver_storage_objects\{resource="namespaces"\} 4/);
});
