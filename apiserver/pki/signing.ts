// The cluster's authority as a signer of others' requests: signs what they ask for under the usages and for the time that
// the caller grants.

import 'reflect-metadata'; // x509's dependency injection looks for it
import * as x509 from '@peculiar/x509';
import type { Clock } from '../../base/clock.ts';
import { importKey, type KeyPairPem, serialNumber, signingAlgorithmOf } from './certificates.ts';

/** Certificates begin this long ago, for clocks that are behind. */
const backdateMs = 5 * 60_000;
/** Shorter ones keep their whole time; from longer ones the backdating is taken off. */
const shortMs = 8 * 3600_000;

/** Certificates in PEM for requests as they stand in `spec.request`. */
export type SignRequest = (request: string, options: { usages: readonly string[]; validSeconds: number }) => Promise<string>;

export function requestSigner(authority: KeyPairPem, clock: Clock): SignRequest {
  const issuer = new x509.X509Certificate(authority.certPem);
  return async (request, { usages, validSeconds }) => {
    const asked = parse(request);
    const names = alternativeNames(asked);
    const validMs = validSeconds * 1000;
    const endMs = clock.nowMs() + (validMs < shortMs ? validMs : validMs - backdateMs);
    const flags = usages.reduce((sum, usage) => sum | (keyUsages[usage] ?? 0), 0);
    const extended = usages.flatMap((usage) => extendedUsages[usage] ?? []);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: asked.subjectName,
      issuer: issuer.subjectName,
      notBefore: new Date(clock.nowMs() - backdateMs),
      notAfter: new Date(Math.min(endMs, issuer.notAfter.getTime())),
      publicKey: asked.publicKey,
      signingKey: await importKey(authority.keyPem),
      signingAlgorithm: signingAlgorithmOf(authority.keyPem),
      extensions: [
        // One without any usage in it is no extension.
        ...(flags !== 0 ? [new x509.KeyUsagesExtension(flags, true)] : []),
        ...(extended.length > 0 ? [new x509.ExtendedKeyUsageExtension([...new Set(extended)])] : []),
        new x509.BasicConstraintsExtension(false, undefined, true),
        await x509.AuthorityKeyIdentifierExtension.create(issuer),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names, subjectIsEmpty(asked))] : []),
      ],
    });
    return `${certificate.toString('pem')}\n`;
  };
}

function parse(request: string): x509.Pkcs10CertificateRequest {
  return new x509.Pkcs10CertificateRequest(Buffer.from(request, 'base64').toString());
}

const signedNameTypes = ['dns', 'ip', 'email', 'url'];

/** The names that Kubernetes signs; others in the request are left out. */
function alternativeNames({ extensions }: x509.Pkcs10CertificateRequest): x509.GeneralName[] {
  const extension = extensions.find((each) => each instanceof x509.SubjectAlternativeNameExtension);
  return [...(extension?.names.items ?? [])].filter(({ type }) => signedNameTypes.includes(type));
}

const subjectIsEmpty = ({ subject }: x509.Pkcs10CertificateRequest) => subject === '';

const { KeyUsageFlags, ExtendedKeyUsage } = x509;

const keyUsages: Record<string, number> = {
  signing: KeyUsageFlags.digitalSignature,
  'digital signature': KeyUsageFlags.digitalSignature,
  'content commitment': KeyUsageFlags.nonRepudiation,
  'key encipherment': KeyUsageFlags.keyEncipherment,
  'key agreement': KeyUsageFlags.keyAgreement,
  'data encipherment': KeyUsageFlags.dataEncipherment,
  'cert sign': KeyUsageFlags.keyCertSign,
  'crl sign': KeyUsageFlags.cRLSign,
  'encipher only': KeyUsageFlags.encipherOnly,
  'decipher only': KeyUsageFlags.decipherOnly,
};

const extendedUsages: Record<string, string> = {
  any: '2.5.29.37.0',
  'server auth': ExtendedKeyUsage.serverAuth,
  'client auth': ExtendedKeyUsage.clientAuth,
  'code signing': ExtendedKeyUsage.codeSigning,
  'email protection': ExtendedKeyUsage.emailProtection,
  's/mime': ExtendedKeyUsage.emailProtection,
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: ExtendedKeyUsage.timeStamping,
  'ocsp signing': ExtendedKeyUsage.ocspSigning,
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
};
