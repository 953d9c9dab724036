import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CertificateSigningRequest } from '../../api/certificates.ts';
import { endMsOf, kubeletClientProblem, planSigning, type RequestedCertificate, validSecondsOf } from './plan.ts';

const kubelet: RequestedCertificate = {
  commonName: 'system:node:a',
  organizations: ['system:nodes'],
  dnsNames: [],
  ipAddresses: [],
  emailAddresses: [],
  uris: [],
};
const usages = ['digital signature', 'key encipherment', 'client auth'];

function csr(signerName: string, types: string[], more: Partial<CertificateSigningRequest['spec']> = {}): CertificateSigningRequest {
  const lastUpdateTime = '2026-01-01T00:00:00Z';
  return {
    metadata: { name: 'c', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { request: '', signerName, usages, ...more },
    status: { conditions: types.map((type) => ({ type, status: 'True', lastUpdateTime })) },
  };
}

test("only what has a kubelet's subject, no other names and its usages is a kubelet's client certificate", () => {
  assert.equal(kubeletClientProblem(kubelet, usages), undefined);
  assert.equal(kubeletClientProblem(kubelet, ['digital signature', 'client auth']), undefined);
  const problem = (changes: Partial<RequestedCertificate>, with_ = usages) => kubeletClientProblem({ ...kubelet, ...changes }, with_);
  assert.equal(problem({ organizations: ['system:nodes', 'system:masters'] }), 'subject organization is not system:nodes');
  assert.equal(problem({ commonName: 'admin' }), 'subject common name does not begin with system:node:');
  assert.equal(problem({ dnsNames: ['x'] }), 'DNS subjectAltNames are not allowed');
  assert.equal(problem({ uris: ['x'] }), 'URI subjectAltNames are not allowed');
  assert.equal(problem({}, ['server auth']), 'usages did not match [client auth digital signature key encipherment]');
});

test("what is approved is signed by the cluster's own signers alone, once, and what they cannot sign has failed", () => {
  const client = 'kubernetes.io/kube-apiserver-client';
  const read = () => kubelet;
  assert.equal(planSigning(csr(client, ['Approved']), read), 'sign');
  assert.equal(planSigning(csr(client, []), read), 'none');
  assert.equal(planSigning(csr(client, ['Denied']), read), 'none');
  assert.equal(planSigning(csr('example.com/own', ['Approved']), read), 'none');
  const signed = csr(client, ['Approved']);
  signed.status = { ...signed.status, certificate: 'eA==' };
  assert.equal(planSigning(signed, read), 'none');
  assert.deepEqual(planSigning(csr(client, ['Approved'], { usages: ['server auth'] }), read), {
    failure: 'invalid usage for client certificate: server auth',
  });
  assert.deepEqual(planSigning(csr('kubernetes.io/kubelet-serving', ['Approved']), read), {
    failure: 'DNS or IP subjectAltName is required',
  });
});

test('a certificate is good for a year, or for less when asked', () => {
  assert.equal(validSecondsOf(csr('a/b', [])), 365 * 24 * 3600);
  assert.equal(validSecondsOf(csr('a/b', [], { expirationSeconds: 3600 })), 3600);
  assert.equal(validSecondsOf(csr('a/b', [], { expirationSeconds: 2 ** 31 })), 365 * 24 * 3600);
});

test('requests go an hour after they were decided, a day after nobody did, or with their certificate', () => {
  const beginMs = Date.parse('2026-01-01T00:00:00Z');
  const never = () => Number.POSITIVE_INFINITY;
  assert.equal(endMsOf(csr('a/b', ['Denied']), never), beginMs + 3600_000);
  assert.equal(endMsOf(csr('a/b', []), never), beginMs + 24 * 3600_000);
  const issued = csr('a/b', ['Approved']);
  issued.status = { ...issued.status, certificate: 'eA==' };
  assert.equal(endMsOf(issued, never), beginMs + 3600_000);
  assert.equal(
    endMsOf(issued, () => beginMs + 60_000),
    beginMs + 60_000,
  );
});
