import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { configurations, patched, rule, startWebhooks, type WebhookFixture } from './webhook-fixture.ts';

let server: WebhookFixture;
before(async () => {
  server = await startWebhooks();
});
after(() => server.close());
beforeEach(() => server.reset());

const maps = [rule(['configmaps'])];
const create = (name: string, metadata: object = {}, query = '') =>
  server.ask('POST', `/api/v1/namespaces/default/configmaps${query}`, { metadata: { name, ...metadata }, data: { a: 'b' } });
const paths = () => server.asked.map(({ path }) => path).join(' ');
const failure = (why: string) => `Internal error occurred: failed calling webhook "a.example.com": ${why}`;

test('mutating webhooks are asked by name of configuration and by position, and again if needed once others have changed the object', async () => {
  await server.register('mutating', 'z', [{ name: 'last.example.com', rules: maps }]);
  await server.register('mutating', 'b', [
    { name: 'again.example.com', rules: maps, reinvocationPolicy: 'IfNeeded' },
    { name: 'second.example.com', rules: maps },
  ]);
  server.replies.set('/last', patched({ op: 'add', path: '/data/last', value: 'x' }));
  const made = await create('ordered');
  assert.equal(made.status, 201, made.text);
  assert.equal(paths(), '/again /second /last /again');
  assert.deepEqual(made.json.data, { a: 'b', last: 'x' });
  assert.deepEqual(server.asked.at(-1)?.request.object.data, { a: 'b', last: 'x' });
  const note = (webhook: string, configuration: string, mutated: boolean) => JSON.stringify({ configuration, webhook, mutated });
  assert.equal(server.annotations()['mutation.webhook.admission.k8s.io/round_0_index_2'], note('last.example.com', 'z', true));
  assert.equal(server.annotations()['mutation.webhook.admission.k8s.io/round_1_index_0'], note('again.example.com', 'b', false));
  const patch = JSON.parse(server.annotations()['patch.webhook.admission.k8s.io/round_0_index_2'] ?? '');
  assert.deepEqual(patch.patch, [{ op: 'add', path: '/data/last', value: 'x' }]);
});

test('validating webhooks are asked all at once, about what has been made of the object', async () => {
  let release = () => {};
  const both = new Promise<void>((resolve) => (release = resolve));
  const whenBoth = async () => {
    if (server.asked.filter(({ path }) => path === '/v' || path === '/w').length === 2) release();
    await both;
    return { response: { allowed: true, auditAnnotations: { seen: 'yes' } } };
  };
  server.replies
    .set('/v', whenBoth)
    .set('/w', whenBoth)
    .set('/m', patched({ op: 'add', path: '/data/m', value: '1' }));
  await server.register('validating', 'v', [
    { name: 'v.example.com', rules: maps },
    { name: 'w.example.com', rules: maps },
  ]);
  await server.register('mutating', 'm', [{ name: 'm.example.com', rules: maps }]);
  const made = await create('at-once-', { name: undefined, generateName: 'at-once-' });
  assert.equal(made.status, 201, made.text);
  const [mutating, validating] = server.asked.map(({ request }) => request);
  assert.equal(mutating.name, undefined, 'there is no name yet');
  assert.equal(mutating.object.metadata.uid, undefined);
  assert.equal(validating.name, made.json.metadata.name);
  assert.deepEqual(validating.object.data, { a: 'b', m: '1' });
  assert.equal(server.annotations()['v.example.com/seen'], 'yes');
});

