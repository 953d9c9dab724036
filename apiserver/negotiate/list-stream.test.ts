import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { certificateAuthenticator } from '../authn/authenticator.ts';
import { ensurePki } from '../pki/pki.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';

const inNamespace = (name: string) => `/api/v1/namespaces/${name}/configmaps`;
const namespaces = ['a', 'b', 'c'];
let fixture: ServerFixture;
let agent: Agent;
let port: number;
let directory: string;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'pki-'));
  const pki = await ensurePki({ directory, serverNames: ['127.0.0.1'], serviceAddress: '10.96.0.1', nodes: {}, clock: systemClock });
  fixture = await startServer({ authenticators: [certificateAuthenticator] });
  const tls = { cert: pki.apiServer.certPem, key: pki.apiServer.keyPem, clientCa: pki.authority.certPem };
  ({ port } = await fixture.server.listen({ host: '127.0.0.1', port: 0, tls }));
  agent = new Agent({ ca: pki.authority.certPem, cert: pki.admin.certPem, key: pki.admin.keyPem, keepAlive: true });
  for (const namespace of namespaces) {
    await fixture.ask('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    // Small ones that share chunks, and some that are larger than a chunk.
    for (const [i, bytes] of [50_000, 100_000, 200_000, 262_000, 263_000, 700_000, 10, 90_000, 20, 500_000].entries())
      await fixture.ask('POST', inNamespace(namespace), { metadata: { name: `c${i}` }, data: { text: namespace.repeat(bytes) } });
  }
});
after(async () => {
  agent.destroy();
  await fixture.close();
  rmSync(directory, { recursive: true });
});

function get(path: string, headers: Record<string, string> = {}): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks)));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

test('lists that are sent at once, from chunks that are used again, are each what they should be', async () => {
  const expected = new Map<string, string>();
  for (const namespace of namespaces) expected.set(namespace, (await fixture.ask('GET', inNamespace(namespace))).text);
  for (let round = 0; round < 3; round++) {
    const asked = namespaces.flatMap((namespace) => [namespace, namespace]);
    const answers = await Promise.all(asked.map((namespace) => get(inNamespace(namespace))));
    for (const [i, answer] of answers.entries()) assert.ok(answer.equals(Buffer.from(expected.get(asked[i] as string) as string)));
  }
  assert.equal(JSON.parse(expected.get('b') as string).items.length, 10);
});

test('a list whose client goes away leaves the ones after it whole', async () => {
  await new Promise<void>((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path: inNamespace('a'), agent }, (response) => {
      response.once('data', () => outgoing.destroy());
      response.on('error', () => resolve());
      response.on('close', () => resolve());
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? resolve() : reject(error)));
    outgoing.end();
  });
  const { text } = await fixture.ask('GET', inNamespace('b'));
  for (const answer of await Promise.all([1, 2, 3].map(() => get(inNamespace('b'))))) assert.ok(answer.equals(Buffer.from(text)));
});

test('JSON ends with a newline, and is indented for people and whoever asks', async () => {
  const path = `${inNamespace('a')}/c6`;
  const text = async (query: string, headers: Record<string, string> = {}) => (await get(path + query, headers)).toString();
  const plain = await text('');
  assert.match(
    plain,
    /^\{"kind":"ConfigMap","apiVersion":"v1","metadata":\{"name":"c6","namespace":"a","uid":"[^"]+","resourceVersion":"\d+",.*\}\}\n$/,
  );
  const indented = JSON.stringify(JSON.parse(plain), null, 2);
  assert.equal(await text('?pretty=1'), indented);
  assert.equal(await text('?pretty=T'), indented);
  assert.equal(await text('', { 'user-agent': 'curl/8.0' }), indented);
  assert.equal(await text('', { accept: 'application/json;pretty=1' }), indented);
  for (const query of ['?pretty=0', '?pretty=false', '?pretty=yes']) assert.equal(await text(query, { 'user-agent': 'curl/8.0' }), plain);
});
