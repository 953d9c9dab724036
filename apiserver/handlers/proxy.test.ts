// Proxies to nodes, pods and services: what is passed on, what comes back, and what is refused. Nodes stand for all three
// where something is reached, for only a kubelet may be at a loopback address.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';
import { apiServices } from '../../api/apiregistration.ts';
import { type Pod, pods, services } from '../../api/core.ts';
import { endpointSlices } from '../../api/discovery.ts';
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
let answer: RequestListener;
let last: IncomingMessage;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'pki-'));
  pki = await ensurePki({ directory, serverNames: ['127.0.0.1'], serviceAddress: '10.96.0.1', nodes: { n1: [] }, clock: systemClock });
  kubelet = await startFakeKubelet(pki, 'n1', (request, response) => {
    last = request;
    answer(request, response);
  });
  const { certPem: cert, keyPem: key } = pki.apiServerKubeletClient;
  fixture = await startServer({ authenticators: [certificateAuthenticator], kubelet: { cert, key, ca: pki.authority.certPem } });
  const tls = { cert: pki.apiServer.certPem, key: pki.apiServer.keyPem, clientCa: pki.authority.certPem };
  ({ port } = await fixture.server.listen({ host: '127.0.0.1', port: 0, tls }));
  await kubelet.register(fixture.client);
});
after(async () => {
  await fixture.close();
  await kubelet.close();
  rmSync(directory, { recursive: true });
});

function open(method: string, path: string, headers: Record<string, string> = {}) {
  const { certPem: cert, keyPem: key } = pki.admin;
  return httpsRequest({ host: '127.0.0.1', port, path, method, headers, ca: pki.authority.certPem, cert, key, agent: false });
}

async function ask(method: string, path: string, { headers = {}, body }: { headers?: Record<string, string>; body?: string } = {}) {
  const request = open(method, path, headers);
  const answered = new Promise<IncomingMessage>((resolve, reject) => request.once('response', resolve).once('error', reject));
  request.end(body);
  const response = await answered;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() };
}

const root = '/api/v1/nodes/n1/proxy';

test('path, query, method, body and headers go on; credentials do not', async () => {
  let body = '';
  answer = async (request, response) => {
    for await (const chunk of request) body += String(chunk);
    response.writeHead(201, { 'x-own': 'yes', 'access-control-allow-origin': '*', connection: 'x-hop', 'x-hop': '1' }).end('made');
  };
  const headers = { authorization: 'Bearer x', cookie: 'a=b', 'x-remote-user': 'me', 'x-forwarded-for': '192.0.2.1', host: 'localhost:1' };
  const { status, headers: got, text } = await ask('PATCH', `${root}/a%2Fb/c/?q=%20x+y&q=~`, { headers, body: 'hello' });
  assert.deepEqual([status, text, got['x-own'], body], [201, 'made', 'yes', 'hello']);
  assert.deepEqual([got['access-control-allow-origin'], got['x-hop']], [undefined, undefined]);
  assert.deepEqual([last.method, last.url], ['PATCH', '/a%2Fb/c/?q=%20x+y&q=~']);
  assert.deepEqual([last.headers.authorization, last.headers['x-remote-user'], last.headers.cookie], [undefined, undefined, 'a=b']);
  assert.equal(last.headers['x-forwarded-for'], '192.0.2.1, 127.0.0.1');
  assert.equal(last.headers['x-forwarded-uri'], `${root}/a%2Fb/c/`);
  assert.equal(last.headers.host, 'localhost:1');
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
    answer = (_, response) => void response.writeHead(200, { 'content-length': '2' }).end('ok');
    const answered = await ask(method, `${root}/x`);
    assert.deepEqual([last.method, answered.status, answered.headers['content-length']], [method, 200, '2']);
    assert.equal(answered.text, method === 'HEAD' ? '' : 'ok');
  }
});

test('what the other server answers comes back as it is, whatever its code', async () => {
  for (const code of [204, 304, 404, 418, 500, 503]) {
    answer = (_, response) => void response.writeHead(code, { 'content-type': 'text/x' }).end(code < 400 ? undefined : `code ${code}`);
    const { status, headers, text } = await ask('GET', `${root}/x`);
    assert.deepEqual([status, headers['content-type'], text], [code, 'text/x', code < 400 ? '' : `code ${code}`]);
  }
});

test('both bodies are passed on as they come', async () => {
  answer = (request, response) => {
    response.writeHead(202);
    request.pipe(response);
  };
  const request = open('POST', `${root}/echo`);
  const answered = new Promise<IncomingMessage>((resolve) => request.once('response', resolve));
  request.write('one');
  const response = await answered;
  const next = async () => String(await new Promise((resolve) => response.once('data', resolve)));
  assert.deepEqual([response.statusCode, await next()], [202, 'one']);
  request.write('two');
  assert.equal(await next(), 'two');
  const ended = new Promise((resolve) => response.once('end', resolve));
  request.end();
  await ended;
});

