// An API server that listens, as clusters run it, for tests that call it over HTTPS: with the built-in admission, RBAC,
// service account tokens and a log directory, and a node whose kubelet answers every request with its path and echoes what
// is upgraded.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import {
  createServer as createPlainServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { type AddressInfo, isIPv4 } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { systemClock } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import { builtInAdmission } from '../admission/built-in.ts';
import { certificateAuthenticator } from '../authn/authenticator.ts';
import { ServiceAccountTokens } from '../authn/service-account-tokens.ts';
import { mastersAuthorizer, unionAuthorizer } from '../authz/authorizer.ts';
import { createRbac } from '../authz/rbac/rbac.ts';
import { startFakeKubelet } from '../kubelet-fixture.ts';
import { ensurePki, type Pki } from '../pki/pki.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json: any;
}

export interface AskOptions {
  body?: unknown;
  contentType?: string;
  /** Asks for another protocol; the answer then ends with the head. */
  upgrade?: 'websocket' | 'SPDY/3.1';
  /** Ends the answer after its first line. */
  firstLine?: boolean;
}

export interface ListeningServer {
  fixture: ServerFixture;
  pki: Pki;
  port: number;
  /** Where a pod's own server listens. Endpoints may not name loopback addresses, so a machine without another cannot reach it. */
  backend: { host: string; port: number; isReachable: boolean };
  ask(method: string, path: string, options?: AskOptions): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** The node that the kubelet is of. */
export const nodeName = 'machine';

export async function startListeningServer(): Promise<ListeningServer> {
  const directory = mkdtempSync(join(tmpdir(), 'listening-'));
  const logDirectory = join(directory, 'logs');
  mkdirSync(logDirectory);
  writeFileSync(join(logDirectory, 'server.log'), 'a line\n');
  const clock = systemClock;
  const random = seededRandom(1);
  const pki = await ensurePki({ directory, serverNames: ['127.0.0.1'], serviceAddress: '10.96.0.1', nodes: { [nodeName]: [] }, clock });
  const says: RequestListener = (request, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(`${request.url}\n`);
  const kubelet = await startFakeKubelet(pki, nodeName, says);
  const pod = createPlainServer(says);
  const host = ownAddress();
  const backend = { host: host ?? '10.255.255.254', port: await listening(pod), isReachable: host !== undefined };

  const rbac = createRbac();
  const { certPem: cert, keyPem: key } = pki.apiServerKubeletClient;
  const fixture = await startServer({
    clock,
    random,
    authenticators: [certificateAuthenticator],
    authorizer: unionAuthorizer([mastersAuthorizer, rbac.authorizer]),
    admission: (view) => [...builtInAdmission(view, { random }), rbac.escalation],
    rulesOf: rbac.rulesOf,
    begin: [rbac.begin],
    kubelet: { cert, key, ca: pki.authority.certPem },
    serviceAccountTokens: new ServiceAccountTokens({ key: pki.serviceAccountKey, clock, random }),
    logDirectory,
  });
  const tls = { cert: pki.apiServer.certPem, key: pki.apiServer.keyPem, clientCa: pki.authority.certPem };
  const { port } = await fixture.server.listen({ host: '127.0.0.1', port: 0, tls });
  await kubelet.register(fixture.client);
  const agent = new Agent({ ca: pki.authority.certPem, cert: pki.admin.certPem, key: pki.admin.keyPem, keepAlive: true, maxSockets: 4 });
  return {
    fixture,
    pki,
    port,
    backend,
    ask: (method, path, options = {}) => ask({ agent, port, method, path, options }),
    async close() {
      agent.destroy();
      await fixture.close();
      await kubelet.close();
      await new Promise((resolve) => pod.close(resolve).closeAllConnections());
      rmSync(directory, { recursive: true });
    },
  };
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '0.0.0.0', () => resolve((server.address() as AddressInfo).port)));
}

function ownAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ address, internal }) => !internal && isIPv4(address))?.address;
}

interface Call {
  agent: Agent;
  port: number;
  method: string;
  path: string;
  options: AskOptions;
}

function ask({ agent, port, method, path, options }: Call): Promise<HttpAnswer> {
  const { body, upgrade, contentType = 'application/json', firstLine } = options;
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const headers = {
    ...(text === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }),
    ...(upgrade ? { connection: 'Upgrade', upgrade, 'sec-websocket-version': '13', 'sec-websocket-key': 'MDEyMzQ1Njc4OWFiY2RlZg==' } : {}),
  };
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest({ host: '127.0.0.1', port, method, path, headers, agent }, (response) => {
      read(response, firstLine ?? false).then(
        (answer) => resolve({ ...answer, status: response.statusCode ?? 0, headers: response.headers }),
        reject,
      );
    });
    outgoing.once('upgrade', (response: IncomingMessage, socket: Duplex) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text: '', json: undefined });
    });
    outgoing.once('error', reject);
    outgoing.end(text);
  });
}

async function read(response: IncomingMessage, firstLine: boolean): Promise<Pick<HttpAnswer, 'text' | 'json'>> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    text += chunk;
    if (firstLine && text.includes('\n')) break;
  }
  if (firstLine && text.includes('\n')) text = text.slice(0, text.indexOf('\n'));
  const isJson = /^application\/(json|jwk-set\+json)/.test(response.headers['content-type'] ?? '') && text !== '';
  return { text, json: isJson ? JSON.parse(text) : undefined };
}
