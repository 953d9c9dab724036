import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Authorizer } from '../authz/authorizer.ts';
import { newRequest } from '../pki/testdata/new-request.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';
import { builtInAdmission } from './built-in.ts';

const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const may = new Set<string>();
const authorizer: Authorizer = ({ verb, resource, name, user }) =>
  resource !== 'signers' || user.name !== 'signer' || may.has(`${verb} ${name}`) ? { decision: 'allow' } : { decision: 'no opinion' };

let server: ServerFixture;
before(async () => {
  server = await startServer({ authorizer, admission: (view) => builtInAdmission(view, { authorizer }) });
});
after(() => server.close());

const asSigner = { 'impersonate-user': 'signer' };

async function create(
  name: string,
  signerName: string,
  organizations: string[] = [],
  commonName = 'x',
  headers: Record<string, string> = {},
) {
  const spec = { request: await newRequest(commonName, organizations, []), signerName, usages: ['client auth'] };
  return server.ask('POST', path, { metadata: { name }, spec }, headers);
}

async function approve(name: string) {
  const { json } = await server.ask('GET', `${path}/${name}`);
  const status = { conditions: [{ type: 'Approved', status: 'True', reason: 'r', message: 'm' }] };
  return server.ask('PUT', `${path}/${name}/approval`, { ...json, status }, asSigner);
}

async function fail(name: string) {
  const { json } = await server.ask('GET', `${path}/${name}`);
  const conditions = [...(json.status?.conditions ?? []), { type: 'Failed', status: 'True', reason: 'r', message: 'm' }];
  return server.ask('PUT', `${path}/${name}/status`, { ...json, status: { ...json.status, conditions } }, asSigner);
}

test('a request is approved and signed by whom its signer, or all of its domain, is entrusted to', async () => {
  assert.equal((await create('c', 'example.com/mine')).status, 201);
  const head = 'certificatesigningrequests.certificates.k8s.io "c" is forbidden: user not permitted to';
  assert.equal((await approve('c')).json.message, `${head} approve requests with signerName "example.com/mine"`);
  may.add('approve example.com/mine');
  assert.equal((await approve('c')).status, 200);
  assert.equal((await fail('c')).json.message, `${head} sign requests with signerName "example.com/mine"`);
  may.add('sign example.com/*');
  assert.equal((await fail('c')).status, 200);
});

test("nobody becomes a master by the API server's own signer", async () => {
  const refused = await create('m', 'kubernetes.io/kube-apiserver-client', ['a', 'system:masters']);
  const why = 'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed';
  assert.equal(refused.json.message, `certificatesigningrequests.certificates.k8s.io "m" is forbidden: ${why}`);
  assert.equal((await create('n', 'kubernetes.io/kube-apiserver-client', ['a'])).status, 201);
  assert.equal((await create('o', 'example.com/mine', ['system:masters'])).status, 201);
});

test("a kubelet asks for its own certificate, and for nobody else's", async () => {
  const asNode = { 'impersonate-user': 'system:node:one', 'impersonate-group': 'system:nodes' };
  const signer = 'kubernetes.io/kubelet-serving';
  const refused = await create('other', signer, ['system:nodes'], 'system:node:two', asNode);
  const why = 'can only create a node CSR with CN=system:node:one';
  assert.equal(refused.json.message, `certificatesigningrequests.certificates.k8s.io "other" is forbidden: ${why}`);
  assert.equal((await create('own', signer, ['system:nodes'], 'system:node:one', asNode)).status, 201);
  assert.equal((await create('free', 'example.com/mine', [], 'two', asNode)).status, 201);
});
