import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';
import { type Pod, pods } from '../../api/core.ts';
import { systemClock } from '../../base/clock.ts';
import { certificateAuthenticator } from '../authn/authenticator.ts';
import { type FakeKubelet, startFakeKubelet } from '../kubelet-fixture.ts';
import { ensurePki, type Pki } from '../pki/pki.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';

let directory: string;
let pki: Pki;
let fixture: ServerFixture;
let port: number;
let kubelet: FakeKubelet;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'pki-'));
  pki = await ensurePki({ directory, serverNames: ['127.0.0.1'], serviceAddress: '10.96.0.1', nodes: { n1: [] }, clock: systemClock });
  kubelet = await startFakeKubelet(pki, 'n1', (request, response) => {
    if (request.url?.includes('/waiting'))
      response.writeHead(400).end('container "c" in pod "waiting" is waiting to start: ContainerCreating\n');
    else response.writeHead(200, { 'content-type': 'text/plain' }).end('a line\n');
  });
  const { certPem: cert, keyPem: key } = pki.apiServerKubeletClient;
  fixture = await startServer({ authenticators: [certificateAuthenticator], kubelet: { cert, key, ca: pki.authority.certPem } });
  ({ port } = await fixture.server.listen({
    host: '127.0.0.1',
    port: 0,
    tls: { cert: pki.apiServer.certPem, key: pki.apiServer.keyPem, clientCa: pki.authority.certPem },
  }));
  await kubelet.register(fixture.client);
  for (const name of ['p', 'waiting']) await fixture.client.create(pods, podOf(name, ['c'], 'n1'));
  await fixture.client.create(pods, podOf('two', ['a', 'b'], 'n1'));
  await fixture.client.create(pods, podOf('pending', ['c']));
});
after(async () => {
  await fixture.close();
  await kubelet.close();
  rmSync(directory, { recursive: true });
});

const podOf = (name: string, containers: string[], nodeName?: string): Pod => ({
  metadata: { name, namespace: 'default' },
  spec: { containers: containers.map((container) => ({ name: container, image: 'i' })), ...(nodeName ? { nodeName } : {}) },
});
const path = '/api/v1/namespaces/default/pods';

test('a log comes from the kubelet of the pod, which knows the API server by its certificate', async () => {
  const { status, text } = await fixture.ask('GET', `${path}/p/log?follow=true&tailLines=5`);
  assert.deepEqual([status, text], [200, 'a line\n']);
  assert.equal(kubelet.seen.at(-1), 'kube-apiserver-kubelet-client GET /containerLogs/default/p/c?follow=true&tailLines=5');
});

test('a pod on no node has an empty log; what the kubelet refuses is said in its words', async () => {
  assert.deepEqual((await fixture.ask('GET', `${path}/pending/log`)).text, '');
  const waiting = await fixture.ask('GET', `${path}/waiting/log`);
  assert.deepEqual([waiting.status, waiting.json.message], [400, 'container "c" in pod "waiting" is waiting to start: ContainerCreating']);
});

test('which container is meant must be clear', async () => {
  const unclear = await fixture.ask('GET', `${path}/two/log`);
  assert.equal(unclear.json.message, 'a container name must be specified for pod two, choose one of: [a b]');
  const unknown = await fixture.ask('GET', `${path}/two/log?container=x`);
  assert.equal(unknown.json.message, 'container x is not valid for pod two');
  assert.equal((await fixture.ask('GET', `${path}/two/log?container=b`)).status, 200);
});

test('exec without an upgrade is a bad request', async () => {
  const answer = await fixture.ask('POST', `${path}/p/exec?command=ls`);
  assert.deepEqual([answer.status, answer.json.message], [400, 'Upgrade request required']);
});

interface Upgraded {
  status: number;
  headers: IncomingMessage['headers'];
  socket?: Duplex;
  text: string;
}

function upgrade(method: string, url: string, protocol: string): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      host: '127.0.0.1',
      port,
      path: url,
      method,
      headers: { connection: 'Upgrade', upgrade: protocol, 'x-stream-protocol-version': 'v4.channel.k8s.io' },
      ca: pki.authority.certPem,
      cert: pki.admin.certPem,
      key: pki.admin.keyPem,
      agent: false,
    });
    request.once('upgrade', (response, socket) => resolve({ status: 101, headers: response.headers, socket, text: '' }));
    request.once('response', async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() });
    });
    request.once('error', reject);
    request.end();
  });
}

test('exec and port-forward are carried byte for byte, whatever protocol they speak', async () => {
  for (const [method, protocol, url, expected] of [
    [
      'POST',
      'SPDY/3.1',
      `${path}/p/exec?command=sh&command=-c&stdin=true&stdout=true`,
      '/exec/default/p/c?input=1&output=1&command=sh&command=-c',
    ],
    ['GET', 'websocket', `${path}/p/attach?stdout=true&tty=true`, '/attach/default/p/c?output=1&tty=1'],
    ['POST', 'SPDY/3.1', `${path}/p/portforward`, '/portForward/default/p'],
  ] as const) {
    const { status, headers, socket } = await upgrade(method, url, protocol);
    assert.equal(status, 101);
    assert.equal(headers['x-echo'], 'yes');
    assert.equal(kubelet.seen.at(-1), `kube-apiserver-kubelet-client ${method} ${expected}`);
    assert.ok(socket);
    const bytes = Buffer.from([0, 1, 254, 255, 13, 10]);
    const echoed = new Promise<Buffer>((resolve) => socket.once('data', resolve));
    socket.write(bytes);
    assert.deepEqual(await echoed, bytes);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.end();
    await closed;
  }
});

test('a refused upgrade is answered with a Status', async () => {
  const { status, text } = await upgrade('POST', `${path}/none/exec?command=ls`, 'SPDY/3.1');
  assert.equal(status, 404);
  assert.equal(JSON.parse(text).message, 'pods "none" not found');
});
