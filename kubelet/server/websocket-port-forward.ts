// port-forward for clients that speak WebSocket: `v4.channel.k8s.io`, with a data and an error channel for each port;
// and SPDY carried in binary messages, whose bytes go to the runtime as they are.

import type { WebSocket } from 'ws';
import type { Log } from '../../base/log.ts';
import { upgradeToRuntime } from './runtime-upgrade.ts';
import { SpdyConnection, type SpdyStream } from './spdy/connection.ts';
import { send } from './websocket-exec.ts';

export const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io';
export const portForwardProtocols = [tunnelProtocol, 'v4.channel.k8s.io'] as const;

const runtimeProtocol = 'portforward.k8s.io';

/** Resolves when either side has ended. */
export async function tunnelPortForward(socket: WebSocket, url: string, log: Log): Promise<void> {
  socket.pause();
  try {
    const { socket: runtime, head } = await upgradeToRuntime(url, [runtimeProtocol]);
    await new Promise<void>((resolve) => {
      const end = () => {
        runtime.destroy();
        socket.close(1000);
        resolve();
      };
      runtime.on('error', end);
      runtime.on('close', end);
      socket.on('close', end);
      const forward = (chunk: Buffer) => {
        runtime.pause();
        socket.send(chunk, { binary: true }, () => runtime.resume());
      };
      if (head.length) forward(head);
      runtime.on('data', forward);
      socket.on('message', (data) => {
        const bytes = Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
        if (runtime.write(bytes)) return;
        socket.pause();
        runtime.once('drain', () => socket.resume());
      });
      socket.resume();
    });
  } catch (error) {
    log.warn('port-forward failed', { error: error instanceof Error ? error.message : String(error) });
    socket.close(1011, 'port-forward failed');
  }
}

/** Channel 2n carries the data of the n-th port, 2n+1 its errors; the first message on each is the port. */
export async function bridgePortForward(socket: WebSocket, url: string, ports: readonly number[], log: Log): Promise<void> {
  let connection: SpdyConnection | undefined;
  socket.pause();
  try {
    const upgraded = await upgradeToRuntime(url, [runtimeProtocol]);
    connection = new SpdyConnection(upgraded.socket, upgraded.head);
    const opened = connection;
    socket.on('close', () => opened.close());
    const pairs: { port: number; error: SpdyStream; data: SpdyStream }[] = [];
    for (const [index, port] of ports.entries()) {
      const headers = { port: String(port), requestid: String(index) };
      const error = await connection.open({ ...headers, streamtype: 'error' });
      pairs.push({ port, error, data: await connection.open({ ...headers, streamtype: 'data' }) });
    }
    for (const [index, { port }] of pairs.entries()) {
      const bytes = Buffer.alloc(2);
      bytes.writeUInt16LE(port);
      await send(socket, index * 2, bytes);
      await send(socket, index * 2 + 1, bytes);
    }
    let last: Promise<void> = Promise.resolve();
    socket.on('message', (message) => {
      const bytes = Buffer.isBuffer(message) ? message : Buffer.concat(Array.isArray(message) ? message : [Buffer.from(message)]);
      const pair = pairs[(bytes[0] ?? 0) >> 1];
      if (!pair || (bytes[0] ?? 0) % 2 === 1) return;
      socket.pause();
      last = last
        .then(() => pair.data.write(bytes.subarray(1)))
        .catch((error: Error) => log.debug('data after the end of a port-forward', { error: error.message }))
        .finally(() => socket.resume());
    });
    socket.resume();
    await Promise.all(
      pairs.map(async ({ data, error }, index) => {
        const carry = async (from: AsyncIterable<Buffer>, channel: number) => {
          for await (const chunk of from) await send(socket, channel, chunk);
        };
        await Promise.all([carry(data.data, index * 2), carry(error.data, index * 2 + 1)]);
      }),
    );
    socket.close(1000);
  } catch (error) {
    log.warn('port-forward failed', { error: error instanceof Error ? error.message : String(error) });
    socket.close(1011, 'port-forward failed');
  } finally {
    connection?.close();
  }
}
