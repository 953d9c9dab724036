// Tokens of service accounts in a server: asked for, used, and good no longer than what they are bound to.

import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { namespaces, type Pod, pods, secrets, serviceAccounts } from '../../api/core.ts';
import { isStatus, StatusError } from '../../api/status.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { serviceAccountAdmission } from '../admission/service-account.ts';
import { startServer } from '../server-fixture.ts';
import { ServiceAccountTokens } from './service-account-tokens.ts';

function newKey() {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return { privatePem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), publicPem };
}

async function start(t: TestContext) {
  const clock = new VirtualClock();
  const key = newKey();
  const tokens = new ServiceAccountTokens({ key, clock, random: seededRandom(2) });
  const admission = serviceAccountAdmission({ clock, random: seededRandom(3) });
  const fixture = await startServer({ clock, serviceAccountTokens: tokens, admission: [admission], begin: [admission.begin] });
  t.after(() => fixture.close());
  const account = await fixture.client.create(serviceAccounts, { metadata: { namespace: 'default', name: 'robot' } });
  const askToken = (spec: object) => fixture.ask('POST', '/api/v1/namespaces/default/serviceaccounts/robot/token', { spec });
  return { ...fixture, clock, tokens, key, account, askToken };
}

const pod = (extra: Partial<NonNullable<Pod['spec']>> = {}): Pod => ({
  metadata: { namespace: 'default', name: 'p' },
  spec: { serviceAccountName: 'robot', containers: [{ name: 'c', image: 'x' }], ...extra },
});
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

