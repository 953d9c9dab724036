// The operator's word before a Site is stored: what is left out is filled in, and a host has one Site.

import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { K8s, kind } from 'kubernetes-fluent-client';
import { ownerOfHost } from './hosts.ts';
import type { Site } from './site.ts';

interface Review {
  apiVersion: string;
  kind: string;
  request: { uid: string; namespace: string; object: Site };
}

type Verdict = { allowed: true; patchType?: 'JSONPatch'; patch?: string; warnings?: string[] } | { allowed: false; status: object };

export function serveAdmission(certificate: string, key: string, port: number): void {
  createServer({ cert: certificate, key }, async (request, response) => {
    const review = JSON.parse(await bodyOf(request)) as Review;
    const verdict = request.url?.startsWith('/mutate') ? mutate(review.request.object) : await validate(review.request);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ...review, request: undefined, response: { uid: review.request.uid, ...verdict } }));
  }).listen(port);
}

function mutate({ metadata, spec }: Site): Verdict {
  const patch = [
    ...(spec.host ? [] : [{ op: 'add', path: '/spec/host', value: `${metadata?.name}.example.com` }]),
    ...(spec.replicas === undefined ? [{ op: 'add', path: '/spec/replicas', value: 2 }] : []),
  ];
  return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
}

async function validate({ namespace, object: { metadata, spec } }: Review['request']): Promise<Verdict> {
  const owner = spec.host && (await ownerOfHost(spec.host));
  if (owner && owner !== `${namespace}.${metadata?.name}`)
    return { allowed: false, status: { code: 409, reason: 'Conflict', message: `host ${spec.host} is taken by ${owner}` } };
  return { allowed: true, ...(spec.replicas === 0 ? { warnings: [`nothing will answer at ${spec.host}`] } : {}) };
}

/** Tells the API server by which authority to know this server. */
export async function publishAuthority(name: string, certificate: string): Promise<void> {
  const value = Buffer.from(certificate).toString('base64');
  const patch = [{ op: 'add', path: '/webhooks/0/clientConfig/caBundle', value }] as const;
  await K8s(kind.MutatingWebhookConfiguration, { name }).Patch([...patch]);
  await K8s(kind.ValidatingWebhookConfiguration, { name }).Patch([...patch]);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
