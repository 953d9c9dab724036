import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { patched, rule, startWebhooks, type WebhookFixture } from './webhook-fixture.ts';

let server: WebhookFixture;
const pod = '/api/v1/namespaces/default/pods/p';
before(async () => {
  server = await startWebhooks();
  await server.ask('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
  const made = await server.ask('POST', '/api/v1/namespaces/default/pods', {
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  });
  assert.equal(made.status, 201, made.text);
});
after(() => server.close());
beforeEach(() => server.reset());

const watch = (...resources: string[]) => server.register('validating', 'v', [{ name: 'a.example.com', rules: [rule(resources)] }]);
const seen = () =>
  server.asked.map(({ request: { operation, kind, resource, subResource = '', name } }) =>
    [operation, `${kind.group ? `${kind.group}/` : ''}${kind.version} ${kind.kind}`, `${resource.resource}/${subResource}`, name].join(' '),
  );

test('connections are admitted with their options, and only to subresources that the rules name', async () => {
  await watch('pods/*', 'services/proxy', 'nodes/proxy');
  server.replies.set('/a', { response: { allowed: false, status: { message: 'closed', code: 403 } } });
  const exec = await server.ask('GET', `${pod}/exec?container=c&command=sh&command=-c&stdin=true&stdout=1&stderr=false&tty=true`);
  assert.equal(exec.json.message, 'admission webhook "a.example.com" denied the request: closed');
  assert.deepEqual(server.asked[0]?.request.object, {
    kind: 'PodExecOptions',
    apiVersion: 'v1',
    stdin: true,
    stdout: true,
    tty: true,
    container: 'c',
    command: ['sh', '-c'],
  });
  assert.equal(server.asked[0]?.request.oldObject, null);
  for (const path of ['attach?stdin=1', 'portforward?ports=80', 'proxy/a/b?x=y'])
    assert.equal((await server.ask('GET', `${pod}/${path}`)).status, 403);
  assert.deepEqual(server.asked[2]?.request.object.ports, [80]);
  assert.equal(server.asked[3]?.request.object.path, '/a/b');
  await server.ask('PUT', '/api/v1/namespaces/default/services/https:s:443/proxy/');
  await server.ask('GET', '/api/v1/nodes/n/proxy/metrics');
  assert.deepEqual(seen(), [
    'CONNECT v1 PodExecOptions pods/exec p',
    'CONNECT v1 PodAttachOptions pods/attach p',
    'CONNECT v1 PodPortForwardOptions pods/portforward p',
    'CONNECT v1 PodProxyOptions pods/proxy p',
    'CONNECT v1 ServiceProxyOptions services/proxy https:s:443',
    'CONNECT v1 NodeProxyOptions nodes/proxy n',
  ]);
  const dry = await server.ask('GET', `${pod}/exec?dryRun=All`);
  assert.deepEqual([dry.status, dry.json.message], [400, 'dryRun is not supported']);
  await server.ask('GET', `${pod}/log`);
  assert.equal(server.asked.length, 6, 'reading a log is no connection');
});

test('what is posted to a subresource is admitted as what it is, and what comes of it is not admitted again', async () => {
  await watch('pods', 'pods/*', 'bindings', 'serviceaccounts/token', 'subjectaccessreviews');
  const binding = { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } };
  assert.equal((await server.ask('POST', `${pod}/binding`, binding)).status, 201);
  assert.equal(server.asked[0]?.request.object.target.name, 'n');
  await server.ask('POST', '/api/v1/namespaces/default/bindings', binding);
  const review = { spec: { user: 'u', resourceAttributes: { verb: 'get', resource: 'pods' } } };
  assert.equal((await server.ask('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review)).status, 201);
  const evicted = await server.ask('POST', `${pod}/eviction?dryRun=All`, { metadata: { name: 'p' } });
  assert.equal(evicted.status, 201, evicted.text);
  assert.deepEqual(seen(), [
    'CREATE v1 Binding pods/binding p',
    'CREATE v1 Binding bindings/ p',
    'CREATE authorization.k8s.io/v1 SubjectAccessReview subjectaccessreviews/ ',
    'CREATE policy/v1 Eviction pods/eviction p',
  ]);
  assert.equal(server.asked[3]?.request.dryRun, true);
  server.replies.set('/a', { response: { allowed: false } });
  assert.equal((await server.ask('POST', `${pod}/eviction`, { metadata: { name: 'p' } })).status, 400);
  assert.equal((await server.ask('GET', pod)).json.metadata.deletionTimestamp, undefined);
});

test('a scale is admitted as a Scale, and what is changed there is scaled', async () => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const spec = { replicas: 1, selector: { matchLabels: { a: 'b' } }, template };
  const path = '/apis/apps/v1/namespaces/default/deployments';
  assert.equal((await server.ask('POST', path, { metadata: { name: 'd' }, spec })).status, 201);
  server.replies.set('/m', patched({ op: 'replace', path: '/spec/replicas', value: 5 }));
  await server.register('mutating', 'm', [{ name: 'm.example.com', rules: [rule(['deployments/scale'])] }]);
  await watch('deployments/scale', 'deployments/status', 'namespaces/finalize');
  const merge = { 'content-type': 'application/merge-patch+json' };
  const scaled = await server.ask('PATCH', `${path}/d/scale`, { spec: { replicas: 2 } }, merge);
  assert.equal(scaled.json.spec.replicas, 5, scaled.text);
  assert.equal((await server.ask('GET', `${path}/d`)).json.spec.replicas, 5);
  const [asked, validated] = server.asked.map(({ request }) => request);
  assert.deepEqual([asked.oldObject.spec.replicas, asked.object.spec.replicas, validated.object.spec.replicas], [1, 2, 5]);
  await server.ask('PATCH', `${path}/d/status`, { status: { replicas: 1 } }, merge);
  const { json } = await server.ask('GET', '/api/v1/namespaces/default');
  await server.ask('PUT', '/api/v1/namespaces/default/finalize', json);
  assert.deepEqual(seen(), [
    'UPDATE autoscaling/v1 Scale deployments/scale d',
    'UPDATE autoscaling/v1 Scale deployments/scale d',
    'UPDATE apps/v1 Deployment deployments/status d',
    'UPDATE v1 Namespace namespaces/finalize default',
  ]);
});