test('the root is asked for with a slash, and redirects and links lead back through the proxy', async () => {
  const bare = await ask('GET', `${root}?a=b`);
  assert.deepEqual([bare.status, bare.headers.location], [301, `${root}/?a=b`]);
  answer = (_, response) => void response.end('ok');
  assert.equal((await ask('POST', root)).text, 'ok');
  assert.equal(last.url, '/');
  answer = (request, response) => void response.writeHead(302, { location: String(request.headers['x-to']) }).end();
  for (const [to, expected] of [
    ['/y?z', `${root}/y?z`],
    ['y', 'y'],
    ['http://elsewhere/y', 'http://elsewhere/y'],
  ] as const)
    assert.equal((await ask('GET', `${root}/x`, { headers: { 'x-to': to } })).headers.location, expected);
  const page = '<a href="/rewriteme">é</a>';
  answer = (_, response) =>
    void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-length': Buffer.byteLength(page) }).end(page);
  const { text, headers } = await ask('GET', `${root}/x/`);
  assert.equal(text, `<a href="${root}/rewriteme">é</a>`);
  assert.equal(Number(headers['content-length'] ?? Buffer.byteLength(text)), Buffer.byteLength(text));
});

test('a large page is passed on without being held whole', async () => {
  const piece = Buffer.alloc(1 << 20, '<a href="/x">');
  answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    for (let i = 0; i < 9; i++) response.write(piece);
    response.end();
  };
  assert.equal((await ask('GET', `${root}/big`)).text.length, 9 << 20);
});

test('an upgrade is carried; one that the other server does not take is told of', async () => {
  const upgrade = { connection: 'Upgrade', upgrade: 'echo' };
  const request = open('GET', `${root}/ws?x=1`, { ...upgrade, 'sec-websocket-protocol': 'p' });
  const upgraded = new Promise<Duplex>((resolve, reject) => request.once('upgrade', (_, socket) => resolve(socket)).once('error', reject));
  request.end();
  const socket = await upgraded;
  const echoed = new Promise((resolve) => socket.once('data', (data) => resolve(String(data))));
  socket.write('hello');
  assert.equal(await echoed, 'hello');
  assert.match(kubelet.seen.at(-1) ?? '', / GET \/ws\?x=1$/);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.destroy();
  await closed;
});

