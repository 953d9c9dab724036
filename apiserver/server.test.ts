import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { configMaps } from '../api/core.ts';
import { isStatus } from '../api/status.ts';
import { systemClock } from '../base/clock.ts';
import { createHttpsTransport } from '../client/https-transport.ts';
import { createClient } from '../client/rest-client.ts';
import { readBody } from '../client/transport.ts';
import { certificateAuthenticator } from './authn/authenticator.ts';
import { parseTokenFile, staticTokenAuthenticator } from './authn/static-tokens.ts';
import { createAuthority, createCertificate } from './pki/certificates.ts';
import { ensurePki } from './pki/pki.ts';
import { startServer } from './server-fixture.ts';

test('an object is created, read, listed, changed and deleted in-process', async () => {
  const { client, close } = await startServer();
  const at = { namespace: 'default', name: 'a' };
  const made = await client.create(configMaps, { metadata: at, data: { x: '1' } });
  assert.match(made.metadata?.uid ?? '', /^[0-9a-f-]{36}$/);
  assert.deepEqual((await client.get(configMaps, at)).data, { x: '1' });
  assert.equal((await client.list(configMaps)).items.length, 1);
  const changed = await client.update(configMaps, { ...made, data: { x: '2' } });
  assert.ok(Number(changed.metadata?.resourceVersion) > Number(made.metadata?.resourceVersion));
  await assert.rejects(client.update(configMaps, made), (error) => isStatus(error, 'Conflict'));
  await client.delete(configMaps, at);
  await assert.rejects(client.get(configMaps, at), (error) => isStatus(error, 'NotFound'));
  await close();
});

test('over HTTPS and WebSocket a client certificate of the authority or a known token is let in, anything else is refused', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pki-'));
  const pki = await ensurePki({ directory, serverNames: ['127.0.0.1'], serviceAddress: '10.96.0.1', nodes: {}, clock: systemClock });
  const tokens = staticTokenAuthenticator(parseTokenFile('good,ann,1,system:masters\nweak,bob,2,'));
  const { server, close } = await startServer({ authenticators: [certificateAuthenticator, tokens] });
  const { port } = await server.listen({
    host: '127.0.0.1',
    port: 0,
    tls: { cert: pki.apiServer.certPem, key: pki.apiServer.keyPem, clientCa: pki.authority.certPem },
  });
  const base = { server: `https://127.0.0.1:${port}`, ca: pki.authority.certPem };
  const admin = createHttpsTransport({ ...base, cert: pki.admin.certPem, key: pki.admin.keyPem });
  const ann = createHttpsTransport({ ...base, token: 'good' });
  const bob = createHttpsTransport({ ...base, token: 'weak' });
  const stranger = createHttpsTransport({ ...base, token: 'wrong' });
  const nobody = createHttpsTransport(base);
  const other = await createAuthority('kubernetes', systemClock);
  const pair = await createCertificate(
    other,
    { commonName: 'eve', organizations: ['system:masters'], isClient: true, validDays: 1 },
    systemClock,
  );
  const foreign = createHttpsTransport({ ...base, cert: pair.certPem, key: pair.keyPem });
  try {
    const created = await createClient(admin).create(configMaps, { metadata: { namespace: 'default', name: 'a' } });
    assert.equal((await createClient(ann).get(configMaps, { namespace: 'default', name: 'a' })).metadata?.uid, created.metadata?.uid);
    await assert.rejects(createClient(bob).list(configMaps, { namespace: 'default' }), {
      message: 'configmaps is forbidden: User "bob" cannot list resource "configmaps" in API group "" in the namespace "default"',
    });
    await assert.rejects(createClient(stranger).list(configMaps), { message: 'Unauthorized' });
    await assert.rejects(createClient(nobody).list(configMaps), {
      message: 'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" at the cluster scope',
    });
    await assert.rejects(createClient(foreign).list(configMaps), { message: 'Unauthorized' });
    const encoded = `base64url.bearer.authorization.k8s.io.${Buffer.from('good').toString('base64url')}`;
    const browser = new WebSocket(`wss://127.0.0.1:${port}/api/v1/namespaces/default/configmaps?watch=1`, ['v4.channel.k8s.io', encoded], {
      ca: pki.authority.certPem,
    });
    await once(browser, 'message');
    browser.close();
    await once(browser, 'close');
    const socket = new WebSocket(`wss://127.0.0.1:${port}/api/v1/namespaces/default/configmaps?watch=1`, {
      ca: pki.authority.certPem,
      headers: { authorization: 'Bearer good' },
    });
    const [message] = (await once(socket, 'message')) as [Buffer];
    const event = JSON.parse(message.toString()) as { type: string; object: { metadata: { name: string } } };
    assert.deepEqual([event.type, event.object.metadata.name], ['ADDED', 'a']);
    socket.close();
    await once(socket, 'close');
    const binary = new WebSocket(`wss://127.0.0.1:${port}/api/v1/namespaces/default/configmaps?watch=1`, {
      ca: pki.authority.certPem,
      headers: { authorization: 'Bearer good', accept: 'application/vnd.kubernetes.protobuf' },
    });
    const [frame, isBinary] = (await once(binary, 'message')) as [Buffer, boolean];
    // A WatchEvent: its type, and then the object in its own envelope.
    assert.equal(isBinary, true);
    assert.deepEqual(frame.subarray(0, 7), Buffer.from([0x0a, 5, ...Buffer.from('ADDED')]));
    assert.ok(frame.includes(Buffer.from('k8s\0')));
    binary.close();
    await once(binary, 'close');
    const health = await nobody.request({ method: 'GET', path: '/readyz' });
    assert.equal((await readBody(health)).toString(), 'ok');
  } finally {
    for (const transport of [admin, ann, bob, stranger, nobody, foreign]) await transport.close();
    await close();
    rmSync(directory, { recursive: true });
  }
});
