// A certificate signing request: PEM of PKCS#10 (RFC 2986), whom and what it wants a certificate for, and whether its own
// key has signed it. Read without the library that makes certificates, which most servers never need.

import { createPublicKey, verify } from 'node:crypto';
import { type Element, elementAt, elementsIn, textOf } from './der.ts';

export interface RequestedCertificate {
  commonName: string;
  organizations: string[];
  dnsNames: string[];
  ipAddresses: string[];
  emailAddresses: string[];
  uris: string[];
}

/** What is wrong with a request as it stands in `spec.request`, or nothing. */
export function certificateRequestProblem(base64: string): string | undefined {
  try {
    const { info, algorithm, signature, key } = partsOf(derOf(base64));
    readCertificateRequest(base64);
    const hash = hashes[algorithm];
    if (hash === undefined) return 'x509: cannot verify signature: algorithm unimplemented';
    const publicKey = createPublicKey({ key: key.whole, format: 'der', type: 'spki' });
    // A bit string's first byte says how many bits of its last are unused: none in a signature.
    if (verify(hash || null, info.whole, publicKey, signature.content.subarray(1))) return undefined;
    return 'x509: invalid signature: parent certificate cannot sign this kind of certificate';
  } catch (error) {
    // Whatever the parser or the key's own trips over, the request is not one.
    return error instanceof Error ? error.message : String(error);
  }
}

/** @param base64 PEM in base64, as in `spec.request`. @throws Error when it is no request */
export function readCertificateRequest(base64: string): RequestedCertificate {
  const { subject, attributes } = partsOf(derOf(base64));
  const names = alternativeNames(attributes);
  const textsOf = (tag: number) => names.filter((name) => name.tag === tag).map(({ content }) => content.toString('latin1'));
  return {
    commonName: valuesOf(subject, commonNameId).at(-1) ?? '',
    organizations: valuesOf(subject, organizationId),
    emailAddresses: textsOf(0x81),
    dnsNames: textsOf(0x82),
    uris: textsOf(0x86),
    ipAddresses: names.filter((name) => name.tag === 0x87).map(({ content }) => addressOf(content)),
  };
}

const sequenceTag = 0x30;
const identifierTag = 0x06;
const bitStringTag = 0x03;

/** Object identifiers as they are encoded, in hex. */
const commonNameId = '550403';
const organizationId = '55040a';
const extensionRequestId = '2a864886f70d01090e';
const alternativeNameId = '551d11';
const hashes: Record<string, string> = {
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  // Ed25519 hashes by itself.
  '2b6570': '',
};

/** The DER of a request. @throws Error when `base64` holds no PEM of one */
function derOf(base64: string): Buffer {
  const pem = Buffer.from(base64, 'base64').toString();
  const body = /-----BEGIN CERTIFICATE REQUEST-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE REQUEST-----/.exec(pem)?.[1];
  if (body === undefined) throw new Error('PEM block type must be CERTIFICATE REQUEST');
  return Buffer.from(body, 'base64');
}

function partsOf(der: Buffer) {
  const outer = elementAt(der);
  if (outer.tag !== sequenceTag || outer.whole.length !== der.length)
    throw new Error("asn1: structure error: tags don't match or trailing data");
  const [info, algorithmSequence, signature] = elementsIn(outer);
  if (!info || !algorithmSequence || !signature) throw new Error('asn1: structure error: sequence truncated');
  const [, subject, key, attributes] = elementsIn(info);
  const [algorithm] = elementsIn(algorithmSequence);
  const isOfKinds = algorithmSequence.tag === sequenceTag && algorithm?.tag === identifierTag && signature.tag === bitStringTag;
  if (!isOfKinds || signature.content[0] !== 0) throw new Error("asn1: structure error: tags don't match");
  if (!subject || !key || !algorithm) throw new Error('asn1: structure error: sequence truncated');
  return { info, subject, key, attributes, signature, algorithm: algorithm.content.toString('hex') };
}

/** The values of one attribute of a name, in their order. */
function valuesOf(name: Element, id: string): string[] {
  return elementsIn(name)
    .flatMap(elementsIn)
    .map(elementsIn)
    .filter(([type]) => type?.content.toString('hex') === id)
    .flatMap(([, value]) => (value ? [textOf(value)] : []));
}

function alternativeNames(attributes: Element | undefined): Element[] {
  if (!attributes) return [];
  const extensions = elementsIn(attributes)
    .map(elementsIn)
    .filter(([type]) => type?.content.toString('hex') === extensionRequestId)
    .flatMap(([, values]) => (values ? elementsIn(values) : []))
    .flatMap(elementsIn);
  return extensions
    .map(elementsIn)
    .filter(([type]) => type?.content.toString('hex') === alternativeNameId)
    .flatMap((parts) => elementsIn(elementAt(parts.at(-1)?.content ?? Buffer.alloc(0))));
}

function addressOf(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.');
  if (bytes.length === 16) return (bytes.toString('hex').match(/.{4}/g) ?? []).join(':');
  throw new Error(`x509: cannot parse IP address of length ${bytes.length}`);
}
