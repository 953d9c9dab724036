// X.509 certificates for a cluster: ECDSA P-256 keys, a CA, and what it signs, in PEM.

import 'reflect-metadata'; // x509's dependency injection looks for it
import { createPrivateKey, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Clock } from '../../base/clock.ts';

x509.cryptoProvider.set(webcrypto as unknown as Crypto);

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface KeyPairPem {
  certPem: string;
  keyPem: string;
}

export interface CertificateRequest {
  commonName: string;
  /** Groups, when it names a user. */
  organizations?: readonly string[];
  /** DNS names and IP addresses it may serve. Absent: a client certificate. */
  serverNames?: readonly string[];
  isClient: boolean;
  validDays: number;
}

/** A self-signed CA of ten years. */
export async function createAuthority(commonName: string, clock: Clock): Promise<KeyPairPem> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    notBefore: minutesAgo(clock),
    notAfter: daysAhead(clock, 3650),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign |
          x509.KeyUsageFlags.cRLSign |
          x509.KeyUsageFlags.digitalSignature |
          x509.KeyUsageFlags.keyEncipherment,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certPem: certificate.toString('pem'), keyPem: await exportKey(keys.privateKey) };
}

/** A certificate of its own key, signed by `authority`. */
export async function createCertificate(authority: KeyPairPem, request: CertificateRequest, clock: Clock): Promise<KeyPairPem> {
  const keys = await generateKeys();
  const issuer = new x509.X509Certificate(authority.certPem);
  const usages = [
    ...(request.serverNames ? [x509.ExtendedKeyUsage.serverAuth] : []),
    ...(request.isClient ? [x509.ExtendedKeyUsage.clientAuth] : []),
  ];
  const organizations = (request.organizations ?? []).map((O) => ({ O: [O] }));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [...organizations, { CN: [request.commonName] }],
    issuer: issuer.subject,
    notBefore: minutesAgo(clock),
    notAfter: daysAhead(clock, request.validDays),
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.keyPem),
    signingAlgorithm: signingAlgorithmOf(authority.keyPem),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension(usages),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...(request.serverNames ? [new x509.SubjectAlternativeNameExtension(request.serverNames.map(alternativeName))] : []),
    ],
  });
  return { certPem: certificate.toString('pem'), keyPem: await exportKey(keys.privateKey) };
}

/** An ECDSA P-256 key pair for signing service-account tokens (ES256), in PEM. */
export async function createSigningKey(): Promise<{ privatePem: string; publicPem: string }> {
  const keys = await generateKeys();
  const spki = await webcrypto.subtle.exportKey('spki', keys.publicKey);
  return { privatePem: await exportKey(keys.privateKey), publicPem: pem('PUBLIC KEY', spki) };
}

const dayMs = 24 * 3600 * 1000;
const minutesAgo = (clock: Clock) => new Date(clock.nowMs() - 5 * 60_000);
const daysAhead = (clock: Clock, days: number) => new Date(clock.nowMs() + days * dayMs);

/** Random, of 16 bytes, in hex. */
export function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] as number) & 0x7f) | 1; // positive, as RFC 5280 wants
  return Buffer.from(bytes).toString('hex');
}

function alternativeName(name: string): x509.GeneralName {
  return new x509.GeneralName(/^[\d.]+$|:/.test(name) ? 'ip' : 'dns', name);
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', key));
}

/** A private key to sign with, of whichever kind an authority that was brought along has. */
export function importKey(keyPem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, signingAlgorithmOf(keyPem), false, ['sign']);
}

/** ECDSA by its curve, or RSA, with SHA-256. @throws Error for other keys */
export function signingAlgorithmOf(keyPem: string): { name: string; hash: string; namedCurve?: string } {
  const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(keyPem);
  if (asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const curve = curves[asymmetricKeyDetails?.namedCurve ?? ''];
  if (curve === undefined) throw new Error(`keys of type ${asymmetricKeyType} cannot sign certificates`);
  return { name: 'ECDSA', hash: 'SHA-256', namedCurve: curve };
}

const curves: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
