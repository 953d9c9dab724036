import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { ensurePki, type PkiOptions } from './pki.ts';

let directory: string;
const clock = new VirtualClock();
const options = (extra: Partial<PkiOptions> = {}): PkiOptions => ({
  directory,
  serverNames: ['10.1.1.1'],
  serviceAddress: '10.96.0.1',
  nodes: { one: ['10.1.1.2'] },
  clock,
  ...extra,
});
before(() => {
  directory = mkdtempSync(join(tmpdir(), 't8s-pki-'));
});
after(() => rmSync(directory, { recursive: true }));

test('certificates are signed by the CA and name their user, groups and addresses', async () => {
  const pki = await ensurePki(options());
  const authority = new X509Certificate(pki.authority.certPem);
  const admin = new X509Certificate(pki.admin.certPem);
  assert.equal(admin.verify(authority.publicKey), true);
  assert.match(admin.subject, /O=system:masters/);
  assert.match(admin.subject, /CN=kubernetes-admin/);
  assert.match(new X509Certificate(pki.kubelets['one']?.client.certPem ?? '').subject, /CN=system:node:one/);
  assert.match(new X509Certificate(pki.apiServer.certPem).subjectAltName ?? '', /10\.96\.0\.1/);
  assert.equal(statSync(join(directory, 'admin.key')).mode & 0o777, 0o600);
});

test('a second run reuses everything; a new name renews only the certificate that carries it', async () => {
  const first = await ensurePki(options());
  const second = await ensurePki(options());
  assert.deepEqual(second, first);
  const third = await ensurePki(options({ serverNames: ['10.9.9.9'] }));
  assert.notEqual(third.apiServer.certPem, first.apiServer.certPem);
  assert.equal(third.admin.certPem, first.admin.certPem);
});

test('a certificate near its end is renewed under the same CA', async () => {
  const first = await ensurePki(options());
  await clock.step(340 * 24 * 3600 * 1000);
  const later = await ensurePki(options());
  assert.notEqual(later.admin.certPem, first.admin.certPem);
  assert.equal(later.authority.certPem, first.authority.certPem);
});
