// The envelope of KMS v2: values encrypted with keys derived from a seed, which is stored with each value in a form that only
// the KMS plug-in can decrypt. Byte for byte what Kubernetes writes (pkg/storage/value/encrypt/envelope/kmsv2 of
// k8s.io/apiserver).

import { createHash, createHmac, randomBytes } from 'node:crypto';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../../../api/validation/formats.ts';
import { aesGcm } from '../providers.ts';
import { type Transformer, together } from '../transformer.ts';
import { encryptedObjectMessage } from './kms-proto.ts';
import type { Annotations } from './kms-service.ts';

/** What `encryptedDEKSource` is, once decrypted: an AES-GCM key, or a seed of keys. Kubernetes writes only the second any more. */
export const dekSourceTypes = { aesGcmKey: 0, hkdfSeed: 1 } as const;

export interface EncryptedObject {
  encryptedData: Buffer;
  keyID: string;
  encryptedDEKSource: Buffer;
  annotations: Annotations;
  encryptedDEKSourceType: number;
}

const dekSourceBytesMax = 1024;
const keyIdBytesMax = 1024;
const annotationsBytesMax = 32 * 1024;

/** @throws when it is not valid */
export function encodeEncryptedObject(object: EncryptedObject): Buffer {
  validateEncryptedObject(object);
  return encryptedObjectMessage.serialize(object);
}

/** @throws when it is none, or not valid */
export function decodeEncryptedObject(bytes: Uint8Array): EncryptedObject {
  const object = encryptedObjectMessage.deserialize(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as EncryptedObject;
  validateEncryptedObject(object);
  return object;
}

/** @throws with what is wrong */
export function validateEncryptedObject({
  encryptedDEKSourceType: type,
  encryptedData,
  encryptedDEKSource,
  keyID,
  annotations,
}: EncryptedObject): void {
  if (type !== dekSourceTypes.aesGcmKey && type !== dekSourceTypes.hkdfSeed) throw new Error(`unknown encryptedDEKSourceType: ${type}`);
  if (encryptedData.length === 0) throw new Error('encrypted data is empty');
  if (encryptedDEKSource.length === 0) throw new Error('failed to validate encrypted DEK source: encrypted DEK source is empty');
  if (encryptedDEKSource.length > dekSourceBytesMax)
    throw new Error(
      `failed to validate encrypted DEK source: encrypted DEK source is ${encryptedDEKSource.length} bytes, which exceeds the max size of ${dekSourceBytesMax}`,
    );
  const problem = keyIdProblem(keyID);
  if (problem) throw new Error(`failed to validate key id: ${problem.message}`);
  const errors = annotationErrors(annotations);
  if (errors.length > 0) throw new Error(`failed to validate annotations: ${together(errors).message}`);
}

/** `code` names it in metrics. */
export function keyIdProblem(keyId: string): { code: string; message: string } | undefined {
  const length = Buffer.byteLength(keyId);
  if (length === 0) return { code: 'empty', message: 'keyID is empty' };
  if (length > keyIdBytesMax)
    return { code: 'too_long', message: `keyID is ${length} bytes, which exceeds the max size of ${keyIdBytesMax}` };
  return undefined;
}

function annotationErrors(annotations: Annotations): Error[] {
  const errors: Error[] = [];
  let bytes = 0;
  for (const [name, value] of Object.entries(annotations)) {
    const problem = domainProblem(name);
    if (problem) errors.push(new Error(`annotations: ${problem}`));
    bytes += Buffer.byteLength(name) + value.length;
  }
  if (bytes > annotationsBytesMax)
    errors.push(new Error(`total size of annotations is ${bytes}, which exceeds the max size of ${annotationsBytesMax}`));
  return errors;
}

function domainProblem(given: string): string | undefined {
  if (given === '') return 'Required value';
  const name = given.endsWith('.') ? given.slice(0, -1) : given;
  const refused = (value: string, problems: readonly string[]) => `Invalid value: ${JSON.stringify(value)}: ${problems.join(',')}`;
  const problems = dns1123SubdomainProblems(name);
  if (problems.length > 0) return refused(name, problems);
  const labels = name.split('.');
  if (labels.length < 2) return refused(name, ['should be a domain with at least two segments separated by dots']);
  const label = labels.find((each) => dns1123LabelProblems(each).length > 0);
  return label === undefined ? undefined : refused(label, dns1123LabelProblems(label));
}

/** Names a decrypted seed by all that says how to decrypt it. */
export function cacheKeyOf({ encryptedDEKSourceType, encryptedDEKSource, keyID, annotations }: EncryptedObject): string {
  const hash = createHash('sha256');
  const add = (part: string | Buffer) => hash.update(`${Buffer.byteLength(part)}:`).update(part);
  add(String(encryptedDEKSourceType));
  add(encryptedDEKSource);
  add(keyID);
  for (const name of Object.keys(annotations).sort()) {
    add(name);
    add(annotations[name] as Buffer);
  }
  return hash.digest('base64');
}

const infoBytes = 32;
export const seedBytesMin = 32;

/** AES-GCM with a key of its own for every value, which HKDF-SHA256 makes of the seed and 32 random bytes before the value. */
export function extendedNonceGcm(seed: Buffer): Transformer {
  if (seed.length < seedBytesMin) throw new Error(`invalid seed length ${seed.length} used for key generation`);
  // HKDF's expand step alone, of which one block is as long as the key.
  const keyOf = (info: Uint8Array) => createHmac('sha256', seed).update(info).update(Buffer.of(1)).digest();
  return {
    encrypt(value, key) {
      const info = randomBytes(infoBytes);
      return Buffer.concat([info, aesGcm(keyOf(info)).encrypt(value, key)]);
    },
    decrypt(stored, key) {
      if (stored.length < infoBytes) throw new Error('the stored data was shorter than the required size');
      return aesGcm(keyOf(stored.subarray(0, infoBytes))).decrypt(stored.subarray(infoBytes), key);
    },
  };
}
