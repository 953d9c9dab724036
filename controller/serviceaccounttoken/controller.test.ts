import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secrets, serviceAccounts } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { startWithControllers } from '../../testing/controller-fixture.ts';

const isGone = (error: unknown) => isStatus(error, 'NotFound');

test('a secret for an account gets its token and goes with the account', async (t) => {
  const { client, clock } = await startWithControllers(t, {
    only: ['serviceaccount-token'],
    rootCa: 'PEM',
    issueToken: (account, secret) => `${account.metadata?.uid}/${secret.metadata?.name}`,
  });
  const account = await client.create(serviceAccounts, { metadata: { name: 'robot', namespace: 'default' } });
  const annotations = { 'kubernetes.io/service-account.name': 'robot' };
  const type = 'kubernetes.io/service-account-token';
  const at = { namespace: 'default', name: 'robot-token' };
  await client.create(secrets, { metadata: { ...at, annotations }, type });
  await clock.step(0);
  const filled = await client.get(secrets, at);
  const text = (key: string) => Buffer.from(filled.data?.[key] ?? '', 'base64').toString();
  assert.deepEqual([text('token'), text('ca.crt'), text('namespace')], [`${account.metadata?.uid}/robot-token`, 'PEM', 'default']);
  assert.equal(filled.metadata?.annotations?.['kubernetes.io/service-account.uid'], account.metadata?.uid);
  await client.delete(serviceAccounts, { namespace: 'default', name: 'robot' });
  await clock.step(0);
  await assert.rejects(client.get(secrets, at), isGone);
  // One for an account that there is not goes at once.
  await client.create(secrets, { metadata: { ...at, annotations }, type });
  await clock.step(0);
  await assert.rejects(client.get(secrets, at), isGone);
});
