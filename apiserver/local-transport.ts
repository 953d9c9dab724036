// Requests from within the process: they pass the same koa chain, on a context whose request and response are plain
// objects.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type Koa from 'koa';
import type { ApiRequest, ApiResponse, Transport } from '../client/transport.ts';
import type { ApiContext, ApiState, Handler } from './context.ts';
import { LocalExchange, LocalResponse } from './exchange.ts';
import type { UserInfo } from './resources/resource.ts';

export function localTransport(koa: Koa<ApiState>, handle: Handler, user: UserInfo): Transport {
  const named = user.groups.includes('system:authenticated') ? user : { ...user, groups: [...user.groups, 'system:authenticated'] };
  return {
    request: (request) => requestLocally(koa, handle, named, request),
    close: () => Promise.resolve(),
  };
}

function requestLocally(koa: Koa<ApiState>, handle: Handler, user: UserInfo, request: ApiRequest): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    if (request.signal?.aborted) {
      reject(request.signal.reason);
      return;
    }
    const response = new LocalResponse();
    const incoming = { method: request.method, url: request.path, headers: request.headers ?? {}, httpVersionMajor: 2, socket: undefined };
    // What koa reads of node's messages is what these have.
    const ctx = koa.createContext(incoming as unknown as IncomingMessage, response as unknown as ServerResponse);
    ctx.state.exchange = new LocalExchange({ user, request, response, onOpen: resolve });
    handle(ctx as ApiContext).then(() => {
      if (response.headersSent) return;
      const body = ctx.body as Buffer | string | null | undefined;
      resolve({ status: response.statusCode, headers: response.headers, body: chunksOf(body) });
    }, reject);
  });
}

async function* chunksOf(body: Buffer | string | null | undefined): AsyncGenerator<Uint8Array> {
  if (body !== null && body !== undefined && body.length > 0) yield typeof body === 'string' ? Buffer.from(body) : body;
}
