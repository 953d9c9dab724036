import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { readBody } from '../../client/transport.ts';
import { createMemoryStore } from '../../store/memory.ts';
import { mastersAuthorizer } from '../authz/authorizer.ts';
import { allResources } from '../resources/all.ts';
import { type ApiServerOptions, createApiServer } from '../server.ts';
import { root, startServer } from '../server-fixture.ts';

const hooks = [
  'crd-informer-synced',
  'scheduling/bootstrap-system-priority-classes',
  'priority-and-fairness-config-producer',
  'priority-and-fairness-config-consumer',
  'rbac/bootstrap-roles',
  'apiservice-registration-controller',
].map((name) => `poststarthook/${name}`);

test('health is told in the words of Kubernetes: one by one, all at once, or but for some', async (t) => {
  let problem: string | undefined;
  const { ask, close } = await startServer({ healthChecks: [{ name: 'own/check', problem: () => problem }] });
  t.after(close);
  for (const endpoint of ['healthz', 'livez', 'readyz']) {
    const { status, text, headers } = await ask('GET', `/${endpoint}`);
    assert.deepEqual([status, text], [200, 'ok']);
    assert.deepEqual([headers['content-type'], headers['x-content-type-options']], ['text/plain; charset=utf-8', 'nosniff']);
  }
  const lines = (names: string[]) => names.map((name) => `[+]${name} ok\n`).join('');
  const readiness = ['ping', 'log', 'etcd', 'etcd-readiness', 'informer-sync', ...hooks, 'own/check', 'shutdown'];
  assert.equal((await ask('GET', '/readyz?verbose')).text, `${lines(readiness)}readyz check passed\n`);
  assert.equal((await ask('GET', '/livez?verbose=1')).text, `${lines(['ping', 'log', 'etcd', ...hooks, 'own/check'])}livez check passed\n`);
  for (const name of ['ping', 'etcd-readiness', 'poststarthook/rbac/bootstrap-roles', 'own/check']) {
    const { status, text } = await ask('GET', `/readyz/${name}`);
    assert.deepEqual([status, text], [200, 'ok'], name);
  }
  assert.equal((await ask('GET', '/livez/etcd-readiness')).status, 404, 'liveness has no such check');
  assert.equal((await ask('GET', '/healthz/nonsense')).status, 404);

  problem = 'the disk is full';
  const failed = await ask('GET', '/livez');
  assert.equal(failed.status, 500);
  assert.equal(failed.text, `${lines(['ping', 'log', 'etcd', ...hooks])}[-]own/check failed: reason withheld\nlivez check failed\n`);
  const one = await ask('GET', '/livez/own/check');
  assert.deepEqual([one.status, one.text], [500, 'internal server error: the disk is full\n']);
  assert.deepEqual([(await ask('GET', '/livez?exclude=own/check')).status, (await ask('GET', '/livez?exclude=etcd')).status], [200, 500]);
  const { text } = await ask('GET', '/livez?verbose&exclude=own/check&exclude=b&exclude=a');
  const warning = 'warn: some health checks cannot be excluded: no matches for "a","b"';
  assert.equal(text, `${lines(['ping', 'log', 'etcd', ...hooks])}[+]own/check excluded: ok\n${warning}\nlivez check passed\n`);
});

/** A server that nobody waits for, and how it answers a question. */
async function startingServer(options: Partial<ApiServerOptions>) {
  const store = createMemoryStore();
  const clock = new VirtualClock();
  const basics = { store, clock, random: seededRandom(1), log: silentLog, resources: allResources, authenticators: [] };
  const server = await createApiServer({ ...basics, authorizer: mastersAuthorizer, ...options });
  const transport = server.transport(root);
  const ask = async (path: string) => {
    const response = await transport.request({ method: 'GET', path });
    return { status: response.status, text: (await readBody(response)).toString() };
  };
  return { server, store, clock, ask };
}

test('until its start has ended a server says which step has not', async () => {
  const begun = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const begin = () => {
    reached.resolve();
    return begun.promise;
  };
  const { server, store, ask } = await startingServer({ begin: [begin] });
  await reached.promise;
  for (const path of ['/healthz', '/livez', '/readyz']) {
    const { status, text } = await ask(path);
    assert.equal(status, 500, path);
    const failed = text.split('\n').filter((line) => line.startsWith('[-]'));
    const last = ['rbac/bootstrap-roles', 'apiservice-registration-controller'];
    assert.deepEqual(
      failed,
      last.map((step) => `[-]poststarthook/${step} failed: reason withheld`),
    );
  }
  assert.equal((await ask('/livez/poststarthook/rbac/bootstrap-roles')).text, 'internal server error: not finished\n');
  begun.resolve();
  await server.ready();
  assert.equal((await ask('/readyz')).text, 'ok');
  await server.close(0);
  await store.close();
});

test('a server that ends goes on for as long as it was told to, but is not ready', async () => {
  const { server, store, clock, ask } = await startingServer({ shutdownDelaySeconds: 20 });
  await server.ready();
  const closed = server.close(0);
  await clock.step(19_000);
  const readiness = await ask('/readyz');
  assert.equal(readiness.status, 500);
  assert.match(readiness.text, /\[-\]shutdown failed: reason withheld\nreadyz check failed\n$/);
  assert.equal((await ask('/readyz/shutdown')).text, 'internal server error: process is shutting down\n');
  assert.deepEqual([(await ask('/livez')).status, (await ask('/api/v1/namespaces')).status], [200, 200]);
  await clock.step(1000);
  await closed;
  await store.close();
});
