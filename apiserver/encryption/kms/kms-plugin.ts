// A KMS plug-in for tests: a real gRPC server at a unix socket in a directory of its own, whose key never leaves it.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { keyManagementService } from './kms-proto.ts';
import type { Annotations, StatusResponse } from './kms-service.ts';

type Call<Request> = { request: Request };
type Answer = (error: { code: grpc.status; details: string } | null, response?: object) => void;

export class KmsPlugin {
  readonly #directory = mkdtempSync(join(tmpdir(), 'kms-'));
  readonly #keys = new Map<string, Buffer>();
  #server = new grpc.Server();
  /** What Status says; a key id that was never named before is a new key. */
  status: StatusResponse = { version: 'v2', healthz: 'ok', keyId: 'key-1' };
  /** What Encrypt says it used, if not what Status says. */
  encryptsWith: string | undefined;
  annotations: Annotations = { 'version.kms.example.com': Buffer.from('7') };
  /** Every call fails with it. */
  failure: { code: grpc.status; details: string } | undefined;
  /** Calls are taken and never answered. */
  isSilent = false;
  calls: string[] = [];

  get endpoint(): string {
    return `unix://${join(this.#directory, 'plugin.sock')}`;
  }

  async start(): Promise<void> {
    this.#server = new grpc.Server();
    this.#server.addService(keyManagementService, {
      Status: (_: Call<object>, answer: Answer) => this.#answer('Status', answer, () => this.status),
      Encrypt: ({ request }: Call<{ plaintext: Buffer }>, answer: Answer) =>
        this.#answer('Encrypt', answer, () => {
          const keyId = this.encryptsWith ?? this.status.keyId;
          const nonce = randomBytes(12);
          const cipher = createCipheriv('aes-256-gcm', this.#keyOf(keyId), nonce);
          const ciphertext = Buffer.concat([nonce, cipher.update(request.plaintext), cipher.final(), cipher.getAuthTag()]);
          return { ciphertext, keyId, annotations: this.annotations };
        }),
      Decrypt: ({ request }: Call<{ ciphertext: Buffer; keyId: string }>, answer: Answer) =>
        this.#answer('Decrypt', answer, () => {
          const { ciphertext, keyId } = request;
          const decipher = createDecipheriv('aes-256-gcm', this.#keyOf(keyId), ciphertext.subarray(0, 12));
          decipher.setAuthTag(ciphertext.subarray(-16));
          return { plaintext: Buffer.concat([decipher.update(ciphertext.subarray(12, -16)), decipher.final()]) };
        }),
    });
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(this.endpoint, grpc.ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
    });
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  remove(): void {
    this.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #keyOf(id: string): Buffer {
    const key = this.#keys.get(id) ?? randomBytes(32);
    this.#keys.set(id, key);
    return key;
  }

  #answer(name: string, answer: Answer, make: () => object): void {
    this.calls.push(name);
    if (this.isSilent) return;
    if (this.failure) answer(this.failure);
    else answer(null, make());
  }
}
