import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { silentLog } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { type Endpoint, type Frontend, planOf } from './plan.ts';
import { Userspace } from './userspace.ts';

/** A server that answers its name and what it was sent. */
async function tcpServer(t: TestContext, name: string): Promise<Endpoint> {
  const server = createServer((socket) => socket.once('data', (data) => socket.end(`${name} ${data}`)));
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

async function udpServer(t: TestContext, name: string): Promise<Endpoint> {
  const socket = createSocket('udp4');
  socket.on('message', (data, from) => socket.send(`${name} ${data}`, from.port, from.address));
  t.after(() => socket.close());
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { address: '127.0.0.1', port: socket.address().port };
}

/** A port that nothing listens at just now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function ask(port: number): Promise<string> {
  return new Promise((resolve) => {
    let got = '';
    const socket = connect(port, '127.0.0.1', () => socket.write('hello'));
    socket.on('data', (data) => {
      got += data;
    });
    socket.on('end', () => resolve(got));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
  });
}

function newApplier(t: TestContext) {
  const clock = new VirtualClock();
  const applier = new Userspace({ clock, random: seededRandom(7), log: silentLog });
  t.after(() => applier.close());
  return { applier, clock };
}

async function frontend(endpoints: Endpoint[], change: Partial<Frontend> = {}): Promise<Frontend> {
  return {
    of: 'default/web',
    scope: 'any',
    address: '127.0.0.1',
    protocol: 'tcp',
    port: await freePort(),
    endpoints,
    masquerade: 'always',
    whenEmpty: 'reject',
    affinitySeconds: 0,
    ...change,
  };
}

test('connections go to every endpoint, and only to those of the newest plan', async (t) => {
  const { applier } = newApplier(t);
  const [a, b] = [await tcpServer(t, 'a'), await tcpServer(t, 'b')];
  const web = await frontend([a, b]);
  await applier.apply(planOf([web]));
  const answers = new Set<string>();
  for (let i = 0; i < 40; i++) answers.add(await ask(web.port));
  assert.deepEqual([...answers].sort(), ['a hello', 'b hello']);
  await applier.apply(planOf([{ ...web, endpoints: [b] }]));
  for (let i = 0; i < 10; i++) assert.equal(await ask(web.port), 'b hello');
  await applier.apply(planOf([{ ...web, endpoints: [] }]));
  assert.equal(await ask(web.port), 'ECONNREFUSED');
});

test('an endpoint that refuses is passed over for one that does not', async (t) => {
  const { applier } = newApplier(t);
  const web = await frontend([{ address: '127.0.0.1', port: await freePort() }]);
  await applier.apply(planOf([web]));
  assert.equal(await ask(web.port), 'ECONNRESET');
  const alive = await tcpServer(t, 'alive');
  await applier.apply(planOf([{ ...web, endpoints: [...web.endpoints, alive, alive, alive] }]));
  assert.equal(await ask(web.port), 'alive hello');
});

test('a client with affinity keeps its endpoint until the time runs out', async (t) => {
  const { applier, clock } = newApplier(t);
  const servers = await Promise.all(['a', 'b', 'c'].map((name) => tcpServer(t, name)));
  const web = await frontend(servers, { affinitySeconds: 30 });
  await applier.apply(planOf([web]));
  const first = await ask(web.port);
  for (let i = 0; i < 20; i++) assert.equal(await ask(web.port), first);
  const later = new Set<string>();
  for (let i = 0; i < 30; i++) {
    await clock.step(31_000);
    later.add(await ask(web.port));
  }
  assert.equal(later.size, 3);
});

test('UDP is answered to who asked, and a silent client is forgotten', async (t) => {
  const { applier, clock } = newApplier(t);
  const dns = await frontend(await Promise.all(['a', 'b', 'c', 'd'].map((name) => udpServer(t, name))), { protocol: 'udp' });
  await applier.apply(planOf([dns]));
  const client = createSocket('udp4');
  t.after(() => client.close());
  const askUdp = () =>
    new Promise<string>((resolve) => {
      client.once('message', (data) => resolve(String(data)));
      client.send('hello', dns.port, '127.0.0.1');
    });
  const first = await askUdp();
  for (let i = 0; i < 5; i++) assert.equal(await askUdp(), first);
  const answers = new Set<string>();
  for (let i = 0; i < 40; i++) {
    await clock.step(121_000);
    answers.add(await askUdp());
  }
  assert.equal(answers.size, 4);
});

test('an address the machine lacks is claimed while it is in use', async (t) => {
  const claimed: string[] = [];
  const applier = new Userspace({
    clock: new VirtualClock(),
    random: seededRandom(1),
    log: silentLog,
    claimAddress: async (address) => void claimed.push(`+${address}`),
    releaseAddress: async (address) => void claimed.push(`-${address}`),
  });
  t.after(() => applier.close());
  // 192.0.2.0/24 is nobody's (RFC 5737), so even claimed it cannot be listened at here.
  await applier.apply(planOf([await frontend([{ address: '127.0.0.1', port: 1 }], { address: '192.0.2.77' })]));
  await applier.apply(planOf([]));
  assert.deepEqual(claimed, ['+192.0.2.77', '-192.0.2.77']);
});
