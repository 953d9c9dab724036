import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { certificateRequestProblem, readCertificateRequest } from './certificate-request.ts';
import { createAuthority } from './certificates.ts';
import { clusterAuthority } from './cluster-authority.ts';
import { newRequest } from './testdata/new-request.ts';

const request = await newRequest(
  'system:node:a',
  ['system:nodes', 'more'],
  [
    { type: 'dns', value: 'a.example.com' },
    { type: 'ip', value: '192.0.2.7' },
    { type: 'ip', value: '2001:db8::1' },
  ],
);

test('a request tells whom it is for and under which names', () => {
  assert.equal(certificateRequestProblem(request), undefined);
  assert.deepEqual(readCertificateRequest(request), {
    commonName: 'system:node:a',
    organizations: ['system:nodes', 'more'],
    dnsNames: ['a.example.com'],
    ipAddresses: ['192.0.2.7', '2001:0db8:0000:0000:0000:0000:0000:0001'],
    emailAddresses: [],
    uris: [],
  });
});

test('what is no request, or not signed by its own key, is told apart', () => {
  const pem = Buffer.from(request, 'base64').toString();
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  const wrapped = (bytes: Buffer) =>
    Buffer.from(`-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`).toString('base64');
  assert.equal(certificateRequestProblem(wrapped(der)), undefined);
  const forged = Buffer.from(der);
  forged.write('system:node:b', der.indexOf('system:node:a'));
  assert.equal(
    certificateRequestProblem(wrapped(forged)),
    'x509: invalid signature: parent certificate cannot sign this kind of certificate',
  );
  // Wherever it is cut or bent, it is a problem and nothing worse.
  for (let at = 0; at < der.length; at++) {
    assert.notEqual(certificateRequestProblem(wrapped(der.subarray(0, at))), undefined);
    const bent = Buffer.from(der);
    bent[at] = (bent[at] as number) ^ 0x80;
    assert.notEqual(certificateRequestProblem(wrapped(bent)), undefined, `byte ${at}`);
  }
  assert.equal(certificateRequestProblem('eA=='), 'PEM block type must be CERTIFICATE REQUEST');
});

test('what is signed is for the same key and names, under the usages and for the time that were granted', async () => {
  const pair = await createAuthority('kubernetes', systemClock);
  const authority = clusterAuthority(pair, systemClock);
  const pem = await authority.sign(request, { usages: ['client auth', 'digital signature'], validSeconds: 600 });
  const certificate = new X509Certificate(pem);
  assert.ok(certificate.verify(new X509Certificate(pair.certPem).publicKey));
  assert.equal(certificate.ca, false);
  assert.equal(certificate.subject, 'O=system:nodes\nO=more\nCN=system:node:a');
  assert.equal(certificate.subjectAltName, 'DNS:a.example.com, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:1');
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2']);
  const endMs = authority.notAfterMs(Buffer.from(pem).toString('base64'));
  assert.equal(endMs - Date.parse(certificate.validFrom), 600_000 + 5 * 60_000);
});
