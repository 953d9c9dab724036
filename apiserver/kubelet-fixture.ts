// A kubelet's server for tests: it takes only callers with a certificate, notes what reaches it, and echoes what is upgraded.

import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { type Node, nodes } from '../api/core.ts';
import type { Client } from '../client/client.ts';
import type { Pki } from './pki/pki.ts';

export interface FakeKubelet {
  /** Who asked, with which method, for what. */
  readonly seen: string[];
  /** Makes the node that this is the kubelet of. */
  register(client: Client): Promise<void>;
  close(): Promise<void>;
}

/** The authority must have made certificates for `nodeName`; `answer` says what comes of requests. */
export async function startFakeKubelet(pki: Pki, nodeName: string, answer: RequestListener): Promise<FakeKubelet> {
  const seen: string[] = [];
  const note = (request: IncomingMessage) => {
    const caller = request.socket instanceof TLSSocket ? request.socket.getPeerCertificate().subject.CN : '';
    seen.push(`${caller} ${request.method} ${request.url}`);
  };
  const serving = pki.kubelets[nodeName]?.server;
  const certificates = { cert: serving?.certPem, key: serving?.keyPem, ca: pki.authority.certPem };
  const server = createServer({ ...certificates, requestCert: true, rejectUnauthorized: true });
  server.on('request', (request, response) => {
    note(request);
    answer(request, response);
  });
  server.on('upgrade', (request, socket: Duplex) => {
    note(request);
    socket.on('error', () => socket.destroy());
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\nX-Echo: yes\r\n\r\n`);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    seen,
    async register(client) {
      await client.create(nodes, { metadata: { name: nodeName } });
      const status = {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: (server.address() as AddressInfo).port } },
      };
      await client.updateStatus(nodes, { metadata: { name: nodeName }, status } as Node);
    },
    close: () => new Promise((resolve) => server.close(() => resolve()).closeAllConnections()),
  };
}
