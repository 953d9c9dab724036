// Whether a certificate signing request is one: PEM of PKCS#10 (RFC 2986) that its own key has signed.

import 'reflect-metadata';
import { createPublicKey, verify } from 'node:crypto';
import { Pkcs10CertificateRequest } from '@peculiar/x509';

/** What is wrong with a request as it stands in `spec.request`, or nothing. */
export function pkcs10Problem(base64: string): string | undefined {
  const pem = Buffer.from(base64, 'base64').toString();
  const body = /-----BEGIN CERTIFICATE REQUEST-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE REQUEST-----/.exec(pem)?.[1];
  if (body === undefined) return 'PEM block type must be CERTIFICATE REQUEST';
  const der = Buffer.from(body, 'base64');
  try {
    const request = new Pkcs10CertificateRequest(der);
    return isSelfSigned(der, request) ? undefined : 'x509: invalid signature: parent certificate cannot sign this kind of certificate';
  } catch (error) {
    // Whatever the parser trips over, the request is not one.
    return error instanceof Error ? `asn1: structure error: ${error.message}` : 'asn1: structure error';
  }
}

function isSelfSigned(der: Buffer, request: Pkcs10CertificateRequest): boolean {
  const [info, , signature] = partsOf(der);
  if (!info || !signature) return false;
  const key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
  const algorithm = request.signatureAlgorithm as { hash?: { name: string } };
  // A bit string's first byte says how many bits of its last are unused: none in a signature.
  return verify(algorithm.hash?.name.replace('-', '') ?? null, info.whole, key, signature.content.subarray(1));
}

interface Part {
  whole: Buffer;
  content: Buffer;
}

/** The elements inside of the DER sequence that `der` is. */
function partsOf(der: Buffer): Part[] {
  const outer = partAt(der, 0);
  const parts: Part[] = [];
  for (let at = 0; outer && at < outer.content.length; ) {
    const part = partAt(outer.content, at);
    if (!part) break;
    parts.push(part);
    at += part.whole.length;
  }
  return parts;
}

function partAt(bytes: Buffer, at: number): Part | undefined {
  const first = bytes[at + 1];
  if (first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const begin = at + 2 + lengthBytes;
  if (lengthBytes > 4 || begin > bytes.length) return undefined;
  const length = lengthBytes ? bytes.readUIntBE(at + 2, lengthBytes) : first;
  if (begin + length > bytes.length) return undefined;
  return { whole: bytes.subarray(at, begin + length), content: bytes.subarray(begin, begin + length) };
}
