// A KMS plug-in at its unix socket: three calls of v2.KeyManagementService, each with a deadline kept by our own clock.

import * as grpc from '@grpc/grpc-js';
import type { Clock } from '../../../base/clock.ts';
import type { KmsMetrics } from './kms-metrics.ts';
import { keyManagementService } from './kms-proto.ts';

export type Annotations = Readonly<Record<string, Buffer>>;

export interface StatusResponse {
  version: string;
  /** `ok`, or what is wrong. */
  healthz: string;
  keyId: string;
}

export interface EncryptResponse {
  ciphertext: Buffer;
  keyId: string;
  annotations: Annotations;
}

export interface DecryptRequest {
  ciphertext: Buffer;
  keyId: string;
  annotations: Annotations;
}

/** `uid` names a call in both sides' logs. @throws GrpcError */
export interface KmsService {
  status(): Promise<StatusResponse>;
  encrypt(uid: string, plaintext: Buffer): Promise<EncryptResponse>;
  decrypt(uid: string, request: DecryptRequest): Promise<Buffer>;
  close(): void;
}

/** A call that failed, in the words of Go's gRPC. */
export class GrpcError extends Error {
  override name = 'GrpcError';
  /** `Unavailable` and the like. */
  readonly grpcStatus: string;
  constructor(code: grpc.status, details: string) {
    const status = statusNames[code] ?? 'Unknown';
    super(`rpc error: code = ${status} desc = ${details}`);
    this.grpcStatus = status;
  }
}

const statusNames =
  'OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss Unauthenticated'.split(
    ' ',
  );

export interface KmsServiceOptions {
  /** `unix:///path`, or `unix:///@name` for a socket of the abstract namespace. */
  endpoint: string;
  name: string;
  timeoutMs: number;
  clock: Clock;
  metrics: KmsMetrics;
}

export function openKmsService({ endpoint, name, timeoutMs, clock, metrics }: KmsServiceOptions): KmsService {
  const client = new grpc.Client(addressOf(endpoint), grpc.credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 3000,
    'grpc.default_authority': 'localhost',
    // A connection of its own: channels are otherwise shared by address, and closing one would disturb another.
    'grpc.use_local_subchannel_pool': 1,
  });

  async function call<Answer>(methodName: string, request: object): Promise<Answer> {
    const method = keyManagementService[methodName] as (typeof keyManagementService)[string];
    const startMs = clock.monotonicMs();
    const record = (error?: Error) => metrics.called(name, method.path, (clock.monotonicMs() - startMs) / 1000, error);
    try {
      const answer = await unary(method, request);
      record();
      return answer as Answer;
    } catch (error) {
      if (error instanceof Error) record(error);
      throw error;
    }
  }

  function unary(method: (typeof keyManagementService)[string], request: object): Promise<object> {
    return new Promise((resolve, reject) => {
      let isOverdue = false;
      const { path, requestSerialize, responseDeserialize } = method;
      const metadata = new grpc.Metadata({ waitForReady: true });
      const made = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, {}, (error, answer) => {
        deadline.cancel();
        if (isOverdue) reject(new GrpcError(grpc.status.DEADLINE_EXCEEDED, 'context deadline exceeded'));
        else if (error) reject(new GrpcError(error.code, error.details));
        else resolve(answer ?? {});
      });
      const deadline = clock.setTimer(timeoutMs, () => {
        isOverdue = true;
        made.cancel();
      });
    });
  }

  return {
    status: () => call('Status', {}),
    encrypt: (uid, plaintext) => call('Encrypt', { plaintext, uid }),
    async decrypt(uid, request) {
      const { plaintext } = await call<{ plaintext: Buffer }>('Decrypt', { ...request, uid });
      return plaintext;
    },
    close: () => client.close(),
  };
}

function addressOf(endpoint: string): string {
  const { pathname } = new URL(endpoint);
  const path = decodeURIComponent(pathname);
  return path.startsWith('/@') ? `unix-abstract:${path.slice(2)}` : `unix:${path}`;
}
