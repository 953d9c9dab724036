// A front proxy that names its users in headers, over real TLS.

import assert from 'node:assert/strict';
import { request } from 'node:https';
import { after, before, test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { createAuthority, createCertificate, type KeyPairPem } from '../pki/certificates.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';
import { certificateAuthenticator } from './authenticator.ts';
import { publishAuthentication } from './request-header.ts';

let server: ServerFixture;
let port = 0;
let clientCa: KeyPairPem;
let proxy: KeyPairPem;
let otherProxy: KeyPairPem;
let client: KeyPairPem;
let proxyCa: KeyPairPem;

before(async () => {
  clientCa = await createAuthority('kubernetes', systemClock);
  proxyCa = await createAuthority('front-proxy-ca', systemClock);
  const issue = (authority: KeyPairPem, commonName: string, more: object = {}) =>
    createCertificate(authority, { commonName, isClient: true, validDays: 1, ...more }, systemClock);
  proxy = await issue(proxyCa, 'front-proxy-client');
  otherProxy = await issue(proxyCa, 'admin', { organizations: ['system:masters'] });
  client = await issue(clientCa, 'front-proxy-client');
  const served = await createCertificate(
    clientCa,
    { commonName: 's', serverNames: ['localhost'], isClient: false, validDays: 1 },
    systemClock,
  );
  const requestHeader = { ca: proxyCa.certPem, allowedNames: ['front-proxy-client'] };
  server = await startServer({
    requestHeader,
    authenticators: [certificateAuthenticator],
    authorizer: () => ({ decision: 'allow' }),
    begin: [(parts) => publishAuthentication(parts, clientCa.certPem, requestHeader)],
  });
  const tls = { cert: served.certPem, key: served.keyPem, clientCa: clientCa.certPem };
  port = (await server.server.listen({ host: '127.0.0.1', port: 0, tls })).port;
});
after(() => server.close());

const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

/** Who the server says it is, or the code of its refusal. */
function whoAmI(certificate: KeyPairPem, headers: Record<string, string | string[]>): Promise<Record<string, unknown> | number> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: 'localhost',
        port,
        path,
        method: 'POST',
        agent: false,
        ca: clientCa.certPem,
        cert: certificate.certPem,
        key: certificate.keyPem,
        headers: { 'content-type': 'application/json', ...headers },
      },
      async (response) => {
        let text = '';
        for await (const chunk of response) text += String(chunk);
        resolve(response.statusCode === 201 ? JSON.parse(text).status.userInfo : (response.statusCode ?? 0));
      },
    );
    asked.on('error', reject);
    asked.end('{}');
  });
}

const jane = {
  'X-Remote-User': 'jane',
  'X-Remote-Group': ['dev', 'cn=ops,ou=all'],
  'X-Remote-Uid': 'u1',
  'X-Remote-Extra-Example.com%2fScope': 'all',
};

test('a proxy speaks for the user that its headers name', async () => {
  assert.deepEqual(await whoAmI(proxy, jane), {
    username: 'jane',
    uid: 'u1',
    groups: ['dev', 'cn=ops,ou=all', 'system:authenticated'],
    extra: { 'example.com/scope': ['all'] },
  });
});

test('the headers of anybody else say nothing', async () => {
  assert.equal(((await whoAmI(client, jane)) as { username: string }).username, 'front-proxy-client', 'a client of that name is itself');
});

test('a certificate of the proxies makes no client, and no proxy of another name', async () => {
  assert.equal(await whoAmI(proxy, {}), 401);
  assert.equal(await whoAmI(otherProxy, jane), 401);
  assert.equal(await whoAmI(otherProxy, {}), 401, 'not even of a name and group that may do everything');
});

test('extension servers find out whom to believe', async () => {
  const { json } = await server.ask('GET', '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication');
  assert.equal(json.data['requestheader-client-ca-file'], proxyCa.certPem);
  assert.equal(json.data['client-ca-file'], clientCa.certPem);
  assert.deepEqual(JSON.parse(json.data['requestheader-allowed-names']), ['front-proxy-client']);
});
