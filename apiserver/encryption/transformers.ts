// How a value looks at rest: each transformer's bytes begin with a prefix that names the transformer and its key, as
// Kubernetes writes them, so that either server reads what the other has stored.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

export interface Transformer {
  /** What its stored values begin with; '' for those that are as they are. */
  readonly prefix: Buffer;
  /** `key` is the value's key in the store: a value that is moved to another key cannot be read. */
  encrypt(value: Uint8Array, key: string): Buffer;
  /** `stored` is without the prefix. @throws when it was changed, moved or written with another key */
  decrypt(stored: Uint8Array, key: string): Buffer;
}

const nonceBytes = 12;
const tagBytes = 16;

/** AES-GCM with random nonces. `secret` has 16, 24 or 32 bytes. */
export function aesGcm(keyName: string, secret: Buffer): Transformer {
  const algorithm = `aes-${secret.length * 8}-gcm` as 'aes-256-gcm';
  return {
    prefix: Buffer.from(`k8s:enc:aesgcm:v1:${keyName}:`),
    encrypt(value, key) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, secret, nonce).setAAD(Buffer.from(key));
      return Buffer.concat([this.prefix, nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
    },
    decrypt(stored, key) {
      if (stored.length < nonceBytes + tagBytes) throw new Error('the stored data was shorter than the required size');
      const decipher = createDecipheriv(algorithm, secret, stored.subarray(0, nonceBytes)).setAAD(Buffer.from(key));
      decipher.setAuthTag(stored.subarray(stored.length - tagBytes));
      return Buffer.concat([decipher.update(stored.subarray(nonceBytes, stored.length - tagBytes)), decipher.final()]);
    },
  };
}

const blockBytes = 16;

/** AES-CBC with PKCS#7 padding, for clusters that have it already: it cannot tell whether a value was changed. */
export function aesCbc(keyName: string, secret: Buffer): Transformer {
  const algorithm = `aes-${secret.length * 8}-cbc`;
  return {
    prefix: Buffer.from(`k8s:enc:aescbc:v1:${keyName}:`),
    encrypt(value) {
      const start = randomBytes(blockBytes);
      const cipher = createCipheriv(algorithm, secret, start);
      return Buffer.concat([this.prefix, start, cipher.update(value), cipher.final()]);
    },
    decrypt(stored) {
      if (stored.length < 2 * blockBytes) throw new Error('the stored data was shorter than the required size');
      const decipher = createDecipheriv(algorithm, secret, stored.subarray(0, blockBytes));
      return Buffer.concat([decipher.update(stored.subarray(blockBytes)), decipher.final()]);
    },
  };
}

const encrypted = Buffer.from('k8s:enc:');

/** Values as they are. */
export const identity: Transformer = {
  prefix: Buffer.alloc(0),
  encrypt: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength),
  decrypt(stored) {
    const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
    if (startsWith(bytes, encrypted)) throw new Error('identity transformer tried to read encrypted data');
    return bytes;
  },
};

export function startsWith(bytes: Uint8Array, prefix: Buffer): boolean {
  return bytes.length >= prefix.length && prefix.compare(bytes, 0, prefix.length) === 0;
}
