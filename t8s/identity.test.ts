// Authenticators and authorizers as flags make them, against services of the test's own over HTTPS.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { isStatus } from '../api/status.ts';
import { authenticate } from '../apiserver/authn/authenticator.ts';
import { BootstrapTokens } from '../apiserver/authn/bootstrap-tokens.ts';
import { ServiceAccountTokens } from '../apiserver/authn/service-account-tokens.ts';
import { createAuthority, createCertificate, createSigningKey, type KeyPairPem } from '../apiserver/pki/certificates.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { type ConfigFlags, readConfig } from './config.ts';
import { createAuthenticators, createAuthorization } from './identity.ts';

let directory: string;
let authority: KeyPairPem;
let serving: KeyPairPem;
before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'identity-'));
  authority = await createAuthority('test', systemClock);
  serving = await createCertificate(
    authority,
    { commonName: 'server', serverNames: ['127.0.0.1'], isClient: false, validDays: 1 },
    systemClock,
  );
  writeFileSync(join(directory, 'ca.crt'), authority.certPem);
});
after(() => rmSync(directory, { recursive: true }));

/** A service that answers every request with what `answer` says, or with the status code that it is. */
async function serve(t: TestContext, answer: (path: string, body: string) => unknown): Promise<string> {
  const server: Server = createServer({ cert: serving.certPem, key: serving.keyPem }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const said = answer(request.url ?? '', Buffer.concat(chunks).toString());
    response.statusCode = typeof said === 'number' ? said : 200;
    response.end(typeof said === 'number' ? '' : JSON.stringify(said));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function kubeconfigOf(server: string): string {
  const file = join(directory, `${new URL(server).port}.yaml`);
  const config = {
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c' } }],
    clusters: [{ name: 'c', cluster: { server, 'certificate-authority': 'ca.crt' } }],
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

async function authenticatorsOf(flags: ConfigFlags) {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const serviceAccountTokens = new ServiceAccountTokens({ key: await createSigningKey(), clock, random });
  const own = { serviceAccountTokens, bootstrapTokens: new BootstrapTokens({ clock }) };
  const chain = await createAuthenticators(readConfig(flags, {}, true), own, { clock, random, log: silentLog });
  return { clock, who: (token: string) => authenticate(chain, { token, certificate: undefined, headers: {} }) };
}

test('a webhook that is asked whose a token is is asked once in two minutes', async (t) => {
  const asked: string[] = [];
  const server = await serve(t, (_path, body) => {
    const { token, audiences } = JSON.parse(body).spec;
    asked.push(token);
    assert.deepEqual(audiences, ['https://kubernetes.default.svc.cluster.local']);
    if (token === 'broken') return 400;
    return { status: token === 'good' ? { authenticated: true, user: { username: 'ann', groups: ['dev'] } } : { authenticated: false } };
  });
  const { clock, who } = await authenticatorsOf({ authenticationTokenWebhookConfigFile: kubeconfigOf(server) });
  const ann = { name: 'ann', groups: ['dev', 'system:authenticated'] };
  assert.deepEqual(await who('good'), ann);
  assert.equal(await who('bad'), undefined);
  assert.deepEqual(await who('good'), ann);
  assert.equal(await who('bad'), undefined);
  assert.deepEqual(asked, ['good', 'bad']);
  await clock.step(120_001);
  assert.deepEqual(await who('good'), ann);
  assert.equal(asked.length, 3);
  await assert.rejects(who('broken'), (error) => isStatus(error, 'Unauthorized'));
});

test('a webhook that decides may allow, deny, or leave it to the next; its answers hold for a while', async (t) => {
  const asked: object[] = [];
  const server = await serve(t, (_path, body) => {
    const { spec } = JSON.parse(body);
    asked.push(spec);
    const verb = spec.resourceAttributes?.verb ?? spec.nonResourceAttributes.verb;
    if (verb === 'patch') return 404;
    return { status: { allowed: verb === 'get', denied: verb === 'delete', reason: `because of ${verb}` } };
  });
  const clock = new VirtualClock();
  const flags = { authorizationMode: 'Webhook,RBAC', authorizationWebhookConfigFile: kubeconfigOf(server) };
  const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
  const yes = {
    authorizer: () => ({ decision: 'allow', reason: 'RBAC' }) as const,
    rulesOf: () => ({ rules, problems: [], isIncomplete: false }),
  };
  const own = { node: yes, rbac: yes };
  const { authorizer, rulesOf } = await createAuthorization(readConfig(flags, {}, true), own, {
    clock,
    random: seededRandom(1),
    log: silentLog,
  });
  const ask = (verb: string) =>
    authorizer({
      user: { name: 'ann', groups: ['dev'] },
      verb,
      isResourceRequest: true,
      group: 'apps',
      version: 'v1',
      resource: 'deployments',
      subresource: '',
      namespace: 'n',
      name: '',
      path: '',
    });
  const webhook = { type: 'Webhook', name: 'default' };
  const rbac = { type: 'RBAC', name: 'rbac' };
  assert.deepEqual(await ask('get'), { decision: 'allow', reason: 'because of get', by: webhook });
  assert.deepEqual(await ask('delete'), { decision: 'deny', reason: 'because of delete', by: webhook });
  assert.deepEqual(await ask('list'), { decision: 'allow', reason: 'RBAC', by: rbac });
  assert.deepEqual(await ask('patch'), { decision: 'allow', reason: 'RBAC', by: rbac });
  assert.deepEqual(rulesOf({ name: 'ann', groups: [] }, 'n'), {
    rules,
    problems: ['webhook authorizer does not support user rule resolution'],
    isIncomplete: true,
  });
  assert.deepEqual(asked[0], {
    user: 'ann',
    groups: ['dev'],
    resourceAttributes: { namespace: 'n', verb: 'get', group: 'apps', version: 'v1', resource: 'deployments' },
  });
  await ask('get');
  await ask('delete');
  assert.equal(asked.length, 4);
  await clock.step(30_001);
  await ask('get');
  await ask('delete');
  assert.equal(asked.length, 5);
});

test("an issuer's ID token is believed when it is for us, in time and signed with a key that the issuer publishes now", async (t) => {
  const first = await generateKeyPair('RS256');
  const second = await generateKeyPair('RS256');
  let published = [{ ...(await exportJWK(first.publicKey)), kid: '1', alg: 'RS256', use: 'sig' }];
  const server: string = await serve(t, (path) => {
    if (path === '/.well-known/openid-configuration') return { issuer: server, jwks_uri: `${server}/keys` };
    return path === '/keys' ? { keys: published } : 404;
  });
  const { clock, who } = await authenticatorsOf({
    oidcIssuerUrl: server,
    oidcClientId: 'kubernetes',
    oidcCaFile: join(directory, 'ca.crt'),
    oidcUsernameClaim: 'email',
    oidcGroupsClaim: 'groups',
    oidcGroupsPrefix: 'oidc:',
    oidcRequiredClaim: 'hd=example.com',
  });
  const nowSeconds = () => Math.floor(clock.nowMs() / 1000);
  const token = (claims: object = {}, { key = first.privateKey, kid = '1', aud = 'kubernetes', iss = server } = {}) =>
    new SignJWT({ email: 'ann@example.com', hd: 'example.com', groups: ['dev'], ...claims })
      .setProtectedHeader({ alg: 'RS256', kid })
      .setIssuer(iss)
      .setAudience(aud)
      .setExpirationTime(nowSeconds() + 600)
      .sign(key);
  const refused = async (given: string) => assert.rejects(who(given), (error) => isStatus(error, 'Unauthorized'));
  const ann = { name: 'ann@example.com', groups: ['oidc:dev', 'system:authenticated'] };
  const early = await token();
  assert.deepEqual(await who(early), ann);
  await refused(await token({}, { aud: 'other' }));
  await refused(await token({ hd: 'elsewhere' }));
  await refused(await token({ email_verified: false }));
  await refused(await token({ groups: 7 }));
  await refused(await token({}, { key: second.privateKey }));
  assert.equal(await who(await token({}, { iss: 'https://elsewhere' })), undefined);
  published = [{ ...(await exportJWK(second.publicKey)), kid: '2', alg: 'RS256', use: 'sig' }];
  await clock.step(10_001);
  assert.deepEqual(await who(await token({}, { key: second.privateKey, kid: '2' })), ann);
  await clock.step(700_000);
  await refused(early);
});
