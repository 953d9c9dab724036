// Certificates for tests of servers that know their callers by them.

import { createAuthority, createCertificate, type KeyPairPem } from '../apiserver/pki/certificates.ts';
import { systemClock } from '../base/clock.ts';

export interface TestCertificates {
  /** PEM of the authority that signed all of them. */
  ca: string;
  /** Serves `localhost` and 127.0.0.1. */
  server: KeyPairPem;
  /** The API server's, towards kubelets. */
  apiServer: KeyPairPem;
  /** Someone with a certificate and no rights. */
  stranger: KeyPairPem;
}

export async function testCertificates(): Promise<TestCertificates> {
  const authority = await createAuthority('test-ca', systemClock);
  const common = { isClient: true, validDays: 1 };
  const [server, apiServer, stranger] = await Promise.all([
    createCertificate(authority, { commonName: 'node', serverNames: ['localhost', '127.0.0.1'], ...common }, systemClock),
    createCertificate(
      authority,
      { commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'], ...common },
      systemClock,
    ),
    createCertificate(authority, { commonName: 'stranger', ...common }, systemClock),
  ]);
  return { ca: authority.certPem, server, apiServer, stranger };
}
