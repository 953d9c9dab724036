import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { stringify } from 'yaml';
import { systemClock } from '../../../base/clock.ts';
import { seededRandom } from '../../../base/random.ts';
import { createAuthority, createCertificate } from '../../pki/certificates.ts';
import type { ResourceTable } from '../../registry/resource-table.ts';
import { ClusterView } from '../cluster-view.ts';
import { AdmissionConfigurationError } from '../plugin-order.ts';
import { readWebhookCredentials } from './credentials.ts';
import { WebhookClient } from './webhook-client.ts';

const directory = mkdtempSync(join(tmpdir(), 'webhook-users-'));
after(() => rmSync(directory, { recursive: true }));

let count = 0;
function kubeconfig(users: Record<string, object>, more: object = {}): string {
  const file = join(directory, `kubeconfig-${++count}`);
  const list = Object.entries(users).map(([name, user]) => ({ name, user }));
  writeFileSync(file, stringify({ apiVersion: 'v1', kind: 'Config', users: list, ...more }));
  return file;
}
const head = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'WebhookAdmissionConfiguration' };
const read = (more: object) => readWebhookCredentials({ value: { ...head, ...more }, directory });

const token = { token: 't' };
const file = kubeconfig(
  {
    'hook.prod.svc': token,
    'hook.prod.svc:8443': token,
    '*.prod.svc': token,
    '*.svc:8443': token,
    'example.com': token,
    '*': token,
  },
  {},
);
const chosen: [string, string][] = [
  ['https://hook.prod.svc/validate', 'hook.prod.svc'],
  ['https://hook.prod.svc:8443/', 'hook.prod.svc:8443'],
  ['https://other.prod.svc/', '*.prod.svc'],
  ['https://other.prod.svc:8443/', '*.svc:8443'],
  ['https://example.com/a?b=c', 'example.com'],
  ['https://example.com:9443/', '*'],
];
for (const [url, name] of chosen) {
  test(`${url} is asked as ${name}`, async () => {
    const credentials = await read({ kubeConfigFile: file });
    assert.equal(credentials?.(new URL(url))?.name, name);
  });
}

test("nobody else fits: the current context's user is", async () => {
  const current = { 'current-context': 'c', contexts: [{ name: 'c', context: { user: 'me' } }] };
  const credentials = await read({ kubeConfigFile: kubeconfig({ me: token }, current) });
  assert.equal(credentials?.(new URL('https://example.com'))?.name, 'me');
  const nobody = await read({ kubeConfigFile: kubeconfig({ me: token }) });
  assert.equal(nobody?.(new URL('https://example.com')), undefined);
});

test('a webhook is shown a certificate, a token or a password', async (t) => {
  const authority = await createAuthority('test', systemClock);
  const own = (commonName: string, isClient: boolean) =>
    createCertificate(authority, { commonName, serverNames: ['127.0.0.1'], isClient, validDays: 1 }, systemClock);
  const { certPem: cert, keyPem: key } = await own('hook', false);
  const seen: (string | undefined)[] = [];
  const server = createServer({ cert, key, ca: authority.certPem, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    seen.push(request.headers.authorization ?? (request.socket as TLSSocket).getPeerCertificate()?.subject?.CN?.toString());
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const client = await own('the-server', true);
  const data = (pem: string) => Buffer.from(pem).toString('base64');
  const users = [
    { 'client-certificate-data': data(client.certPem), 'client-key-data': data(client.keyPem) },
    { token: 'secret' },
    { username: 'u', password: 'p' },
  ];
  const view = new ClusterView(() => ({}) as ResourceTable);
  for (const user of users) {
    const credentials = await read({ kubeConfigFile: kubeconfig({ [`127.0.0.1:${port}`]: user }) });
    const webhooks = new WebhookClient({ view, clock: systemClock, random: seededRandom(1), credentials });
    const clientConfig = { url: `https://127.0.0.1:${port}/`, caBundle: data(authority.certPem) };
    await webhooks.post({ clientConfig }, {});
  }
  assert.deepEqual(seen, ['the-server', 'Bearer secret', `Basic ${Buffer.from('u:p').toString('base64')}`]);
});

const refused: [string, () => object, RegExp][] = [
  ['a relative path', () => ({ kubeConfigFile: 'users' }), /^kubeConfigFile: Invalid value: "users": must be an absolute file path$/],
  ['a file that is not there', () => ({ kubeConfigFile: join(directory, 'none') }), /no such file/],
  [
    'a user by plug-in',
    () => ({ kubeConfigFile: kubeconfig({ a: { exec: { command: 'x' } } }) }),
    /user a uses exec, which is not supported/,
  ],
  [
    'manifests, which are alpha',
    () => ({ staticManifestsDir: '/m' }),
    /^staticManifestsDir: Forbidden: staticManifestsDir requires the ManifestBasedAdmissionControlConfig feature gate to be enabled$/,
  ],
];
for (const [title, more, message] of refused) {
  test(`refused: ${title}`, () =>
    assert.rejects(read(more()), (error) => error instanceof AdmissionConfigurationError && message.test(error.message)));
}
