// How a client's bytes reach an API server: over HTTPS, or in-process through the server's same filters.

import type { Duplex } from 'node:stream';

export interface ApiRequest {
  method: 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query string. */
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Ends the request, and a watch's stream. */
  signal?: AbortSignal;
}

export interface ApiResponse {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** The body as it arrives; read it once, or cancel by aborting the request. */
  body: AsyncIterable<Uint8Array>;
}

export interface Transport {
  request(request: ApiRequest): Promise<ApiResponse>;
  /** An upgraded connection (exec, attach, port-forward): the socket after the 101 answer. */
  upgrade?(request: ApiRequest): Promise<{ status: number; headers: Record<string, string>; socket: Duplex }>;
  close(): Promise<void>;
}

/** The whole body. @throws when it exceeds `bytesMax` */
export async function readBody(response: ApiResponse, bytesMax = 1 << 30): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of response.body) {
    total += chunk.length;
    if (total > bytesMax) throw new Error(`response body exceeds ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, total);
}
