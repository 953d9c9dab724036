// Several API servers on one real etcd: what one has answered, the others know.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEtcdStore } from '../store/etcd.ts';
import { etcdIsInstalled, startEtcdServer } from '../testing/etcd-server.ts';
import { startServer } from './server-fixture.ts';

const skip = etcdIsInstalled() ? false : 'there is no etcd on this machine';

test('a list at one server holds what another has just written, also after writes that are no objects', { skip }, async (t) => {
  const etcd = await startEtcdServer();
  t.after(() => etcd.stop());
  const one = await startServer({ store: await openEtcdStore({ endpoints: [etcd.endpoint], prefix: '/cluster' }) });
  t.after(one.close);
  const two = await startServer({ store: await openEtcdStore({ endpoints: [etcd.endpoint], prefix: '/cluster' }) });
  t.after(two.close);
  const stranger = await openEtcdStore({ endpoints: [etcd.endpoint], prefix: '/another' });
  t.after(() => stranger.close());
  const path = '/api/v1/namespaces/default/configmaps';
  for (let round = 0; round < 20; round++) {
    assert.equal((await one.ask('POST', path, { metadata: { name: `c${round}` } })).status, 201);
    await one.store.put('/elsewhere', Buffer.from(String(round)));
    await stranger.put('/registry/x', Buffer.from(String(round)));
    const list = await two.ask('GET', path);
    assert.equal(list.status, 200);
    assert.equal(list.json.items.length, round + 1);
  }
});

test('of writes to one object at two servers at the same time none is lost', { skip }, async (t) => {
  const etcd = await startEtcdServer();
  t.after(() => etcd.stop());
  const servers = [];
  for (let number = 0; number < 2; number++) {
    const server = await startServer({ store: await openEtcdStore({ endpoints: [etcd.endpoint] }) });
    t.after(server.close);
    servers.push(server);
  }
  const path = '/api/v1/namespaces/default/configmaps';
  await servers[0]?.ask('POST', path, { metadata: { name: 'c' } });
  const patches = servers.flatMap(({ ask }, server) =>
    [0, 1].map((number) =>
      ask('PATCH', `${path}/c`, { data: { [`${server}-${number}`]: 'x' } }, { 'content-type': 'application/merge-patch+json' }),
    ),
  );
  for (const { status } of await Promise.all(patches)) assert.equal(status, 200);
  const { data } = (await servers[1]?.ask('GET', `${path}/c`))?.json ?? {};
  assert.deepEqual(Object.keys(data).sort(), ['0-0', '0-1', '1-0', '1-1']);
});
