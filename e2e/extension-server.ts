// An aggregated API server for scenarios: notes in memory, in group samples.example.com. It believes only a front proxy that
// the cluster's authority vouches for, and writes on each note who made it.
//
//   node e2e/extension-server.ts CERTIFICATE KEY FRONT-PROXY-CA ADDRESS PORT

import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';

interface Note {
  metadata: {
    name: string;
    namespace?: string;
    resourceVersion?: string;
    uid?: string;
    creationTimestamp?: string;
    annotations?: Record<string, string>;
  };
  spec?: { text?: string };
}

const [certificate = '', key = '', authority = '', address = '', port = ''] = process.argv.slice(2);
const groupVersion = 'samples.example.com/v1';
const base = `/apis/${groupVersion}`;
const kind = { apiVersion: groupVersion, kind: 'Note' };
const notes = new Map<string, Note>();
const watches = new Set<{ namespace: string; response: ServerResponse }>();
let revision = 1;

const properties = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: { type: 'object' },
  spec: {
    type: 'object',
    description: 'What the note says.',
    properties: { text: { type: 'string', description: 'In plain words.' } },
  },
};
const definition = {
  type: 'object',
  description: 'A note.',
  properties,
  'x-kubernetes-group-version-kind': [{ group: 'samples.example.com', version: 'v1', kind: 'Note' }],
};
const schemaName = 'com.example.samples.v1.Note';
const operation = (action: string, ref: string) => ({
  operationId: `${action}Note`,
  responses: { 200: { description: 'OK', content: { 'application/json': { schema: { $ref: ref } } } } },
  'x-kubernetes-action': action,
  'x-kubernetes-group-version-kind': { group: 'samples.example.com', version: 'v1', kind: 'Note' },
});
const documents: Record<string, object> = {
  [base]: {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: [
      {
        name: 'notes',
        singularName: 'note',
        namespaced: true,
        kind: 'Note',
        verbs: ['create', 'delete', 'get', 'list', 'watch'],
        shortNames: ['nt'],
      },
    ],
  },
  '/openapi/v3': { paths: { [base.slice(1)]: { serverRelativeURL: `/openapi/v3${base}?hash=1` } } },
  [`/openapi/v3${base}`]: {
    openapi: '3.0.0',
    info: { title: 'notes', version: 'v1' },
    paths: { [`${base}/namespaces/{namespace}/notes/{name}`]: { get: operation('get', `#/components/schemas/${schemaName}`) } },
    components: { schemas: { [schemaName]: definition } },
  },
  '/openapi/v2': {
    swagger: '2.0',
    info: { title: 'notes', version: 'v1' },
    paths: {
      [`${base}/namespaces/{namespace}/notes/{name}`]: {
        get: { operationId: 'getNote', responses: { 200: { description: 'OK', schema: { $ref: `#/definitions/${schemaName}` } } } },
      },
    },
    definitions: { [schemaName]: definition },
  },
};

const server = createServer(
  { cert: readFileSync(certificate), key: readFileSync(key), ca: readFileSync(authority), requestCert: true, rejectUnauthorized: true },
  (request, response) => void answer(request, response),
);

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://localhost');
  const send = (code: number, body: object) =>
    void response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const proxy = (request.socket as TLSSocket).getPeerCertificate().subject.CN;
  const user = request.headers['x-remote-user'];
  if (proxy !== 'front-proxy-client' || !user) return send(401, status(401, 'Unauthorized', 'Unauthorized'));
  const document = documents[url.pathname];
  if (document) return send(200, document);
  const [, namespace = '', name] =
    /^\/apis\/samples\.example\.com\/v1\/(?:namespaces\/([^/]+)\/)?notes(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
  if (!url.pathname.startsWith(`${base}/`)) return send(404, status(404, 'NotFound', 'not found'));
  const at = `${namespace}/${name}`;
  if (request.method === 'POST') return send(201, create(namespace, JSON.parse(await bodyOf(request)) as Note, request));
  if (name === undefined) return list(namespace, url, response);
  const note = notes.get(at);
  if (!note) return send(404, status(404, 'NotFound', `notes.samples.example.com "${name}" not found`));
  if (request.method === 'DELETE') {
    notes.delete(at);
    tell('DELETED', note);
  }
  send(200, { ...kind, ...note });
}

function create(namespace: string, { metadata, spec }: Note, request: IncomingMessage): object {
  const groups = [request.headers['x-remote-group'] ?? []].flat().join(' ');
  const note: Note = {
    metadata: {
      ...metadata,
      namespace,
      uid: `note-${revision}`,
      resourceVersion: String(++revision),
      creationTimestamp: '2026-01-01T00:00:00Z',
      annotations: { by: `${String(request.headers['x-remote-user'])} of ${groups}` },
    },
    ...(spec ? { spec } : {}),
  };
  notes.set(`${namespace}/${metadata.name}`, note);
  tell('ADDED', note);
  return { ...kind, ...note };
}

function list(namespace: string, url: URL, response: ServerResponse): void {
  const isWatch = url.searchParams.get('watch') === 'true' || url.searchParams.get('watch') === '1';
  const items = [...notes.values()].filter((note) => namespace === '' || note.metadata.namespace === namespace);
  response.writeHead(200, { 'content-type': 'application/json' });
  if (!isWatch) {
    response.end(JSON.stringify({ apiVersion: groupVersion, kind: 'NoteList', metadata: { resourceVersion: String(revision) }, items }));
    return;
  }
  response.flushHeaders();
  const watch = { namespace, response };
  watches.add(watch);
  response.once('close', () => watches.delete(watch));
}

function tell(type: string, note: Note): void {
  for (const { namespace, response } of watches)
    if (namespace === '' || namespace === note.metadata.namespace)
      response.write(`${JSON.stringify({ type, object: { ...kind, ...note } })}\n`);
}

const status = (code: number, reason: string, message: string) => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code,
  reason,
  message,
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

// Whoever upgrades hears back what it says.
server.on('upgrade', (request, socket) => {
  socket.on('error', () => socket.destroy());
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n${request.headers['x-remote-user']}\n`,
  );
  socket.pipe(socket);
});
server.listen(Number(port), address);
