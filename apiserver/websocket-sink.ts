// A watch over WebSocket, as browsers and old clients ask for it: one message for each event, text for JSON and binary
// for protobuf, whose length is then the message's.

import { type WebSocket, WebSocketServer } from 'ws';
import type { Sink, Upgrade } from './context.ts';

const server = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false });

/** Answers the upgrade. `isBinary`: what is written are frames with their length, in four bytes, before them. */
export function openWebSocketSink(request: Parameters<WebSocketServer['handleUpgrade']>[0], upgrade: Upgrade, isBinary: boolean): Sink {
  upgrade.isTaken = true;
  let webSocket: WebSocket | undefined;
  // With a request that is fit for it the callback comes before this returns; otherwise ws has refused it by itself.
  server.handleUpgrade(request, upgrade.socket, upgrade.head, (opened) => {
    webSocket = opened;
  });
  webSocket?.on('error', () => webSocket?.terminate());
  return {
    get bufferedBytes() {
      return webSocket?.bufferedAmount ?? 0;
    },
    write(chunk) {
      if (isBinary) {
        for (const frame of framesOf(chunk)) webSocket?.send(frame);
        return;
      }
      for (const line of Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString().split('\n')) {
        if (line !== '') webSocket?.send(line);
      }
    },
    lend(chunk) {
      this.write(Uint8Array.from(chunk));
      return this.drained();
    },
    drained() {
      const { socket } = upgrade;
      if (!socket.writableNeedDrain || socket.destroyed) return Promise.resolve();
      return new Promise((resolve) => {
        const done = () => {
          socket.off('drain', done);
          socket.off('close', done);
          resolve();
        };
        socket.on('drain', done);
        socket.on('close', done);
      });
    },
    end: () => webSocket?.close(1000),
    destroy: () => webSocket?.terminate(),
  };
}

function* framesOf(chunk: Uint8Array): Generator<Buffer> {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    yield bytes.subarray(at + 4, end);
    at = end;
  }
}
