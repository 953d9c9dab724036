import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { ClusterView } from './admission/cluster-view.ts';
import { type ServerFixture, startServer } from './server-fixture.ts';
import { hostPort, resolveService } from './service-resolver.ts';

let server: ServerFixture;
let view: ClusterView;
const random = seededRandom(3);

before(async () => {
  server = await startServer();
  view = new ClusterView(() => server.server.resources);
});
after(() => server.close());

const namespace = '/api/v1/namespaces/default';
async function made(path: string, object: object): Promise<void> {
  const answer = await server.ask('POST', path, object);
  assert.equal(answer.status, 201, answer.text);
}

const service = (name: string, spec: object) => made(`${namespace}/services`, { metadata: { name }, spec });
function slice(name: string, of: string, addressType: string, endpoints: object[], port = { name: 'https', port: 8443 }): Promise<void> {
  return made('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
    metadata: { name, labels: { 'kubernetes.io/service-name': of } },
    addressType,
    endpoints,
    ports: [port],
  });
}

const resolve = (name: string, port?: number) => resolveService(view, random, { namespace: 'default', name, ...(port ? { port } : {}) });

test('a service leads to its ready endpoints, one as often as the other, at the port of that name', async () => {
  await service('web', {
    ports: [
      { name: 'http', port: 80 },
      { name: 'https', port: 443 },
    ],
  });
  await slice('web-1', 'web', 'IPv4', [
    { addresses: ['10.1.0.1'] },
    { addresses: ['10.1.0.2'], conditions: { ready: true } },
    { addresses: ['10.1.0.3'], conditions: { ready: false } },
  ]);
  await slice('web-2', 'web', 'IPv6', [{ addresses: ['fd00::1'] }]);
  await slice('other', 'another', 'IPv4', [{ addresses: ['10.1.0.4'] }]);
  const seen = new Set<string>();
  for (let i = 0; i < 40; i++) seen.add(hostPort(await resolve('web')));
  // The service is IPv4's: its IPv6 endpoints are for when there are no others.
  assert.deepEqual([...seen].sort(), ['10.1.0.1:8443', '10.1.0.2:8443']);
  await assert.rejects(resolve('web', 80), { message: 'no endpoints available for service "web"', reason: 'ServiceUnavailable' });
  await assert.rejects(resolve('web', 81), { message: 'no service port 81 found for service "web"', reason: 'ServiceUnavailable' });
});

test('an address of another family serves when the preferred one has none; it is written in brackets', async () => {
  await service('six', { ports: [{ port: 443 }] });
  await slice('six-1', 'six', 'IPv6', [{ addresses: ['fd00::2'] }], { name: '', port: 1 });
  assert.equal(hostPort(await resolve('six')), '[fd00::2]:1');
});

test('what is missing is named', async () => {
  await assert.rejects(resolve('nobody'), { message: 'service "nobody" not found', reason: 'NotFound' });
  await service('empty', { ports: [{ port: 443 }] });
  await assert.rejects(resolve('empty'), { message: 'no endpoints available for service "empty"' });
});

test('an external name is taken at its word', async () => {
  await service('outside', { type: 'ExternalName', externalName: 'hooks.example.com' });
  assert.deepEqual(await resolve('outside', 8443), { host: 'hooks.example.com', port: 8443 });
});

test('a slice without ports, as that of a service whose endpoints are gone, serves nothing', async () => {
  await service('gone', { ports: [{ port: 443 }] });
  await made('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
    metadata: { name: 'gone-1', labels: { 'kubernetes.io/service-name': 'gone' } },
    addressType: 'IPv4',
    endpoints: [],
    ports: null,
  });
  await assert.rejects(resolve('gone'), { message: 'no endpoints available for service "gone"', reason: 'ServiceUnavailable' });
});
