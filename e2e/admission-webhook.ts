// A webhook server as its users write one, with nothing but node: it labels what is made, denies what is called wrong, and warns.
// Run: node e2e/admission-webhook.ts <certificate> <key> <port>

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

interface Review {
  apiVersion: string;
  kind: string;
  request: { uid: string; operation: string; object: { kind: string; metadata?: { name?: string; labels?: object } } };
}

const [certificate = '', key = '', port = ''] = process.argv.slice(2);

function mutate({ object }: Review['request']): object {
  const value = { ...object.metadata?.labels, 'hooked-by': 'example' };
  const patch = [{ op: 'add', path: '/metadata/labels', value }];
  return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
}

function validate({ operation, object }: Review['request']): object {
  if (operation === 'CONNECT') return { allowed: false, status: { code: 403, message: 'nobody may look inside' } };
  const { name = '' } = object.metadata ?? {};
  if (name.startsWith('bad')) return { allowed: false, status: { code: 403, reason: 'Forbidden', message: `${name} is not a good name` } };
  return { allowed: true, ...(name.startsWith('odd') ? { warnings: [`${name} is an odd name`] } : {}) };
}

createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, async (incoming, outgoing) => {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const { apiVersion, kind, request } = JSON.parse(Buffer.concat(chunks).toString()) as Review;
  const answer = incoming.url?.startsWith('/mutate') ? mutate(request) : validate(request);
  outgoing.setHeader('content-type', 'application/json');
  outgoing.end(JSON.stringify({ apiVersion, kind, response: { uid: request.uid, ...answer } }));
}).listen(Number(port), '127.0.0.1');
