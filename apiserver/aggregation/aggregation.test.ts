// An aggregated API server of our own, a plain HTTPS server, behind an APIService.

import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '../../base/clock.ts';
import { createAuthority, createCertificate, type KeyPairPem } from '../pki/certificates.ts';
import { root, type ServerFixture, startServer } from '../server-fixture.ts';

const apiServicePath = '/apis/apiregistration.k8s.io/v1/apiservices';
const list = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: 'metrics.example.com/v1',
  resources: [{ name: 'gauges', singularName: 'gauge', namespaced: true, kind: 'Gauge', verbs: ['get', 'list'], shortNames: ['ga'] }],
};

const gauge = 'com.example.metrics.v1.Gauge';
const listMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta';
const openApiV2 = {
  swagger: '2.0',
  info: { title: 'metrics', version: 'v1' },
  paths: {
    '/apis/metrics.example.com/v1/namespaces/{namespace}/gauges': {
      get: {
        operationId: 'listGauges',
        responses: { 200: { description: 'OK', schema: { $ref: `#/definitions/${gauge}` } } },
      },
    },
    '/healthz': { get: { responses: { 200: { description: 'OK', schema: { $ref: '#/definitions/Health' } } } } },
  },
  definitions: {
    [gauge]: { type: 'object', properties: { metadata: { $ref: `#/definitions/${listMeta}` }, value: { type: 'integer' } } },
    [listMeta]: { type: 'object', description: 'ours is another', properties: { continue: { type: 'string' } } },
    Health: { type: 'object' },
  },
};

const readers = new Set<unknown>();
let server: ServerFixture;
let https: Server;
let authority: KeyPairPem;
let asked: { url: string; headers: IncomingMessage['headers']; client: string; body: string }[] = [];
let port = 0;

