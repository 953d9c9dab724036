import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { configMaps, type Secret, secrets } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { startWithControllers } from '../../testing/controller-fixture.ts';

const isGone = (error: unknown) => isStatus(error, 'NotFound');

test('cluster-info is signed with every token that may sign, until its time is over and it is deleted', async (t) => {
  const { client, clock } = await startWithControllers(t, { only: ['tokencleaner', 'bootstrapsigner'] });
  const token = (id: string, more: Record<string, string>): Secret => ({
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    stringData: { 'token-id': id, 'token-secret': `${id}0123456789`, ...more },
  });
  const expiration = new Date(clock.nowMs() + 60_000).toISOString();
  await client.create(configMaps, { metadata: { name: 'cluster-info', namespace: 'kube-public' }, data: { kubeconfig: 'KUBECONFIG' } });
  await client.create(secrets, token('signer', { 'usage-bootstrap-signing': 'true', expiration }));
  await client.create(secrets, token('silent', {}));
  const data = async () => {
    await clock.step(0);
    return (await client.get(configMaps, { namespace: 'kube-public', name: 'cluster-info' })).data ?? {};
  };
  assert.deepEqual(Object.keys(await data()).sort(), ['jws-kubeconfig-signer', 'kubeconfig']);
  const [head = '', payload, signature] = (await data())['jws-kubeconfig-signer']?.split('.') ?? [];
  assert.deepEqual(JSON.parse(Buffer.from(head, 'base64url').toString()), { alg: 'HS256', kid: 'signer' });
  assert.equal(payload, '');
  const signed = `${head}.${Buffer.from('KUBECONFIG').toString('base64url')}`;
  assert.equal(signature, createHmac('sha256', 'signer0123456789').update(signed).digest('base64url'));
  await clock.step(60_001);
  await assert.rejects(client.get(secrets, { namespace: 'kube-system', name: 'bootstrap-token-signer' }), isGone);
  assert.deepEqual(await data(), { kubeconfig: 'KUBECONFIG' });
  assert.ok(await client.get(secrets, { namespace: 'kube-system', name: 'bootstrap-token-silent' }));
});
