import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { aesCbc, aesGcm, identity, secretBox } from './providers.ts';
import type { Opened, Transformer } from './transformer.ts';

const seed = Date.now() | 0;
console.log(`seed ${seed}`);
const key = '/registry/core/secrets/default/s';
const opened = (transformer: Transformer, stored: Uint8Array, at = key) => {
  const result = transformer.decrypt(stored, at) as Opened;
  assert.equal(result.isStale, false);
  return Buffer.from(result.value);
};
const secrets = (...lengths: number[]) =>
  fc.constantFrom(...lengths).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
const values = fc.uint8Array({ maxLength: 300 });

for (const [name, transformerOf, lengths] of [
  ['aesgcm', aesGcm, [16, 24, 32]],
  ['aescbc', aesCbc, [16, 24, 32]],
  ['secretbox', secretBox, [32]],
] as const) {
  test(`${name}: any bytes come back, and no two writings of them are alike`, () => {
    fc.assert(
      fc.property(secrets(...lengths), values, (secret, value) => {
        const transformer = transformerOf(secret);
        const stored = transformer.encrypt(value, key);
        assert.deepEqual(opened(transformer, stored), Buffer.from(value));
        assert.notDeepEqual(stored, transformer.encrypt(value, key));
      }),
      { seed, numRuns: 100 },
    );
  });
}

for (const [name, transformer] of [
  ['aesgcm', aesGcm(Buffer.alloc(32, 'k'))],
  ['secretbox', secretBox(Buffer.alloc(32, 'k'))],
] as const) {
  test(`${name}: a value of which any bit is flipped or any end is missing is refused`, () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.nat(7), (value, at, bit) => {
        const stored = Buffer.from(transformer.encrypt(value, key));
        const changed = Buffer.from(stored);
        const index = at % stored.length;
        changed[index] = (changed[index] as number) ^ (1 << bit);
        assert.throws(() => transformer.decrypt(changed, key));
        assert.throws(() => transformer.decrypt(stored.subarray(0, index), key));
      }),
      { seed, numRuns: 200 },
    );
  });
}

test('aesgcm reads a value at the key that it was written for, and at no other', () => {
  const transformer = aesGcm(Buffer.alloc(16, 'k'));
  const stored = transformer.encrypt(Buffer.from('v'), key);
  assert.throws(() => transformer.decrypt(stored, `${key}2`), { message: 'cipher: message authentication failed' });
});

test('aescbc says what is wrong with what it is given', () => {
  const transformer = aesCbc(Buffer.alloc(16, 'k'));
  const stored = Buffer.from(transformer.encrypt(Buffer.from('value'), key));
  assert.throws(() => transformer.decrypt(stored.subarray(0, 15), key), {
    message: 'the stored data was shorter than the required size',
  });
  assert.throws(() => transformer.decrypt(stored.subarray(0, 20), key), {
    message: 'the stored data is not a multiple of the block size',
  });
  assert.throws(() => transformer.decrypt(stored.subarray(0, 16), key), { message: 'invalid PKCS7 data (empty or not padded)' });
  // The first block is mixed into the decrypted one: its last byte is the padding's length, here 11.
  const withPadding = (length: number) => {
    const changed = Buffer.from(stored);
    changed[15] = (changed[15] as number) ^ 11 ^ length;
    return changed;
  };
  assert.throws(() => transformer.decrypt(withPadding(0), key), { message: 'invalid PKCS7 data (empty or not padded)' });
  assert.throws(() => transformer.decrypt(withPadding(12), key), { message: 'invalid padding on input' });
});

test('what another maker has written is read: the test vector of secretbox', () => {
  const box = Buffer.from(
    'f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5',
    'hex',
  );
  const nonce = Buffer.from('69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37', 'hex');
  const secret = Buffer.from('1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389', 'hex');
  const message = Buffer.from(
    'be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705',
    'hex',
  );
  assert.deepEqual(opened(secretBox(secret), Buffer.concat([nonce, box])), message);
});

test('identity leaves values as they are, and takes no encrypted one for a clear one', () => {
  const value = Buffer.from('{}');
  assert.deepEqual(identity.encrypt(value, key), value);
  assert.deepEqual(opened(identity, value), value);
  assert.throws(() => identity.decrypt(Buffer.from('k8s:enc:aesgcm:v1:a:x'), key), {
    message: 'identity transformer tried to read encrypted data',
  });
});
