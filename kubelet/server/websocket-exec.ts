// exec and attach for clients that speak WebSocket: the five channels of `v4.` and `v5.channel.k8s.io` end here and
// become the runtime's SPDY streams. v5 adds the closing of a channel, by which stdin can end.

import type { WebSocket } from 'ws';
import type { Log } from '../../base/log.ts';
import { upgradeToRuntime } from './runtime-upgrade.ts';
import { SpdyConnection, type SpdyStream } from './spdy/connection.ts';

export const execProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
const runtimeProtocol = 'v4.channel.k8s.io';

export interface ExecStreams {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/** Resolves when the session is over, with both sides closed. */
export async function bridgeExec(socket: WebSocket, url: string, streams: ExecStreams, log: Log): Promise<void> {
  let connection: SpdyConnection | undefined;
  // Held until there is something to give them to.
  socket.pause();
  try {
    const upgraded = await upgradeToRuntime(url, [runtimeProtocol]);
    connection = new SpdyConnection(upgraded.socket, upgraded.head);
    const opened = connection;
    const open = (type: keyof typeof channels) => opened.open({ streamtype: type });
    const error = await open('error');
    const stdin = streams.stdin ? await open('stdin') : undefined;
    const stdout = streams.stdout ? await open('stdout') : undefined;
    const stderr = streams.stderr && !streams.tty ? await open('stderr') : undefined;
    const resize = streams.tty ? await open('resize') : undefined;
    socket.on('close', () => opened.close());
    receive(socket, { stdin, resize }, log);
    socket.resume();
    // An empty message tells the client that the session has begun.
    await send(socket, stdout ? channels.stdout : stderr ? channels.stderr : channels.error, Buffer.alloc(0));
    await Promise.all([
      forward(stdout, channels.stdout, socket),
      forward(stderr, channels.stderr, socket),
      forward(error, channels.error, socket),
    ]);
    socket.close(1000);
  } catch (error) {
    log.warn('streaming session failed', { error: error instanceof Error ? error.message : String(error) });
    socket.close(1011, 'streaming failed');
  } finally {
    connection?.close();
  }
}

/** One message after another: a slow container slows its client. */
function receive(socket: WebSocket, to: { stdin: SpdyStream | undefined; resize: SpdyStream | undefined }, log: Log): void {
  let last: Promise<void> = Promise.resolve();
  socket.on('message', (data) => {
    const message = Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
    const [channel] = message;
    const body = message.subarray(1);
    socket.pause();
    last = last
      .then(async () => {
        if (channel === channels.stdin) await to.stdin?.write(body);
        else if (channel === channels.resize) await to.resize?.write(body);
        else if (channel === channels.close && body[0] === channels.stdin) await to.stdin?.end();
      })
      .catch((error: Error) => log.debug('input after the end of a session', { error: error.message }))
      .finally(() => socket.resume());
  });
}

async function forward(stream: SpdyStream | undefined, channel: number, socket: WebSocket): Promise<void> {
  if (!stream) return;
  for await (const chunk of stream.data) await send(socket, channel, chunk);
}

/** Resolves when the message has been handed to the network. */
export function send(socket: WebSocket, channel: number, data: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(Buffer.concat([Buffer.from([channel]), data]), { binary: true }, (error) => (error ? reject(error) : resolve()));
  });
}
