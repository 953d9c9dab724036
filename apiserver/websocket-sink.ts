// A watch over WebSocket, as browsers and old clients ask for it: one text message for each event.

import { type WebSocket, WebSocketServer } from 'ws';
import type { Sink, Upgrade } from './context.ts';

const server = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false });

/** Answers the upgrade. */
export function openWebSocketSink(request: Parameters<WebSocketServer['handleUpgrade']>[0], upgrade: Upgrade): Sink {
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
      for (const line of Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString().split('\n')) {
        if (line !== '') webSocket?.send(line);
      }
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
