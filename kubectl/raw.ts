// A GET of the command line's own making, for what the typed client has no verb for: Tables and streams.

import { StatusError } from '../api/status.ts';
import { type ApiResponse, readBody } from '../client/transport.ts';
import type { KubectlContext } from './context.ts';

/** @throws StatusError for any answer but 200 */
export async function rawGet(context: KubectlContext, path: string, accept = 'application/json'): Promise<ApiResponse> {
  const response = await context.client.transport.request({ method: 'GET', path, headers: { accept }, signal: context.signal });
  if (response.status === 200) return response;
  const text = (await readBody(response, 1 << 20)).toString();
  if (!text.startsWith('{')) throw new StatusError('', text.trim() || `the server answered ${response.status}`, { code: response.status });
  throw StatusError.fromStatus(JSON.parse(text));
}

/** The lines of a stream as they come, without their newline. */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest !== '') yield rest;
}