test('a request says everything about itself', async () => {
  await server.register('validating', 'v', [{ name: 'a.example.com', rules: maps }]);
  await create('whole', {}, '?fieldManager=me&dryRun=All');
  const { request, apiVersion } = server.asked[0] as (typeof server.asked)[0];
  const { uid, object, ...rest } = request;
  assert.equal(apiVersion, 'admission.k8s.io/v1');
  assert.match(uid, /^[0-9a-f-]{36}$/);
  assert.equal(object.metadata.name, 'whole');
  assert.deepEqual(rest, {
    kind: { group: '', version: 'v1', kind: 'ConfigMap' },
    resource: { group: '', version: 'v1', resource: 'configmaps' },
    requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
    requestResource: { group: '', version: 'v1', resource: 'configmaps' },
    name: 'whole',
    namespace: 'default',
    operation: 'CREATE',
    userInfo: { username: 'root', groups: ['system:masters', 'system:authenticated'] },
    oldObject: null,
    dryRun: true,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', dryRun: ['All'], fieldManager: 'me' },
  });
  await create('whole');
  const merge = { 'content-type': 'application/merge-patch+json' };
  await server.ask('PATCH', '/api/v1/namespaces/default/configmaps/whole', { data: { a: 'c' } }, merge);
  const changed = server.asked.at(-1)?.request;
  assert.deepEqual(
    [changed.operation, changed.options.kind, changed.oldObject.data.a, changed.object.data.a],
    ['UPDATE', 'UpdateOptions', 'b', 'c'],
  );
  await server.ask('DELETE', '/api/v1/namespaces/default/configmaps/whole?gracePeriodSeconds=3');
  const deleted = server.asked.at(-1)?.request;
  assert.deepEqual([deleted.operation, deleted.object, deleted.oldObject.data.a], ['DELETE', null, 'c']);
  assert.deepEqual(deleted.options, { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1', gracePeriodSeconds: 3 });
  await create('of-many', { labels: { many: 'yes' } });
  await server.ask('DELETE', '/api/v1/namespaces/default/configmaps?labelSelector=many');
  const ofMany = server.asked.at(-1)?.request;
  assert.deepEqual([ofMany.operation, ofMany.name, ofMany.oldObject.metadata.name], ['DELETE', undefined, 'of-many']);
});

test('denials are in the words, with the reason and code, that the webhook gives', async () => {
  await server.register('validating', 'v', [{ name: 'a.example.com', rules: maps }]);
  const denied = async (status: object | undefined) => {
    server.replies.set('/a', { response: { allowed: false, ...(status ? { status } : {}) } });
    const { json } = await create('denied');
    return [json.code, json.reason, json.message, json.details];
  };
  const head = 'admission webhook "a.example.com" denied the request';
  assert.deepEqual(await denied(undefined), [400, undefined, `${head} without explanation`, undefined]);
  assert.deepEqual(await denied({ reason: 'Forbidden', code: 403 }), [403, 'Forbidden', `${head}: Forbidden`, undefined]);
  const details = { causes: [{ field: 'data', message: 'too much' }] };
  assert.deepEqual(await denied({ message: 'no', code: 422, reason: 'Invalid', details }), [422, 'Invalid', `${head}: no`, details]);
  assert.deepEqual(await denied({ message: 'fine?', code: 200 }), [400, undefined, `${head}: fine?`, undefined]);
});

test('what a webhook gets wrong is said as Kubernetes says it, or passed over', async () => {
  const check = async (sort: 'mutating' | 'validating', reply: Parameters<typeof server.replies.set>[1], why: string | RegExp) => {
    server.replies.set('/a', reply);
    await server.register(sort, 'strict', [{ name: 'a.example.com', rules: maps }]);
    const { status, json } = await create('wrong', {}, '?dryRun=All');
    assert.equal(status, 500);
    assert.equal(json.reason, 'InternalError');
    if (typeof why === 'string') assert.equal(json.message, failure(why));
    else assert.match(json.message, why);
    await server.ask('DELETE', `${configurations}/${sort}webhookconfigurations/strict`);
    await server.register(sort, 'lax', [{ name: 'a.example.com', rules: maps, failurePolicy: 'Ignore' }]);
    assert.equal((await create('wrong', {}, '?dryRun=All')).status, 201);
    const at = sort === 'mutating' ? 'mutation' : 'validating';
    assert.equal(server.annotations()[`failed-open.${at}.webhook.admission.k8s.io/round_0_index_0`], 'a.example.com');
    await server.ask('DELETE', `${configurations}/${sort}webhookconfigurations/lax`);
  };
  const called = 'failed to call webhook: ';
  const invalid = 'received invalid webhook response: ';
  const v1 = { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1' };
  await check(
    'validating',
    { status: 500, text: 'boom' },
    `${called}an error on the server ("boom") has prevented the request from succeeding`,
  );
  await check('validating', { status: 404 }, `${called}the server could not find the requested resource`);
  await check('validating', { status: 302 }, `${called}the server responded with the status code 302 but did not return more information`);
  await check('validating', { answer: v1 }, `${invalid}webhook response was absent`);
  await check(
    'validating',
    { answer: { ...v1, response: { uid: 'x', allowed: true } } },
    /invalid webhook response: expected response.uid="[0-9a-f-]+", got "x"$/,
  );
  await check(
    'validating',
    ({ request }) => ({ answer: { response: { uid: request.uid, allowed: true } } }),
    `${invalid}expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind=`,
  );
  await check(
    'validating',
    ({ request }) => ({ answer: { ...v1, apiVersion: 'admission.k8s.io/v1beta1', response: { uid: request.uid } } }),
    `${called}converting (v1beta1.AdmissionReview) to (v1.AdmissionReview): unknown conversion`,
  );
  await check(
    'validating',
    { response: { allowed: 'yes' } },
    `${called}json: cannot unmarshal string into Go struct field AdmissionResponse.response.allowed of type bool`,
  );
  await check('validating', { response: { allowed: true, patch: 'W10=' } }, `${invalid}validating webhook may not return response.patch`);
  await check(
    'mutating',
    { response: { allowed: true, patch: 'W10=' } },
    `${invalid}webhook returned response.patch but not response.patchType`,
  );
  await check(
    'mutating',
    { response: { allowed: true, patchType: 'JSONPatch' } },
    `${invalid}webhook returned response.patchType but not response.patch`,
  );
  await check(
    'mutating',
    { response: { allowed: true, patchType: 'JSONPatch', patch: 'eyI=' } },
    /received undecodable patch in webhook response: /,
  );
  await check(
    'mutating',
    { response: { allowed: true, patchType: 'Other', patch: Buffer.from('[{}]').toString('base64') } },
    'unsupported patch type "Other"',
  );
  await check('validating', { answer: 'no json' }, /failed to call webhook: couldn't get version\/kind; json parse error: /);
});

test('a patch that cannot be applied fails the request, whatever the failure policy', async () => {
  server.replies.set('/a', patched({ op: 'remove', path: '/data/missing' }));
  await server.register('mutating', 'm', [{ name: 'a.example.com', rules: maps, failurePolicy: 'Ignore' }]);
  assert.equal((await create('unpatchable')).status, 500);
  server.replies.set('/a', patched({ op: 'add', path: '/data', value: 'text' }));
  assert.equal((await create('unpatchable')).status, 500);
  server.replies.delete('/a');
  await create('kept');
  server.replies.set('/a', patched({ op: 'add', path: '/data', value: {} }));
  const { json } = await server.ask('DELETE', '/api/v1/namespaces/default/configmaps/kept');
  const why = 'admission webhook "a.example.com" attempted to modify the object, which is not supported for this operation';
  assert.equal(json.message, `Internal error occurred: ${why}`);
});

test('a webhook that does not answer is given its time on the clock', async () => {
  let arrived = () => {};
  const arrival = new Promise<void>((resolve) => (arrived = resolve));
  server.replies.set('/a', () => {
    arrived();
    return 'silence';
  });
  await server.register('validating', 'v', [{ name: 'a.example.com', rules: maps, timeoutSeconds: 7 }]);
  const pending = create('slow');
  await arrival;
  let isAnswered = false;
  pending.then(() => (isAnswered = true));
  await server.clock.step(6999);
  assert.equal(isAnswered, false);
  await server.clock.step(1);
  const { json } = await pending;
  const url = `https://127.0.0.1:${server.port}/a?timeout=7s`;
  assert.equal(json.message, failure(`failed to call webhook: Post "${url}": context deadline exceeded`));
});

test('certificates, addresses and services that are wrong are named', async () => {
  const why = async (clientConfig: object) => {
    await server.register('validating', 'v', [{ name: 'a.example.com', rules: maps, clientConfig }]);
    const { json } = await create('unreachable');
    await server.ask('DELETE', `${configurations}/validatingwebhookconfigurations/v`);
    return (json.message ?? '').replace(failure('failed to call webhook: '), '');
  };
  const url = `https://127.0.0.1:${server.port}/a`;
  assert.equal(
    await why({ url }),
    `Post "${url}?timeout=10s": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
  );
  const other = `https://localhost:${server.port}/a`;
  assert.equal(
    await why({ url: other, caBundle: server.caBundle }),
    `Post "${other}?timeout=10s": tls: failed to verify certificate: x509: certificate is valid for hook.default.svc, not localhost`,
  );
  assert.equal(
    await why({ url: 'https://127.0.0.1:1/x' }),
    'Post "https://127.0.0.1:1/x?timeout=10s": dial tcp 127.0.0.1:1: connect: connection refused',
  );
  const service = { namespace: 'default', name: 'hook', path: '/svc' };
  const { caBundle } = server;
  assert.equal(await why({ service, caBundle }), 'Post "https://hook.default.svc:443/svc?timeout=10s": service "hook" not found');
  await server.ask('POST', '/api/v1/namespaces/default/services', {
    metadata: { name: 'hook' },
    spec: { ports: [{ port: 444, targetPort: 8443 }] },
  });
  assert.match(await why({ service, caBundle }), /no service port 443 found for service "hook"$/);
  const to444 = { service: { ...service, port: 444 }, caBundle };
  assert.match(await why(to444), /hook.default.svc:444\/svc\?timeout=10s": no endpoints available for service "hook"$/);
});

test('dry runs reach only webhooks without side effects, warnings are bounded, and connections are kept', async () => {
  await server.register('validating', 'v', [{ name: 'a.example.com', rules: maps, sideEffects: 'NoneOnDryRun' }]);
  const before = server.connections;
  for (let i = 0; i < 3; i++) assert.equal((await create('dry', {}, '?dryRun=All')).status, 201);
  assert.ok(server.connections - before <= 1, 'one connection serves all');
  const long = (letter: string) => letter.repeat(3000);
  server.replies.set('/a', { response: { allowed: true, warnings: ['short', '', 'with\nbreak', long('x'), long('y')] } });
  const { headers } = await create('dry', {}, '?dryRun=All');
  const warnings = String(headers['warning']);
  assert.match(warnings, /299 - "short"/);
  assert.ok(!warnings.includes('break') && warnings.includes('x'.repeat(256)) && !warnings.includes('x'.repeat(257)));
});

test('selectors look at the namespace, at a namespace itself, and at the old object as well as the new', async () => {
  const namespaceSelector = { matchLabels: { watched: 'yes' } };
  await server.register('validating', 'v', [
    { name: 'ns.example.com', rules: [rule(['configmaps', 'namespaces', 'persistentvolumes'])], namespaceSelector },
    { name: 'ob.example.com', rules: maps, objectSelector: { matchLabels: { guarded: 'yes' } } },
    { name: 'scope.example.com', rules: [rule(['*'], { scope: 'Cluster' })] },
  ]);
  await server.ask('POST', '/api/v1/namespaces', { metadata: { name: 'watched', labels: { watched: 'yes' } } });
  assert.equal(paths(), '/ns /scope', 'a namespace is what its own labels say');
  assert.equal(server.asked[0]?.request.namespace, 'watched');
  await server.ask('POST', '/api/v1/namespaces/watched/configmaps', { metadata: { name: 'c', labels: { guarded: 'yes' } } });
  await create('elsewhere');
  assert.equal(paths(), '/ns /scope /ns /ob');
  const merge = { 'content-type': 'application/merge-patch+json' };
  await server.ask('PATCH', '/api/v1/namespaces/watched/configmaps/c', { metadata: { labels: null } }, merge);
  assert.equal(paths(), '/ns /scope /ns /ob /ns /ob');
  await server.ask('DELETE', `${configurations}/validatingwebhookconfigurations/v`);
  assert.equal(server.asked.length, 6, 'configurations are never asked about');
});

test('older reviews are sent to those that know no newer, and patches need no type there', async () => {
  server.replies.set('/a', {
    response: { allowed: true, patch: Buffer.from('[{"op":"add","path":"/data/old","value":"1"}]').toString('base64') },
  });
  await server.register('mutating', 'm', [{ name: 'a.example.com', rules: maps, admissionReviewVersions: ['v3', 'v1beta1', 'v1'] }]);
  const { json } = await create('older');
  assert.equal(server.asked[0]?.apiVersion, 'admission.k8s.io/v1beta1');
  assert.deepEqual(json.data, { a: 'b', old: '1' });
});

test('rules for another version of a resource are followed, with the object converted there and back', async () => {
  const rules = [rule(['horizontalpodautoscalers'], { apiGroups: ['autoscaling'], apiVersions: ['v1'] })];
  server.replies.set('/eq', patched({ op: 'replace', path: '/spec/targetCPUUtilizationPercentage', value: 33 }));
  await server.register('mutating', 'm', [
    { name: 'eq.example.com', rules },
    { name: 'exact.example.com', rules, matchPolicy: 'Exact' },
  ]);
  const resource = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } };
  const spec = {
    maxReplicas: 3,
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
    metrics: [{ type: 'Resource', resource }],
  };
  const made = await server.ask('POST', '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers', {
    metadata: { name: 'h' },
    spec,
  });
  assert.equal(made.status, 201, made.text);
  assert.equal(paths(), '/eq');
  const { kind, resource: asked, requestKind, object } = server.asked[0]?.request ?? {};
  assert.deepEqual([kind.version, asked.version, requestKind.version, object.apiVersion], ['v1', 'v1', 'v2', 'autoscaling/v1']);
  assert.equal(object.spec.targetCPUUtilizationPercentage, 50);
  assert.equal(made.json.apiVersion, 'autoscaling/v2');
  assert.equal(made.json.spec.metrics[0].resource.target.averageUtilization, 33);
});

test('what webhooks are asked and answer is counted', async () => {
  server.replies.set('/counted', { response: { allowed: false, status: { code: 403 } } }).set('/open', { status: 503 });
  await server.register('validating', 'v', [
    { name: 'counted.example.com', rules: maps },
    { name: 'open.example.com', rules: maps, failurePolicy: 'Ignore' },
  ]);
  await create('counted');
  const { text } = await server.ask('GET', '/metrics');
  const [of, type] = ['name="counted.example.com",operation="CREATE"', 'type="validating"'];
  assert.match(text, new RegExp(`apiserver_admission_webhook_request_total\\{code="403",${of},rejected="true",${type}\\} 1`));
  const rejections = 'apiserver_admission_webhook_rejection_count\\{error_type="no_error"';
  assert.match(text, new RegExp(`${rejections},${of},rejection_code="403",${type}\\} 1`));
  assert.match(text, /apiserver_admission_webhook_fail_open_count\{name="open.example.com",type="validating"\} 1/);
  assert.match(
    text,
    new RegExp(`apiserver_admission_webhook_admission_duration_seconds_bucket\\{${of},rejected="true",${type},le="25"\\} 1`),
  );
  const controller = 'apiserver_admission_controller_admission_duration_seconds_count\\{name="ValidatingAdmissionWebhook"';
  assert.match(text, new RegExp(`${controller},operation="CREATE",rejected="true",type="validate"\\} [1-9]`));
  assert.match(text, /step_admission_duration_seconds_bucket\{operation="CREATE",rejected="false",type="admit",le="\+Inf"\} [1-9]/);
  assert.match(text, /step_admission_duration_seconds_summary\{operation="CREATE",rejected="true",type="validate",quantile="0.99"\}/);
});
