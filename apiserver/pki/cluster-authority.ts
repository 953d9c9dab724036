// What the certificate controllers are given: the cluster's authority reads requests at once, and loads what it signs
// them with when there is one to be signed.

import { X509Certificate } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { readCertificateRequest } from './certificate-request.ts';
import type { KeyPairPem } from './certificates.ts';
import type { SignRequest } from './signing.ts';

export function clusterAuthority(authority: KeyPairPem, clock: Clock) {
  return {
    read: readCertificateRequest,
    notAfterMs: (certificate: string) => Date.parse(new X509Certificate(Buffer.from(certificate, 'base64')).validTo),
    sign: (async (request, options) =>
      (await import('./signing.ts')).requestSigner(authority, clock)(request, options)) satisfies SignRequest,
  };
}