test('what an aggregated server streams or upgrades is carried in the name of who asks', async () => {
  const served = pki.kubelets['n1']?.server;
  const extension = createServer({ cert: served?.certPem, key: served?.keyPem });
  const answers: ServerResponse[] = [];
  extension.on('request', (request, response) => {
    response.setHeader('content-type', 'application/json');
    if (!request.url?.includes('watch=')) response.end('{"kind":"APIResourceList","resources":[]}');
    else {
      answers.push(response);
      response.write('{"type":"ADDED"}\n');
    }
  });
  extension.on('upgrade', (request, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    if (request.url?.endsWith('/no')) return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope');
    if (request.url?.endsWith('/fine')) return void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`);
    socket.write(`${String(request.headers['x-remote-user'])} `);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => extension.listen(0, 'localhost', resolve));
  const namespace = 'default';
  const service = { namespace, name: 'x', port: (extension.address() as AddressInfo).port };
  await fixture.client.create(services, { metadata: { name: 'x', namespace }, spec: { type: 'ExternalName', externalName: 'localhost' } });
  const spec = { group: 'x.example.com', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1, insecureSkipTLSVerify: true, service };
  await fixture.client.create(apiServices, { metadata: { name: 'v1.x.example.com' }, spec });
  const things = '/apis/x.example.com/v1/things';
  for (let attempt = 0; attempt < 500 && (await fixture.ask('GET', things)).status !== 200; attempt++) await fixture.clock.step(1_000);

  const watch = open('GET', `${things}?watch=true`);
  const watching = new Promise<IncomingMessage>((resolve, reject) => watch.once('response', resolve).once('error', reject));
  watch.end();
  const events = await watching;
  const next = () => new Promise((resolve) => events.once('data', (chunk) => resolve(String(chunk))));
  assert.equal(await next(), '{"type":"ADDED"}\n');
  const second = next();
  answers[0]?.write('{"type":"DELETED"}\n');
  assert.equal(await second, '{"type":"DELETED"}\n', 'each event goes on by itself');
  const left = new Promise((resolve) => answers[0]?.once('close', resolve));
  watch.destroy();
  await left;

  const upgrading = (path: string, protocol: string) =>
    new Promise<{ response: IncomingMessage; socket?: Duplex }>((resolve, reject) => {
      const request = open(protocol === 'websocket' ? 'GET' : 'POST', path, { connection: 'Upgrade', upgrade: protocol });
      request.once('upgrade', (response, socket, head: Buffer) => {
        socket.unshift(head);
        resolve({ response, socket });
      });
      request.once('response', (response) => resolve({ response })).once('error', reject);
      request.end();
    });
  for (const protocol of ['websocket', 'SPDY/3.1']) {
    const { socket } = await upgrading(`${things}/a/console`, protocol);
    assert.ok(socket, protocol);
    let heard = '';
    const whole = new Promise<void>((resolve) =>
      socket.on('data', (chunk) => {
        heard += String(chunk);
        if (heard.endsWith('hello')) resolve();
      }),
    );
    socket.write('hello');
    await whole;
    assert.equal(heard, 'kubernetes-admin hello');
    socket.destroy();
  }
  const textOf = async (response: IncomingMessage) => {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return [response.statusCode, Buffer.concat(chunks).toString()];
  };
  assert.deepEqual(await textOf((await upgrading(`${things}/no`, 'websocket')).response), [403, 'nope']);
  assert.deepEqual(await textOf((await upgrading(`${things}/fine`, 'websocket')).response), [
    503,
    'invalid upgrade response: status code 200\n',
  ]);
  extension.closeAllConnections();
  await new Promise((resolve) => extension.close(resolve));
});

const podAt = async (name: string, ip: string | undefined, ports: object[] = []) => {
  await fixture.client.create(pods, {
    metadata: { name, namespace: 'default' },
    spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i', ports }] },
  } as Pod);
  const status = { phase: 'Running', ...(ip ? { podIP: ip, podIPs: [{ ip }] } : {}) };
  await fixture.client.updateStatus(pods, { metadata: { name, namespace: 'default' }, status } as Pod);
};
const refusal = async (path: string) => {
  const { status, json } = await fixture.ask('GET', `/api/v1/${path}/`);
  return [status, json.message];
};

test('a name that cannot be read and an address that nobody may be led to are refused', async () => {
  assert.deepEqual(await refusal('namespaces/default/pods/ftp:p:1/proxy'), [400, 'invalid pod request "ftp:p:1"']);
  assert.deepEqual(await refusal('namespaces/default/services/a:b:c:d/proxy'), [400, 'invalid service request "a:b:c:d"']);
  assert.deepEqual(await refusal('nodes/http::1/proxy'), [400, 'invalid node request "http::1"']);
  assert.deepEqual(await refusal('namespaces/default/pods/none/proxy'), [404, 'pods "none" not found']);
  assert.deepEqual(await refusal('nodes/n1:8080/proxy'), [400, 'address not allowed']);
  const addresses = [undefined, '127.0.0.1', '127.1.2.3', '169.254.169.254', '0.0.0.0', '224.0.0.1', '::1', 'fe80::1'];
  for (const [i, ip] of addresses.entries()) {
    await podAt(`p${i}`, ip);
    assert.deepEqual(await refusal(`namespaces/default/pods/p${i}/proxy`), [400, 'address not allowed'], String(ip));
  }
  await podAt('fit', '192.0.2.7', [{ containerPort: 80, name: 'web' }]);
  assert.deepEqual(await refusal('namespaces/default/pods/fit:web/proxy'), [
    503,
    'error trying to reach service: dial tcp: lookup tcp/web: unknown port',
  ]);
});

test('a service is led to by its port, and only to addresses of pods', async () => {
  const namespace = 'default';
  await fixture.client.create(services, {
    metadata: { name: 's', namespace },
    spec: { ports: [{ name: 'web', port: 80 }] },
  });
  const at = (port: string) => refusal(`namespaces/default/services/s${port}/proxy`);
  const none = [503, 'no endpoints available for service "s"'];
  assert.deepEqual(await at(':81'), [503, 'no service port 81 found for service "s"']);
  for (const each of ['', ':80', ':web']) assert.deepEqual(await at(each), none, each);
  assert.equal((await refusal('namespaces/default/services/none:web/proxy'))[0], 404);
  await podAt('of-s', '192.0.2.8');
  const slice = (name: string, address: string, targetRef?: object) =>
    fixture.client.create(endpointSlices, {
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': 's' } },
      addressType: 'IPv4',
      ports: [{ name: 'web', port: 8080 }],
      endpoints: [{ addresses: [address], conditions: { ready: true }, ...(targetRef ? { targetRef } : {}) }],
    });
  await slice('unnamed', '192.0.2.9');
  await slice('lying', '192.0.2.10', { kind: 'Pod', name: 'of-s', namespace });
  await slice('foreign', '192.0.2.8', { kind: 'Pod', name: 'of-s', namespace: 'other' });
  assert.deepEqual(await at(':web'), none);
});
