import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { firstValueFrom, toArray } from 'rxjs';
import { configMaps } from '../api/core.ts';
import { isStatus } from '../api/status.ts';
import { createHttpsTransport } from './https-transport.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { createClient } from './rest-client.ts';

async function serve(t: TestContext, listener: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/base` };
}

const frame = (type: string, name: string) =>
  `${JSON.stringify({ type, object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } } })}\n`;

test('a watch hands over events as they come, however the bytes are cut', async (t) => {
  const { url } = await serve(t, async (_request, response) => {
    const bytes = Buffer.from(frame('ADDED', 'één') + frame('MODIFIED', 'two'));
    for (const byte of bytes) {
      response.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    response.end();
  });
  const transport = createHttpsTransport({ server: url });
  t.after(() => transport.close());
  const events = await firstValueFrom(createClient(transport).watch(configMaps).pipe(toArray()));
  assert.deepEqual(
    events.map((e) => `${e.type} ${e.object.metadata?.name}`),
    ['ADDED één', 'MODIFIED two'],
  );
});

test('unsubscribing from a watch hangs up', async (t) => {
  const hungUp = Promise.withResolvers<void>();
  const { url } = await serve(t, (_request, response) => {
    response.on('close', hungUp.resolve);
    response.write(frame('ADDED', 'one'));
  });
  const transport = createHttpsTransport({ server: url });
  t.after(() => transport.close());
  await firstValueFrom(createClient(transport).watch(configMaps));
  await hungUp.promise;
});

test("each request carries the newest token and the path before the server's own", async (t) => {
  const seen: string[] = [];
  const { url } = await serve(t, (request, response) => {
    seen.push(`${request.url} ${request.headers.authorization}`);
    response.end(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }));
  });
  let serial = 0;
  const transport = createHttpsTransport({ server: url, token: () => `token-${++serial}` });
  t.after(() => transport.close());
  const client = createClient(transport);
  await client.get(configMaps, { namespace: 'a', name: 'x' });
  await client.get(configMaps, { namespace: 'a', name: 'y/z' });
  assert.deepEqual(seen, [
    '/base/api/v1/namespaces/a/configmaps/x Bearer token-1',
    '/base/api/v1/namespaces/a/configmaps/y%2Fz Bearer token-2',
  ]);
});

test("a failure is the server's Status, or its code where it sent none", async (t) => {
  const { url } = await serve(t, (request, response) => {
    if (request.url?.endsWith('/plain')) {
      response.writeHead(503).end('no backend');
      return;
    }
    response
      .writeHead(409)
      .end(JSON.stringify({ kind: 'Status', status: 'Failure', reason: 'AlreadyExists', message: 'there', code: 409 }));
  });
  const transport = createHttpsTransport({ server: url });
  t.after(() => transport.close());
  const client = createClient(transport);
  await assert.rejects(
    client.get(configMaps, { namespace: 'a', name: 'x' }),
    (error) => isStatus(error, 'AlreadyExists') && error.message === 'there',
  );
  await assert.rejects(
    client.get(configMaps, { namespace: 'a', name: 'plain' }),
    (error) => isStatus(error, 'ServiceUnavailable') && error.message === 'no backend',
  );
});

test('an upgrade gives the socket, with what came behind the answer, and a refusal its Status', async (t) => {
  const { server, url } = await serve(t, (_request, response) => {
    response.writeHead(403).end(JSON.stringify({ kind: 'Status', reason: 'Forbidden', message: 'no', code: 403 }));
  });
  server.on('upgrade', (_request, socket) =>
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello'),
  );
  const transport = createHttpsTransport({ server: url });
  t.after(() => transport.close());
  const upgrade = transport.upgrade;
  assert.ok(upgrade);
  const answer = await upgrade({ method: 'GET', path: '/exec', headers: { connection: 'Upgrade', upgrade: 'echo' } });
  assert.equal(answer.status, 101);
  let text = '';
  for await (const chunk of answer.socket) text += chunk;
  assert.equal(text, 'hello');
  await assert.rejects(upgrade({ method: 'GET', path: '/exec' }), (error) => isStatus(error, 'Forbidden'));
});

test('a kubeconfig says which server and who we are; what it cannot say to us is refused by name', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  t.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'config');
  await writeFile(join(directory, 'client.key'), 'KEY');
  const config = {
    'current-context': 'one',
    contexts: [
      { name: 'one', context: { cluster: 'c', user: 'u', namespace: 'n' } },
      { name: 'two', context: { cluster: 'c', user: 'plugin' } },
    ],
    clusters: [
      { name: 'c', cluster: { server: 'https://localhost:6443', 'certificate-authority-data': Buffer.from('CA').toString('base64') } },
    ],
    users: [
      { name: 'u', user: { 'client-key': 'client.key', 'client-certificate-data': Buffer.from('CERT').toString('base64') } },
      { name: 'plugin', user: { exec: { command: 'aws' } } },
    ],
  };
  await writeFile(file, JSON.stringify(config));
  const { transport, namespace } = await readKubeconfig(file);
  assert.equal(namespace, 'n');
  assert.deepEqual(
    { ...transport, ca: String(transport.ca), cert: String(transport.cert), key: String(transport.key) },
    {
      server: 'https://localhost:6443',
      ca: 'CA',
      cert: 'CERT',
      key: 'KEY',
    },
  );
  await assert.rejects(readKubeconfig(file, { context: 'two' }), /user plugin uses exec, which is not supported/);
  await assert.rejects(readKubeconfig(file, { context: 'three' }), /there is no context "three"/);
});
