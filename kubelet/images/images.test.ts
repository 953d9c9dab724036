import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Secret } from '../../api/core.ts';
import { normalizeImage, parseImageName, withDefaultTag } from './image-name.ts';
import { credentialsFor } from './pull-secrets.ts';

test('short names are completed as Docker completes them', () => {
  assert.equal(normalizeImage('busybox'), 'docker.io/library/busybox:latest');
  assert.equal(normalizeImage('me/app:1'), 'docker.io/me/app:1');
  assert.equal(normalizeImage('localhost/app'), 'localhost/app:latest');
  assert.equal(normalizeImage('host:5000/a/b:2'), 'host:5000/a/b:2');
  assert.equal(normalizeImage(`gcr.io/x@sha256:${'a'.repeat(64)}`), `gcr.io/x@sha256:${'a'.repeat(64)}`);
  assert.equal(withDefaultTag('busybox'), 'busybox:latest');
});

test('what is no image name is refused in Docker words', () => {
  assert.throws(() => parseImageName('Busybox'), /repository name \(Busybox\) must be lowercase/);
  assert.throws(() => parseImageName('a b'), /^Error: invalid reference format$/);
  assert.throws(() => parseImageName('f'.repeat(64)), /64-byte hexadecimal/);
});

const dockerConfig = (auths: object): Secret => ({
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
});
const basic = (user: string) => ({ auth: Buffer.from(`${user}:pass:word`).toString('base64') });
const users = (image: string, secret: Secret) => credentialsFor(image, [secret]).map((c) => c.username);

test('credentials match by host, port and path, the longest path first', () => {
  const secret = dockerConfig({ 'r.example': basic('host'), 'r.example/team': basic('team'), 'r.example:5000': basic('port') });
  assert.deepEqual(users('r.example/team/app', secret), ['team', 'host']);
  assert.deepEqual(users('r.example/other', secret), ['host']);
  assert.deepEqual(users('r.example:5000/x', secret), ['port']);
  assert.deepEqual(users('elsewhere.example/x', secret), []);
});

test('globs match one label each, and the hub goes by its old address', () => {
  assert.deepEqual(users('a.b.example/x', dockerConfig({ '*.*.example': basic('glob'), '*.example': basic('short') })), ['glob']);
  assert.deepEqual(users('busybox', dockerConfig({ 'https://index.docker.io/v1/': basic('hub') })), ['hub']);
});

test('a password may hold colons, and a legacy secret has no auths', () => {
  const legacy: Secret = {
    type: 'kubernetes.io/dockercfg',
    data: { '.dockercfg': Buffer.from(JSON.stringify({ 'r.example': basic('old') })).toString('base64') },
  };
  assert.deepEqual(credentialsFor('r.example/x', [legacy]), [{ username: 'old', password: 'pass:word' }]);
  assert.deepEqual(credentialsFor('r.example/x', [{ type: 'kubernetes.io/dockercfg', data: { '.dockercfg': 'bm8=' } }]), []);
});
