import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createMemoryStore } from '../../store/memory.ts';
import type { ServerParts } from '../handlers/handler.ts';
import { startServer } from '../server-fixture.ts';
import { PublishedAddress } from './published-address.ts';

const endpoints = '/api/v1/namespaces/default/endpoints/kubernetes';
const slice = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes';

async function twoServers(t: TestContext) {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  t.after(() => store.close());
  const serve = async (host: string) => {
    const parts: ServerParts[] = [];
    const begin = [(server: ServerParts) => void parts.push(server)];
    const { ask, server } = await startServer({ store, clock, begin });
    t.after(() => server.close(0));
    return { ask, address: new PublishedAddress(parts[0] as ServerParts, { host, port: 6443 }) };
  };
  return { clock, store, one: await serve('10.0.0.1'), two: await serve('10.0.0.2') };
}

test('the kubernetes service leads to every server, without the one that stops or whose lease runs out', async (t) => {
  const { clock, store, one, two } = await twoServers(t);
  const led = async () => {
    const { json } = await one.ask('GET', endpoints);
    const ofSlice = (await one.ask('GET', slice)).json.endpoints.flatMap((endpoint: { addresses: string[] }) => endpoint.addresses);
    const ips = json.subsets[0].addresses.map(({ ip }: { ip: string }) => ip);
    assert.deepEqual(ofSlice, ips);
    return ips;
  };
  await one.address.publish();
  assert.deepEqual(await led(), ['10.0.0.1']);
  await two.address.publish();
  assert.deepEqual(await led(), ['10.0.0.1', '10.0.0.2']);
  await store.put('/registry/masterleases/10.0.0.3', Buffer.from('{}'));
  await clock.step(10_000);
  assert.deepEqual(await led(), ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  await clock.step(30_000);
  assert.deepEqual(await led(), ['10.0.0.1', '10.0.0.2']);
  await two.address.withdraw();
  assert.deepEqual(await led(), ['10.0.0.1']);
  await clock.step(60_000);
  assert.deepEqual(await led(), ['10.0.0.1']);
  await one.address.withdraw();
  assert.deepEqual(await led(), ['10.0.0.1']);
});
