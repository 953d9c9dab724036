import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { systemClock } from '../../../base/clock.ts';
import { seededRandom } from '../../../base/random.ts';
import { createAuthority, createCertificate } from '../../pki/certificates.ts';
import { type ServerFixture, startServer } from '../../server-fixture.ts';
import { builtInAdmission } from '../built-in.ts';

interface Review {
  request: { uid: string; operation: string; object: { metadata: { name: string } } | null; dryRun: boolean };
}

let server: ServerFixture;
let https: Server;
let caBundle: string;
let asked: Review[] = [];
let answer: object | undefined;
const group = '/apis/admissionregistration.k8s.io/v1';

before(async () => {
  const authority = await createAuthority('test', systemClock);
  const request = { commonName: 'hook', serverNames: ['127.0.0.1', 'localhost'], isClient: false, validDays: 1 };
  const { certPem, keyPem } = await createCertificate(authority, request, systemClock);
  caBundle = Buffer.from(authority.certPem).toString('base64');
  https = createServer({ cert: certPem, key: keyPem }, (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString()) as Review;
      asked.push(review);
      if (!answer) response.statusCode = 500;
      response.end(JSON.stringify({ ...review, response: { uid: review.request.uid, ...answer } }));
    });
  });
  await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
  server = await startServer({ admission: (view) => builtInAdmission(view, { random: seededRandom(2) }) });
});
after(async () => {
  await server.close();
  await new Promise((resolve) => {
    https.close(resolve);
    https.closeAllConnections();
  });
});
beforeEach(async () => {
  asked = [];
  for (const plural of ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'])
    await server.ask('DELETE', `${group}/${plural}/hook`);
});

async function hook(plural: string, more: object = {}): Promise<void> {
  const { port } = https.address() as AddressInfo;
  const rules = [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] }];
  const clientConfig = { url: `https://127.0.0.1:${port}/review`, caBundle };
  const webhook = { name: 'hook.example.com', sideEffects: 'None', admissionReviewVersions: ['v1'], clientConfig, rules, ...more };
  const made = await server.ask('POST', `${group}/${plural}`, { metadata: { name: 'hook' }, webhooks: [webhook] });
  assert.equal(made.status, 201, made.text);
}

const create = (name: string, metadata = {}, query = '') =>
  server.ask('POST', `/api/v1/namespaces/default/configmaps${query}`, { metadata: { name, ...metadata }, data: { a: 'b' } });

test('a validating webhook denies in its own words, warns, and is told of dry runs', async () => {
  await hook('validatingwebhookconfigurations');
  answer = { allowed: false, status: { message: 'not today', code: 403 }, warnings: ['look out'] };
  const refused = await create('v1', {}, '?dryRun=All');
  assert.equal(refused.status, 403);
  assert.equal(refused.json.message, 'admission webhook "hook.example.com" denied the request: not today');
  assert.match(refused.headers['warning'] ?? '', /look out/);
  assert.equal(asked[0]?.request.dryRun, true);
  assert.equal(asked[0]?.request.object?.metadata.name, 'v1');
  answer = { allowed: true };
  assert.equal((await create('v1')).status, 201);
});

test("a mutating webhook's patch is part of what is stored", async () => {
  await hook('mutatingwebhookconfigurations');
  const patch = [{ op: 'add', path: '/metadata/labels', value: { patched: 'yes' } }];
  answer = { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
  assert.equal((await create('m1')).status, 201);
  const { json } = await server.ask('GET', '/api/v1/namespaces/default/configmaps/m1');
  assert.deepEqual(json.metadata.labels, { patched: 'yes' });
});

test('a webhook that fails refuses the write or is passed over, as it says', async () => {
  answer = undefined;
  await hook('validatingwebhookconfigurations');
  const failed = await create('f1');
  assert.equal(failed.status, 500);
  assert.match(failed.json.message, /failed calling webhook "hook.example.com"/);
  await server.ask('DELETE', `${group}/validatingwebhookconfigurations/hook`);
  await hook('validatingwebhookconfigurations', { failurePolicy: 'Ignore' });
  assert.equal((await create('f1')).status, 201);
});

test('selectors and rules leave others alone', async () => {
  await hook('validatingwebhookconfigurations', { objectSelector: { matchLabels: { guarded: 'yes' } } });
  answer = { allowed: false };
  assert.equal((await create('s1')).status, 201);
  assert.equal((await create('s2', { labels: { guarded: 'yes' } })).status, 400);
  assert.equal((await server.ask('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 's3' } })).status, 201);
  assert.equal(asked.length, 1);
});
