// gRPC calls over a unix socket: one connection that heals itself, a deadline on every call kept by our own clock, and
// gRPC's statuses as RuntimeErrors. Which services and messages there are is the business of cri.ts and containerd-api.ts.

import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import * as protoLoader from '@grpc/proto-loader';
import type { Clock } from '../base/clock.ts';
import { RuntimeError } from './runtime.ts';

/** A proto file of this folder, loaded: full message and service names, with fields in camelCase and enums by name. */
export function loadProto(fileName: string): protoLoader.PackageDefinition {
  const path = fileURLToPath(new URL(`./${fileName}`, import.meta.url));
  return protoLoader.loadSync(path, { longs: Number, enums: String, defaults: true });
}

export interface GrpcConnectionOptions {
  /** A path, or `unix:///path`. */
  socket: string;
  clock: Clock;
  /** Sent with every call. */
  headers?: Record<string, string>;
}

export interface CallOptions {
  deadlineMs: number;
  /** Sent besides the connection's. */
  headers?: Record<string, string>;
  /** Wait for a connection, up to the deadline, instead of failing at once while there is none. */
  waitForReady?: boolean;
}

/** The largest message either way: what CRI's own clients allow. */
const messageBytesMax = 16 * 1024 * 1024;

export class GrpcConnection {
  readonly #client: grpc.Client;
  readonly #clock: Clock;
  readonly #headers: Record<string, string>;
  #isClosed = false;

  constructor({ socket, clock, headers = {} }: GrpcConnectionOptions) {
    this.#clock = clock;
    this.#headers = headers;
    this.#client = new grpc.Client(socket.startsWith('unix:') ? socket : `unix://${socket}`, grpc.credentials.createInsecure(), {
      'grpc.max_receive_message_length': messageBytesMax,
      'grpc.max_send_message_length': messageBytesMax,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 3000,
      'grpc.default_authority': 'localhost',
      // A connection of its own: channels are otherwise shared by address, and closing one would disturb another.
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  /** One request, one answer. @throws RuntimeError */
  unary<Answer>(method: protoLoader.MethodDefinition<object, object>, request: object, options: CallOptions): Promise<Answer> {
    if (this.#isClosed) return Promise.reject(new RuntimeError('Unavailable', 'the connection to the runtime is closed'));
    return new Promise((resolve, reject) => {
      let isOverdue = false;
      const call = this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        this.#metadata(options),
        {},
        (error, answer) => {
          deadline.cancel();
          if (error) reject(isOverdue ? overdue(method.path, options.deadlineMs) : runtimeError(error));
          else resolve(withoutNulls(answer ?? {}) as Answer);
        },
      );
      const deadline = this.#clock.setTimer(options.deadlineMs, () => {
        isOverdue = true;
        call.cancel();
      });
    });
  }

  /** A stream of answers; it has no deadline, its reader cancels it. */
  serverStream(method: protoLoader.MethodDefinition<object, object>, request: object): grpc.ClientReadableStream<object> {
    const metadata = this.#metadata({ waitForReady: true });
    return this.#client.makeServerStreamRequest(method.path, method.requestSerialize, method.responseDeserialize, request, metadata);
  }

  /** A stream both ways; it has no deadline, its writer ends or cancels it. */
  duplex(
    method: protoLoader.MethodDefinition<object, object>,
    headers: Record<string, string> = {},
  ): grpc.ClientDuplexStream<object, object> {
    return this.#client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      this.#metadata({ headers }),
    );
  }

  /** Wall time of the connection's clock. */
  nowMs(): number {
    return this.#clock.nowMs();
  }

  /** Calls under way end with an error, later ones are refused. */
  close(): void {
    this.#isClosed = true;
    this.#client.close();
  }

  #metadata({ headers = {}, waitForReady = false }: { headers?: Record<string, string>; waitForReady?: boolean }): grpc.Metadata {
    const metadata = new grpc.Metadata({ waitForReady });
    for (const [name, value] of Object.entries({ ...this.#headers, ...headers })) metadata.set(name, value);
    return metadata;
  }
}

const codes: Partial<Record<grpc.status, RuntimeError['code']>> = {
  [grpc.status.INVALID_ARGUMENT]: 'InvalidArgument',
  [grpc.status.DEADLINE_EXCEEDED]: 'DeadlineExceeded',
  [grpc.status.NOT_FOUND]: 'NotFound',
  [grpc.status.ALREADY_EXISTS]: 'AlreadyExists',
  [grpc.status.RESOURCE_EXHAUSTED]: 'ResourceExhausted',
  [grpc.status.UNIMPLEMENTED]: 'Unimplemented',
  [grpc.status.UNAVAILABLE]: 'Unavailable',
};

/** gRPC's status as a RuntimeError; any other error as it is. */
export function runtimeError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') return error;
  const text = 'details' in error && typeof error.details === 'string' ? error.details : error.message;
  // containerd's CRI side, still reading what is on disk; it gives this no code.
  if (/^server is not initialized yet/.test(text)) return new RuntimeError('Unavailable', text);
  return new RuntimeError(codes[error.code as grpc.status] ?? 'Unknown', text);
}

function overdue(path: string, deadlineMs: number): RuntimeError {
  return new RuntimeError('DeadlineExceeded', `the runtime did not answer ${path} within ${Math.round(deadlineMs) / 1000} s`);
}

/** An absent message is decoded as null; everything of ours says undefined, and leaves the field out. */
function withoutNulls(value: object): object {
  for (const [key, field] of Object.entries(value)) {
    if (field === null) delete (value as Record<string, unknown>)[key];
    else if (typeof field === 'object' && !(field instanceof Uint8Array)) withoutNulls(field);
  }
  return value;
}

/** The method `name` of `service` in a loaded proto, at `path` if the service's name on the wire is another. */
export function methodOf(proto: protoLoader.PackageDefinition, service: string, name: string, path?: string) {
  const method = (proto[service] as protoLoader.ServiceDefinition | undefined)?.[name];
  if (!method) throw new Error(`${service} has no method ${name}`);
  return path === undefined ? method : { ...method, path };
}

/** The message type `name` of a loaded proto. */
export function messageOf(proto: protoLoader.PackageDefinition, name: string): protoLoader.MessageTypeDefinition<object, object> {
  return proto[name] as protoLoader.MessageTypeDefinition<object, object>;
}
