import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startServer } from '../server-fixture.ts';
import { openAuditLog } from './log-file.ts';
import { AuditPolicyError, readAuditPolicy } from './policy.ts';

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'audit-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const policyOf = (rules: object[], more: object = {}) =>
  readAuditPolicy(JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules, ...more }));

test('each request is recorded as much as the first rule that matches it says', async (t) => {
  const path = join(directory(t), 'audit.log');
  const log = openAuditLog({ path });
  const policy = policyOf(
    [
      { level: 'None', nonResourceURLs: ['/version*'] },
      { level: 'None', users: ['system:apiserver'] },
      { level: 'Metadata', resources: [{ group: '', resources: ['secrets'] }] },
      { level: 'RequestResponse', verbs: ['create'] },
      { level: 'Request' },
    ],
    { omitStages: ['RequestReceived'] },
  );
  const { ask, close } = await startServer({ audit: { policy, log } });
  t.after(async () => {
    await close();
    log.close();
  });
  const namespace = '/api/v1/namespaces/default';
  await ask('GET', '/version');
  await ask('POST', `${namespace}/secrets`, { metadata: { name: 's' }, data: { p: 'c2VjcmV0' } });
  await ask('POST', `${namespace}/configmaps`, { metadata: { name: 'c' }, data: { a: '1' } });
  await ask('GET', `${namespace}/configmaps/none`);
  const text = readFileSync(path, 'utf8');
  const [secret, made, missing, ...rest] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(rest.length, 0);
  assert.ok(!text.includes('c2VjcmV0'), 'secrets stay out of a Metadata event');
  assert.deepEqual([secret.level, secret.stage, secret.responseStatus.code], ['Metadata', 'ResponseComplete', 201]);
  assert.deepEqual(secret.objectRef, { resource: 'secrets', namespace: 'default', apiVersion: 'v1' });
  assert.equal(secret.user.username, 'root');
  assert.deepEqual(secret.annotations, { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' });
  assert.equal(made.requestObject.data.a, '1');
  assert.equal(made.responseObject.metadata.uid.length, 36);
  assert.deepEqual([missing.responseStatus.code, missing.responseStatus.reason, missing.verb], [404, 'NotFound', 'get']);
});

test('the log is kept in files of bounded size and number', (t) => {
  const folder = directory(t);
  const log = openAuditLog({ path: join(folder, 'a.log'), bytesMax: 100, backupsMax: 2 });
  for (let number = 0; number < 30; number++) log.write({ number, text: 'x'.repeat(40) });
  log.close();
  assert.deepEqual(readdirSync(folder).length, 3);
  assert.ok(readFileSync(join(folder, 'a.log'), 'utf8').includes('"number":29'));
});

test('a policy that cannot be used is refused', () => {
  assert.throws(() => policyOf([]), AuditPolicyError);
  assert.throws(() => policyOf([{ level: 'All' }]), /rules\[0\]\.level/);
});
