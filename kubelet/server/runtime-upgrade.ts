// Opens the one-shot streaming URL that a runtime gave, as a SPDY/3.1 connection.

import { type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';

export interface Upgraded {
  response: IncomingMessage;
  socket: Duplex;
  head: Buffer;
}

/** `protocols` are offered in `X-Stream-Protocol-Version`. @throws Error with the runtime's answer when it does not upgrade */
export function upgradeToRuntime(
  url: string,
  protocols: readonly string[],
  headers: Record<string, string | string[]> = {},
): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      headers: { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': [...protocols], ...headers },
    });
    sent.once('upgrade', (response, socket, head) => resolve({ response, socket, head }));
    sent.once('response', (response) => {
      response.resume();
      reject(new Error(`the runtime's streaming server answered ${response.statusCode} ${response.statusMessage}`));
    });
    sent.once('error', reject);
    sent.end();
  });
}
