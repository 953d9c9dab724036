// The providers whose keys stand in the configuration itself. What they write is byte for byte what Kubernetes' own write
// (k8s.io/apiserver/pkg/storage/value/encrypt), behind the prefixes that name provider and key.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { startsWith, type Transformer } from './transformer.ts';

const nonceBytes = 12;
const tagBytes = 16;
const tooShort = 'the stored data was shorter than the required size';

/**
 * AES-GCM with random nonces. `secret` has 16, 24 or 32 bytes and writes no more than 2^32 values (NIST SP 800-38D). The
 * value's key in the store is authenticated with it: a value that is moved to another key cannot be read.
 */
export function aesGcm(secret: Uint8Array): Transformer {
  const algorithm = `aes-${secret.length * 8}-gcm` as 'aes-256-gcm';
  return {
    encrypt(value, key) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, secret, nonce).setAAD(Buffer.from(key));
      return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
    },
    decrypt(stored, key) {
      if (stored.length < nonceBytes) throw new Error(tooShort);
      const end = stored.length - tagBytes;
      if (end < nonceBytes) throw new Error('cipher: message authentication failed');
      const decipher = createDecipheriv(algorithm, secret, stored.subarray(0, nonceBytes)).setAAD(Buffer.from(key));
      decipher.setAuthTag(stored.subarray(end));
      const value = decipher.update(stored.subarray(nonceBytes, end));
      try {
        decipher.final();
      } catch (error) {
        throw new Error('cipher: message authentication failed', { cause: error });
      }
      return { value, isStale: false };
    },
  };
}

const blockBytes = 16;

/** AES-CBC with PKCS#7 padding, for clusters that have it already: it cannot tell whether a value was changed. */
export function aesCbc(secret: Uint8Array): Transformer {
  const algorithm = `aes-${secret.length * 8}-cbc`;
  return {
    encrypt(value) {
      const start = randomBytes(blockBytes);
      const cipher = createCipheriv(algorithm, secret, start);
      return Buffer.concat([start, cipher.update(value), cipher.final()]);
    },
    decrypt(stored) {
      if (stored.length < blockBytes) throw new Error(tooShort);
      if (stored.length % blockBytes !== 0) throw new Error('the stored data is not a multiple of the block size');
      const decipher = createDecipheriv(algorithm, secret, stored.subarray(0, blockBytes)).setAutoPadding(false);
      const padded = Buffer.concat([decipher.update(stored.subarray(blockBytes)), decipher.final()]);
      const paddingBytes = padded.at(-1) ?? 0;
      const end = padded.length - paddingBytes;
      if (paddingBytes === 0 || end < 0) throw new Error('invalid PKCS7 data (empty or not padded)');
      if (padded.subarray(end).some((byte) => byte !== paddingBytes)) throw new Error('invalid padding on input');
      return { value: padded.subarray(0, end), isStale: false };
    },
  };
}

const boxNonceBytes = 24;

/** XSalsa20 and Poly1305 with random nonces. `secret` has 32 bytes. Where a value is stored is not authenticated. */
export function secretBox(secret: Uint8Array): Transformer {
  return {
    encrypt(value) {
      const nonce = randomBytes(boxNonceBytes);
      return Buffer.concat([nonce, xsalsa20poly1305(secret, nonce).encrypt(value)]);
    },
    decrypt(stored) {
      if (stored.length < boxNonceBytes + tagBytes) throw new Error(tooShort);
      const cipher = xsalsa20poly1305(secret, stored.subarray(0, boxNonceBytes));
      try {
        return { value: cipher.decrypt(stored.subarray(boxNonceBytes)), isStale: false };
      } catch (error) {
        // Kubernetes' words for whatever is wrong with it.
        throw new Error('output array was not large enough for encryption', { cause: error });
      }
    },
  };
}

const encrypted = Buffer.from('k8s:enc:');

/** Values as they are. */
export const identity: Transformer = {
  encrypt: (value) => value,
  decrypt(stored) {
    if (startsWith(stored, encrypted)) throw new Error('identity transformer tried to read encrypted data');
    return { value: stored, isStale: false };
  },
};