test('a token names its account, ends when it should, and is signed with the key that is published', async (t) => {
  const { askToken, tokens, account, clock, ask } = await start(t);
  const answer = await askToken({ audiences: [], expirationSeconds: 900 });
  assert.equal(answer.status, 201);
  assert.equal(Date.parse(answer.json.status.expirationTimestamp), clock.nowMs() + 900_000);
  const { token } = answer.json.status;
  const claims = claimsOf(token);
  assert.deepEqual(claims.aud, ['https://kubernetes.default.svc.cluster.local']);
  assert.deepEqual(claims['kubernetes.io'], { namespace: 'default', serviceaccount: { name: 'robot', uid: account.metadata?.uid } });
  const found = await tokens.authenticate(token, tokens.audiences);
  assert.deepEqual(found?.user, {
    name: 'system:serviceaccount:default:robot',
    uid: account.metadata?.uid,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:default'],
    extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`] },
  });
  const [jwk] = JSON.parse((await ask('GET', '/openid/v1/jwks')).text).keys;
  const [head, body, signature] = token.split('.');
  const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const;
  assert.ok(verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url')));
  const document = (await ask('GET', '/.well-known/openid-configuration')).json;
  assert.equal(document.issuer, claims.iss);
  await clock.step(901_000);
  await assert.rejects(tokens.authenticate(token, tokens.audiences), (error) => isStatus(error, 'Unauthorized'));
});

test('what cannot be asked for is refused in words', async (t) => {
  const { askToken, client } = await start(t);
  assert.equal(
    (await askToken({ audiences: [], expirationSeconds: 60 })).json.message,
    'TokenRequest.authentication.k8s.io "robot" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
  );
  const bound = (kind: string, uid?: string) => ({
    audiences: [],
    boundObjectRef: { kind, apiVersion: 'v1', name: 'p', ...(uid ? { uid } : {}) },
  });
  assert.equal((await askToken(bound('ConfigMap'))).json.message, 'cannot bind token to object of type /v1, Kind=ConfigMap');
  assert.equal((await askToken(bound('Pod'))).json.message, 'pods "p" not found');
  await client.create(pods, pod());
  assert.equal((await askToken(bound('Pod', 'other'))).json.reason, 'Conflict');
});

test('a token bound to a pod tells of it and ends with it; a forged or foreign one is nobody', async (t) => {
  const { askToken, tokens, client, key, clock, account } = await start(t);
  const { metadata } = await client.create(pods, pod());
  const answer = await askToken({ audiences: ['vault'], boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: metadata?.uid } });
  const { token } = answer.json.status;
  const found = await tokens.authenticate(token, ['vault', 'other']);
  assert.deepEqual(found?.audiences, ['vault']);
  assert.deepEqual(found?.user.extra?.['authentication.kubernetes.io/pod-name'], ['p']);
  await assert.rejects(tokens.authenticate(token, tokens.audiences), StatusError);
  const forger = new ServiceAccountTokens({ key: newKey(), clock, random: seededRandom(4) });
  await assert.rejects(
    tokens.authenticate(forger.issue(account, { audiences: ['vault'], expirationSeconds: 900 }), ['vault']),
    StatusError,
  );
  const foreign = new ServiceAccountTokens({ issuer: 'https://elsewhere', key, clock, random: seededRandom(5) });
  assert.equal(await tokens.authenticate(foreign.issue(account, { audiences: ['vault'], expirationSeconds: 900 }), ['vault']), undefined);
  await client.delete(pods, { namespace: 'default', name: 'p' }, { gracePeriodSeconds: 0 });
  await clock.step(0);
  await assert.rejects(tokens.authenticate(token, ['vault']), (error) => isStatus(error, 'Unauthorized'));
});

test("a secret's token is good as long as the secret holds it", async (t) => {
  const { tokens, client, account, clock } = await start(t);
  const annotations = { 'kubernetes.io/service-account.name': 'robot' };
  const type = 'kubernetes.io/service-account-token';
  const secret = await client.create(secrets, { metadata: { namespace: 'default', name: 's', annotations }, type });
  const token = tokens.issueLegacy(account, secret);
  await assert.rejects(tokens.authenticate(token, tokens.audiences), StatusError);
  await client.update(secrets, { ...secret, data: { token: Buffer.from(token).toString('base64') } });
  await clock.step(0);
  assert.equal((await tokens.authenticate(token, tokens.audiences))?.user.uid, account.metadata?.uid);
  const used = await client.get(secrets, { namespace: 'default', name: 's' });
  assert.equal(used.metadata?.labels?.['kubernetes.io/legacy-token-last-used'], new Date(clock.nowMs()).toISOString().slice(0, 10));
  const labels = { ...used.metadata?.labels, 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' };
  await client.update(secrets, { ...used, metadata: { ...used.metadata, labels } });
  await clock.step(0);
  await assert.rejects(tokens.authenticate(token, tokens.audiences), (error) => isStatus(error, 'Unauthorized'));
});

test('a pod gets the token of its account mounted, unless it or the account says no', async (t) => {
  const { client } = await start(t);
  const made = await client.create(pods, pod({ initContainers: [{ name: 'i', image: 'x' }] }));
  const [volume] = made.spec?.volumes ?? [];
  assert.match(volume?.name ?? '', /^kube-api-access-[a-z0-9]{5}$/);
  assert.equal(volume?.projected?.sources?.length, 3);
  const mount = { name: volume?.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
  assert.deepEqual(made.spec?.containers[0]?.volumeMounts, [mount]);
  assert.deepEqual(made.spec?.initContainers?.[0]?.volumeMounts, [mount]);
  const shy = pod({ automountServiceAccountToken: false });
  const other = await client.create(pods, { ...shy, metadata: { namespace: 'default', name: 'shy' } });
  assert.equal(other.spec?.volumes, undefined);
  const lost = pod({ serviceAccountName: 'nobody' });
  await assert.rejects(client.create(pods, lost), {
    message: 'pods "p" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
  });
});

test('the first pod of a namespace waits for the default account, and not forever', async (t) => {
  const { client, clock } = await start(t);
  await client.create(namespaces, { metadata: { name: 'young' } });
  const young: Pod = { metadata: { namespace: 'young', name: 'p' }, spec: { containers: [{ name: 'c', image: 'x' }] } };
  const made = client.create(pods, young);
  await clock.step(100);
  await client.create(serviceAccounts, {
    metadata: { namespace: 'young', name: 'default' },
    imagePullSecrets: [{ name: 'registry' }],
  });
  await clock.step(0);
  assert.deepEqual((await made).spec?.imagePullSecrets, [{ name: 'registry' }]);
  await client.create(namespaces, { metadata: { name: 'bare' } });
  const refused = assert.rejects(
    client.create(pods, { ...young, metadata: { namespace: 'bare', name: 'p' } }),
    /error looking up service account bare\/default/,
  );
  await clock.step(2_000);
  await refused;
});
