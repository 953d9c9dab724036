// What every command of ours is given: where to write, which server, and who we are to it.

import type { Client } from '../client/client.ts';
import type { HttpsTransportOptions } from '../client/https-transport.ts';
import type { Discovery } from './discovery.ts';

export interface KubectlIo {
  env: NodeJS.ProcessEnv;
  in: NodeJS.ReadableStream & { isTTY?: boolean; setRawMode?(on: boolean): unknown };
  out: NodeJS.WritableStream & { isTTY?: boolean; columns?: number; rows?: number };
  err: NodeJS.WritableStream;
}

export interface KubectlContext {
  io: KubectlIo;
  client: Client;
  connection: HttpsTransportOptions;
  discovery: Discovery;
  /** Of `-n`, or of the kubeconfig's context. */
  namespace: string;
  signal: AbortSignal;
  /** Milliseconds since the epoch, for ages. */
  nowMs(): number;
}

/** A message for the user, printed as `error: ...`; exit status 1. */
export class KubectlError extends Error {
  override name = 'KubectlError';
}
