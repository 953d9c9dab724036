import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { kubeconfigFile, mergeKubeconfig, removeFromKubeconfig, renderKubeconfig } from './kubeconfig.ts';

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 't8s-kubeconfig-'));
});
after(() => rmSync(directory, { recursive: true }));

const entry = { name: 't8s', server: 'https://127.0.0.1:6443', caPem: 'CA', certPem: 'CERT', keyPem: 'KEY' };
const foreign = `# mine\napiVersion: v1\nkind: Config\nclusters:\n- name: work\n  cluster: {server: https://work}\ncontexts:\n- name: work\n  context: {cluster: work, user: me}\nusers:\n- name: me\n  user: {token: secret}\ncurrent-context: work\n`;

test('merging keeps what others wrote, comments too, and switches to the new context', () => {
  const file = join(directory, 'merge');
  writeFileSync(file, foreign);
  mergeKubeconfig(file, entry);
  mergeKubeconfig(file, { ...entry, server: 'https://127.0.0.1:7000' });
  const text = readFileSync(file, 'utf8');
  assert.match(text, /^# mine/);
  const config = parse(text);
  assert.deepEqual(
    config.clusters.map((c: { name: string }) => c.name),
    ['work', 't8s'],
  );
  assert.equal(config.clusters[1].cluster.server, 'https://127.0.0.1:7000');
  assert.equal(config['current-context'], 't8s');
  assert.equal(config.users[0].user.token, 'secret');
});

test('removing leaves what others wrote', () => {
  const file = join(directory, 'remove');
  writeFileSync(file, foreign);
  mergeKubeconfig(file, entry);
  assert.equal(removeFromKubeconfig(file, 't8s'), true);
  assert.equal(removeFromKubeconfig(file, 't8s'), false);
  const config = parse(readFileSync(file, 'utf8'));
  assert.deepEqual(
    config.contexts.map((c: { name: string }) => c.name),
    ['work'],
  );
  assert.equal(config['current-context'], '');
});

test('a file that is no kubeconfig is refused and left alone', () => {
  const file = join(directory, 'broken');
  writeFileSync(file, '- a\n- b\n');
  assert.throws(() => mergeKubeconfig(file, entry), /is no kubeconfig/);
  assert.equal(readFileSync(file, 'utf8'), '- a\n- b\n');
});

test('a rendered kubeconfig has one context, which is current', () => {
  const config = parse(renderKubeconfig(entry));
  assert.equal(config['current-context'], 't8s');
  assert.equal(Buffer.from(config.clusters[0].cluster['certificate-authority-data'], 'base64').toString(), 'CA');
});

test('KUBECONFIG names the file, else the home directory does', () => {
  assert.equal(kubeconfigFile({ KUBECONFIG: '/a:/b' }), '/a');
  assert.equal(kubeconfigFile({ HOME: '/root' }), '/root/.kube/config');
});
