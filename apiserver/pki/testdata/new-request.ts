// A certificate request as clients make them, for tests.

import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** PEM in base64, as in `spec.request`; its key is forgotten. */
export async function newRequest(commonName: string, organizations: readonly string[], names: x509.JsonGeneralNames = []): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [...organizations.map((O) => ({ O: [O] })), { CN: [commonName] }],
    keys,
    signingAlgorithm: algorithm,
    extensions: names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : [],
  });
  return Buffer.from(`${request.toString('pem')}\n`).toString('base64');
}
