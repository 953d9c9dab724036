import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaces, secrets } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { startServer } from '../server-fixture.ts';
import { authenticate } from './authenticator.ts';
import { BootstrapTokens } from './bootstrap-tokens.ts';

test('a bootstrap token is its secret, is for what its secret says, and ends when that says so', async (t) => {
  const clock = new VirtualClock();
  const tokens = new BootstrapTokens({ clock });
  const { client, close } = await startServer({ clock, begin: [(server) => tokens.attach(server.resources)] });
  t.after(close);
  await client.create(namespaces, { metadata: { name: 'kube-system' } }).catch((error) => assert.ok(isStatus(error, 'AlreadyExists')));
  const good = {
    'token-id': 'abcdef',
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
    'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
    expiration: new Date(clock.nowMs() + 3600_000).toISOString(),
  };
  const metadata = { name: 'bootstrap-token-abcdef', namespace: 'kube-system' };
  const type = 'bootstrap.kubernetes.io/token';
  await client.create(secrets, { metadata, type, stringData: good });
  const who = (token: string) => authenticate([tokens.authenticator], { token, certificate: undefined, headers: {} });
  const change = async (stringData: Record<string, string>) => {
    await client.update(secrets, { metadata, type, stringData: { ...good, ...stringData } });
    await clock.step(0);
    return (await who('abcdef.0123456789abcdef'))?.groups;
  };
  await clock.step(0);
  assert.deepEqual(await who('abcdef.0123456789abcdef'), {
    name: 'system:bootstrap:abcdef',
    groups: ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token', 'system:authenticated'],
  });
  assert.equal(await who('abcdef.0123456789abcdeF'), undefined);
  assert.equal(await who('abcdef.0123456789abcdee'), undefined);
  assert.equal(await who('nobody.0123456789abcdef'), undefined);
  assert.equal(await change({ 'usage-bootstrap-authentication': 'false' }), undefined);
  assert.equal(await change({ 'auth-extra-groups': 'system:masters' }), undefined);
  assert.equal(await change({ 'token-id': 'other' }), undefined);
  assert.equal(await change({ expiration: 'tomorrow' }), undefined);
  assert.ok(await change({}));
  await clock.step(3600_001);
  assert.equal(await who('abcdef.0123456789abcdef'), undefined);
});
