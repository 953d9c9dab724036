// What a server would say of a certificate and its key when it loads them, as Go's tls.X509KeyPair says it: a TLS secret that
// cannot be used is stored all the same, and its author warned.

import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';

interface Block {
  type: string;
  pem: string;
}

function blocksOf(text: string): Block[] {
  const blocks = text.matchAll(/^-----BEGIN ([^\r\n]*?)-----\r?\n([\s\S]*?)^-----END \1-----/gm);
  return [...blocks].map(([pem, type = '']) => ({ type, pem }));
}

/** Why the two cannot serve; undefined: they can. */
export function tlsPairProblem(certificate: string, key: string): string | undefined {
  const blocks = blocksOf(certificate);
  const first = blocks.find(({ type }) => type === 'CERTIFICATE');
  if (!first) return `tls: ${missingCertificate(blocks)}`;
  const keyBlocks = blocksOf(key);
  const keyBlock = keyBlocks.find(({ type }) => type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY'));
  if (!keyBlock) return `tls: ${missingKey(keyBlocks)}`;
  const publicKey = read(() => new X509Certificate(first.pem).publicKey);
  if (!publicKey) return 'x509: malformed certificate';
  const privateKey = read(() => createPrivateKey(keyBlock.pem));
  if (!privateKey) return 'tls: failed to parse private key';
  if (!['rsa', 'ec', 'ed25519'].includes(publicKey.asymmetricKeyType ?? '')) return 'tls: unknown public key algorithm';
  if (privateKey.asymmetricKeyType !== publicKey.asymmetricKeyType) return 'tls: private key type does not match public key type';
  return createPublicKey(privateKey).equals(publicKey) ? undefined : 'tls: private key does not match public key';
}

function missingCertificate(blocks: readonly Block[]): string {
  if (blocks.length === 0) return 'failed to find any PEM data in certificate input';
  if (blocks.length === 1 && blocks[0]?.type.endsWith('PRIVATE KEY'))
    return 'failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched';
  return `failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${typesOf(blocks)}`;
}

function missingKey(blocks: readonly Block[]): string {
  if (blocks.length === 0) return 'failed to find any PEM data in key input';
  if (blocks.length === 1 && blocks[0]?.type === 'CERTIFICATE')
    return 'found a certificate rather than a key in the PEM for the private key';
  return `failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${typesOf(blocks)}`;
}

const typesOf = (blocks: readonly Block[]) => `[${blocks.map(({ type }) => type).join(' ')}]`;

/** What OpenSSL makes of it; undefined: nothing. */
function read(parse: () => KeyObject): KeyObject | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