before(async () => {
  authority = await createAuthority('test', systemClock);
  const proxyAuthority = await createAuthority('front-proxy-ca', systemClock);
  const served = await createCertificate(
    authority,
    { commonName: 'extension', serverNames: ['extension.default.svc'], isClient: false, validDays: 1 },
    systemClock,
  );
  const frontProxy = await createCertificate(
    proxyAuthority,
    { commonName: 'front-proxy-client', isClient: true, validDays: 1 },
    systemClock,
  );
  const tls = { cert: served.certPem, key: served.keyPem, ca: proxyAuthority.certPem, requestCert: true, rejectUnauthorized: true };
  https = createServer(tls, async (incoming, response) => {
    let body = '';
    for await (const chunk of incoming) body += String(chunk);
    const client = String((incoming.socket as TLSSocket).getPeerCertificate().subject.CN);
    asked.push({ url: incoming.url ?? '', headers: incoming.headers, client, body });
    response.setHeader('content-type', 'application/json');
    if (incoming.url === '/openapi/v2') readers.add(incoming.headers['x-remote-user']);
    if (incoming.url === '/apis/metrics.example.com/v1') response.end(JSON.stringify(list));
    else if (incoming.url?.endsWith('?away=1')) response.writeHead(302, { location: '/elsewhere' }).end();
    else if (incoming.url === '/openapi/v2') response.end(JSON.stringify(openApiV2));
    else if (incoming.url === '/openapi/v3') {
      const at = (path: string) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=H` }];
      const paths = Object.fromEntries(['apis/metrics.example.com/v1', 'apis/metrics.example.com', 'api/v1', 'version'].map(at));
      response.end(JSON.stringify({ paths }));
    } else if (incoming.url?.startsWith('/openapi/v3/')) response.end(JSON.stringify({ openapi: '3.0.0' }));
    else {
      response.statusCode = incoming.method === 'POST' ? 201 : 200;
      response.end(JSON.stringify({ kind: 'GaugeList', apiVersion: 'metrics.example.com/v1', metadata: {}, items: [] }));
    }
  });
  await new Promise<void>((resolve) => https.listen(0, 'localhost', resolve));
  port = (https.address() as AddressInfo).port;
  server = await startServer({ frontProxy: { cert: frontProxy.certPem, key: frontProxy.keyPem } });
});
after(async () => {
  await server.close();
  await stop();
});
const stop = () =>
  new Promise((resolve) => {
    https.close(resolve);
    https.closeAllConnections();
  });

/** Lets the server look after its API services until the condition of ours is `reason`. */
async function until(reason: string): Promise<{ status: string; message: string }> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const { json } = await server.ask('GET', `${apiServicePath}/v1.metrics.example.com`);
    const condition = json.status.conditions?.find(({ type }: { type: string }) => type === 'Available');
    if (condition?.reason === reason) return condition;
    await server.clock.step(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`the API service never came to ${reason}`);
}

test('requests go on to the server behind an API service, in the name of who asked', async () => {
  const caBundle = Buffer.from(authority.certPem).toString('base64');
  const made = await server.ask('POST', apiServicePath, {
    metadata: { name: 'v1.metrics.example.com' },
    spec: {
      group: 'metrics.example.com',
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      caBundle,
      service: { namespace: 'default', name: 'extension', port },
    },
  });
  assert.equal(made.status, 201, made.text);
  assert.equal((await until('ServiceNotFound')).message, 'service/extension in "default" is not present');
  const gauges = '/apis/metrics.example.com/v1/namespaces/default/gauges';
  const early = await server.ask('GET', gauges);
  assert.deepEqual([early.status, early.text], [503, 'service unavailable\n']);

  const service = { metadata: { name: 'extension' }, spec: { type: 'ExternalName', externalName: 'localhost' } };
  assert.equal((await server.ask('POST', '/api/v1/namespaces/default/services', service)).status, 201);
  assert.deepEqual((await until('Passed')).status, 'True');
  asked = [];
  const answer = await server.ask('GET', `${gauges}?limit=5`, undefined, {
    authorization: 'Bearer secret',
    'x-remote-user': 'somebody-else',
  });
  assert.deepEqual([answer.status, answer.json.kind], [200, 'GaugeList']);
  const [got] = asked;
  assert.deepEqual([got?.url, got?.client], [`${gauges}?limit=5`, 'front-proxy-client']);
  assert.equal(got?.headers['x-remote-user'], root.name);
  assert.equal(got?.headers['x-remote-group'], 'system:masters, system:authenticated');
  assert.equal(got?.headers['authorization'], undefined, 'credentials stay here');
  const created = await server.ask('POST', gauges, { kind: 'Gauge', metadata: { name: 'g' } });
  assert.equal(created.status, 201);
  assert.equal(JSON.parse(asked.at(-1)?.body ?? '').metadata.name, 'g');
});

test('what it serves is discovered with everything else', async () => {
  await until('Passed');
  const names = (await server.ask('GET', '/apis')).json.groups.map(({ name }: { name: string }) => name);
  assert.equal(names.at(-1), 'metrics.example.com');
  assert.equal((await server.ask('GET', '/apis/metrics.example.com')).json.preferredVersion.groupVersion, 'metrics.example.com/v1');
  assert.deepEqual((await server.ask('GET', '/apis/metrics.example.com/v1')).json, list);
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const all = (await server.ask('GET', '/apis', undefined, { accept })).json.items;
  const { freshness, resources } = all.at(-1).versions[0];
  assert.deepEqual(
    [freshness, resources[0].resource, resources[0].scope, resources[0].responseKind.kind],
    ['Current', 'gauges', 'Namespaced', 'Gauge'],
  );
  const { paths } = (await server.ask('GET', '/openapi/v3')).json;
  assert.equal(paths['apis/metrics.example.com/v1'].serverRelativeURL, '/openapi/v3/apis/metrics.example.com/v1?hash=H');
  assert.notEqual(paths['api/v1'].serverRelativeURL, '/openapi/v3/api/v1?hash=H', 'what is here is ours to describe');
  assert.equal((await server.ask('GET', '/openapi/v3/apis/metrics.example.com')).json.openapi, '3.0.0');
  assert.equal((await server.ask('GET', '/openapi/v3/apis/metrics.example.com/v1')).json.openapi, '3.0.0');
});

test('OpenAPI 2 is one document, in which definitions of another meaning have another name', async () => {
  await until('Passed');
  const { paths, definitions, info } = (await server.ask('GET', '/openapi/v2')).json;
  assert.equal(info.title, 'Kubernetes');
  assert.equal(paths['/apis/metrics.example.com/v1/namespaces/{namespace}/gauges'].get.operationId, 'listGauges');
  assert.deepEqual([paths['/healthz'], definitions.Health], [undefined, undefined], 'only what is below its group version');
  assert.equal(definitions[gauge].properties.metadata.$ref, `#/definitions/${listMeta}_v2`);
  assert.equal(definitions[`${listMeta}_v2`].description, 'ours is another');
  assert.notEqual(definitions[listMeta].description, 'ours is another');
  assert.deepEqual([...readers], ['system:aggregator']);
  const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
  const protobuf = await server.ask('GET', '/openapi/v2', undefined, { accept });
  assert.ok(protobuf.status === 200 && protobuf.text.includes('listGauges'));
});

test('API services of what is served here are put right again', async () => {
  const path = `${apiServicePath}/v1.apps`;
  const builtIn = (await server.ask('GET', path)).json;
  assert.deepEqual(
    [builtIn.metadata.labels, builtIn.spec.groupPriorityMinimum, builtIn.spec.versionPriority],
    [{ 'kube-aggregator.kubernetes.io/automanaged': 'onstart' }, 17_800, 15],
  );
  const group = (value: object) => JSON.stringify({ spec: value });
  const merge = { 'content-type': 'application/merge-patch+json' };
  await server.ask('PATCH', path, group({ groupPriorityMinimum: 1 }), merge);
  const again = await startServer({ store: server.store });
  assert.equal((await again.ask('GET', path)).json.spec.groupPriorityMinimum, 17_800, 'when a server starts');
  await again.server.close(0);
});

test('the root lists every path, those of other servers too', async () => {
  await until('Passed');
  const { paths } = (await server.ask('GET', '/')).json;
  for (const path of ['/api/v1', '/apis/', '/apis/apps/v1', '/apis/metrics.example.com/v1', '/livez/ping', '/openapi/v3', '/version'])
    assert.ok(paths.includes(path), path);
  assert.deepEqual(paths, [...paths].sort());
  assert.equal((await server.ask('GET', '/index.html')).json.paths.length, paths.length);
  assert.equal((await server.ask('POST', '/', {})).status, 200);
});

test('custom resources have API services that come and go with them', async () => {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const schema = { openAPIV3Schema: { type: 'object' } };
  await server.ask('POST', path, {
    metadata: { name: 'crons.stable.example.com' },
    spec: {
      group: 'stable.example.com',
      scope: 'Namespaced',
      names: { plural: 'crons', kind: 'Cron' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  });
  const settle = async (wanted: number) => {
    let status = 0;
    for (let attempt = 0; attempt < 200 && status !== wanted; attempt++) {
      await server.clock.step(1_000);
      await new Promise((resolve) => setImmediate(resolve));
      status = (await server.ask('GET', `${apiServicePath}/v1.stable.example.com`)).status;
    }
    assert.equal(status, wanted);
  };
  await settle(200);
  const local = (await server.ask('GET', `${apiServicePath}/v1.stable.example.com`)).json;
  assert.deepEqual([local.spec.groupPriorityMinimum, local.status.conditions[0].reason], [1000, 'Local']);
  const merge = { 'content-type': 'application/merge-patch+json' };
  await server.ask('PATCH', `${apiServicePath}/v1.stable.example.com`, { spec: { groupPriorityMinimum: 7 } }, merge);
  const priority = async () => (await server.ask('GET', `${apiServicePath}/v1.stable.example.com`)).json.spec.groupPriorityMinimum;
  for (let attempt = 0; attempt < 200 && (await priority()) !== 1000; attempt++) await server.clock.step(1_000);
  assert.equal(await priority(), 1000, 'who changes one finds it restored');
  await server.ask('DELETE', `${apiServicePath}/v1.stable.example.com`);
  await settle(200);
  await server.ask('DELETE', `${path}/crons.stable.example.com`);
  await settle(404);
});

test('a server that is gone is told of, and the others are discovered as before', async () => {
  await until('Passed');
  const gauges = '/apis/metrics.example.com/v1/gauges';
  const away = await server.ask('GET', `${gauges}?away=1`);
  assert.deepEqual([away.status, away.text], [502, 'the backend attempted to redirect this request, which is not permitted']);
  await stop();
  const dead = await server.ask('GET', gauges);
  assert.equal(dead.status, 503);
  assert.match(dead.text, /^error trying to reach service: dial tcp localhost:\d+: connect: connection refused\n$/);
  const { status, message } = await until('FailedDiscoveryCheck');
  assert.equal(status, 'False');
  assert.match(
    message,
    /^failing or missing response from (https:\/\/localhost:\d+\/apis\/metrics\.example\.com\/v1): Get "\1": dial tcp localhost:\d+: connect: connection refused$/,
  );
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const { items } = (await server.ask('GET', '/apis', undefined, { accept })).json;
  assert.equal(items.at(-1).versions[0].freshness, 'Stale');
  const unavailable = await server.ask('GET', gauges);
  assert.deepEqual(
    [unavailable.status, unavailable.text, unavailable.headers['content-type']],
    [503, 'service unavailable\n', 'text/plain; charset=utf-8'],
  );
  const metrics = (await server.ask('GET', '/metrics')).text;
  for (const line of [
    'aggregator_unavailable_apiservice{name="v1.metrics.example.com"} 1',
    'aggregator_unavailable_apiservice{name="v1.apps"} 0',
    'aggregator_unavailable_apiservice_total{name="v1.metrics.example.com",reason="FailedDiscoveryCheck"} 1',
    'apiserver_request_terminations_total{code="503",component="aggregator",group="metrics.example.com",resource="",scope="cluster",subresource="",verb="LIST",version="v1"} 2',
  ])
    assert.ok(metrics.includes(line), line);
  assert.match(metrics, /^aggregator_discovery_aggregation_count_total [1-9]/m);
});
