import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from './server-fixture.ts';

test('metrics have the names and labels of Kubernetes, and no series that a client made up', async (t) => {
  const { ask, close } = await startServer();
  t.after(close);
  const path = '/api/v1/namespaces/default/configmaps';
  await ask('POST', `${path}?dryRun=All`, { metadata: { name: 'a' } });
  await ask('GET', path);
  for (let i = 0; i < 20; i++) {
    await ask('GET', `/apis/made-up-${i}/v1/things`);
    await ask('GET', `${path}/a/made-up-${i}`);
    await ask(`MADEUP${i}` as 'GET', path);
  }
  const { text } = await ask('GET', '/metrics');
  assert.equal(/made-?up/i.test(text.replace(/^#.*$/gm, '')), false);
  const has = (name: string, ...labels: string[]) =>
    assert.ok(
      text.split('\n').some((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label))),
      `${name} ${labels.join()}`,
    );
  has(
    'apiserver_request_total',
    'verb="POST"',
    'dry_run="All"',
    'resource="configmaps"',
    'scope="resource"',
    'component="apiserver"',
    'code="201"',
  );
  has('apiserver_request_sli_duration_seconds_count', 'verb="LIST"', 'resource="configmaps"');
  has('apiserver_response_sizes_sum', 'verb="LIST"', 'resource="configmaps"');
  has('apiserver_resource_objects', 'resource="namespaces"');
  has('apiserver_storage_objects', 'resource="namespaces"');
  has('kubernetes_build_info', 'major="1"', 'minor="36"');
  has('etcd_requests_total', 'operation="create"', 'group="flowcontrol.apiserver.k8s.io"', 'resource="flowschemas"');
  has('etcd_request_duration_seconds_count', 'operation="create"', 'group=""', 'resource="namespaces"');
  has('authentication_attempts', 'result="success"');
  has('authorization_attempts_total', 'result="allowed"');
  has('apiserver_current_inflight_requests', 'request_kind="readOnly"');
});

test('whoever uses a deprecated kind is warned, and it is counted', async (t) => {
  const { ask, close } = await startServer();
  t.after(close);
  const { headers } = await ask('GET', '/api/v1/namespaces/default/endpoints');
  assert.equal(headers.warning, '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"');
  assert.equal((await ask('GET', '/api/v1/componentstatuses')).headers.warning, '299 - "v1 ComponentStatus is deprecated in v1.19+"');
  const { text } = await ask('GET', '/metrics');
  assert.match(
    text,
    /apiserver_requested_deprecated_apis\{group="",removed_release="",resource="endpoints",subresource="",version="v1"\} 1/,
  );
});

test('what health checks said is counted by itself', async (t) => {
  const { ask, close } = await startServer();
  t.after(close);
  for (const path of ['/livez', '/livez?exclude=log', '/readyz', '/readyz/ping']) await ask('GET', path);
  const { text } = await ask('GET', '/metrics/slis');
  const series = (name: string, type: string) => `kubernetes_healthchecks_total{name="${name}",status="success",type="${type}"}`;
  const lines = text.split('\n');
  for (const line of [`${series('log', 'livez')} 1`, `${series('ping', 'livez')} 2`, `${series('ping', 'readyz')} 1`])
    assert.ok(lines.includes(line), line);
  assert.ok(lines.includes('kubernetes_healthcheck{name="etcd",type="readyz"} 1'));
  assert.ok(lines.includes('# HELP kubernetes_healthcheck [STABLE] This metric records the result of a single healthcheck.'));
});

test('the watch caches tell what they hold, hear and answer', async (t) => {
  const { ask, close, clock, store } = await startServer();
  t.after(close);
  const path = '/api/v1/namespaces/default/configmaps';
  for (const name of ['a', 'b', 'c']) await ask('POST', path, { metadata: { name, labels: { name } } });
  await ask('GET', `${path}?labelSelector=name%3Da`);
  await ask('GET', `${path}?resourceVersion=0&limit=2`);
  const late = ask('GET', `${path}?resourceVersion=100000`);
  await clock.step(4000);
  assert.equal((await late).status, 504);
  const lines = (await ask('GET', '/metrics')).text.split('\n');
  const has = (line: string) => assert.ok(lines.includes(line), line);
  const kind = 'group="",resource="configmaps"';
  has(`apiserver_cache_list_total{${kind.replace('",', '",index="",')}} 2`);
  has(`apiserver_cache_list_fetched_objects_total{${kind.replace('",', '",index="",')}} 6`);
  has(`apiserver_cache_list_returned_objects_total{${kind}} 3`);
  has(`apiserver_watch_cache_events_received_total{${kind}} 3`);
  has(`apiserver_watch_cache_events_dispatched_total{${kind}} 3`);
  has(`apiserver_watch_cache_initializations_total{${kind}} 1`);
  has(`apiserver_watch_cache_consistent_read_total{fallback="false",${kind},success="true"} 1`);
  has(`apiserver_watch_cache_resource_version{${kind}} ${await store.currentRevision()}`);
  has(`watch_cache_capacity{${kind}} 4096`);
  has(`apiserver_watch_cache_read_wait_seconds_count{${kind}} 1`);
});

test('verbs are the methods of HTTP, told apart where one does several things, so that dashboards know reading from writing', async (t) => {
  const { ask, close } = await startServer();
  t.after(close);
  const path = '/api/v1/namespaces/default/configmaps';
  const apply = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' } };
  await ask('POST', path, { metadata: { name: 'a' } });
  await ask('PUT', `${path}/a`, { metadata: { name: 'a' } });
  await ask('PATCH', `${path}/a`, {}, { 'content-type': 'application/merge-patch+json' });
  await ask('PATCH', `${path}/b?fieldManager=x&dryRun=All&dryRun=All`, apply, { 'content-type': 'application/apply-patch+yaml' });
  await ask('GET', path);
  await ask('GET', '/api/v1/configmaps');
  await ask('GET', `${path}/a`);
  await ask('DELETE', `${path}/a`);
  await ask('DELETE', path);
  await ask('GET', '/livez');
  await ask('GET', '/api/v1/namespaces/default/pods/p/log');
  const { text } = await ask('GET', '/metrics');
  const of = (name: string, resource: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) && line.includes(`resource="${resource}"`))
      .map((line) =>
        ['verb', 'scope', 'dry_run', 'subresource']
          .map((label) => new RegExp(`[{,]${label}="([^"]*)"`).exec(line)?.[1])
          .join(' ')
          .trim(),
      )
      .sort();
  assert.deepEqual(of('apiserver_request_total', 'configmaps'), [
    'APPLY resource All',
    'DELETE namespace',
    'DELETE resource',
    'GET resource',
    'LIST cluster',
    'LIST namespace',
    'PATCH resource',
    'POST resource',
    'PUT resource',
  ]);
  assert.ok(of('apiserver_request_total', 'pods').includes('CONNECT resource  log'));
  assert.ok(of('apiserver_request_total', '').includes('GET   /livez'));
  assert.deepEqual([...new Set(of('apiserver_response_sizes_count', 'configmaps'))], ['GET resource', 'LIST cluster', 'LIST namespace']);
  assert.equal(
    of('apiserver_request_sli_duration_seconds_count', 'configmaps').some((line) => line.startsWith('APPLY')),
    false,
  );
});
