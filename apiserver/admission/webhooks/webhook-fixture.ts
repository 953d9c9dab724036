// For tests: a real HTTPS server that answers AdmissionReviews, and an API server that asks it and records its requests.

import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../base/clock.ts';
import { seededRandom } from '../../../base/random.ts';
import { readAuditPolicy } from '../../audit/policy.ts';
import { createAuthority, createCertificate } from '../../pki/certificates.ts';
import { type ServerFixture, startServer } from '../../server-fixture.ts';
import { builtInAdmission } from '../built-in.ts';

export const configurations = '/apis/admissionregistration.k8s.io/v1';

/** What a webhook was asked, and where. */
export interface Asked {
  path: string;
  apiVersion: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into requests of every shape
  request: any;
}

/** What it answers: fields of the response, a whole answer, a status code, or nothing ever. */
export type Reply = { response: object } | { answer: unknown } | { status: number; text?: string } | 'silence';

export interface WebhookFixture extends ServerFixture {
  readonly port: number;
  readonly caBundle: string;
  asked: Asked[];
  /** How many connections have been made to it. */
  readonly connections: number;
  /** By path; what is not there is allowed. May await. */
  replies: Map<string, Reply | ((asked: Asked) => Reply | Promise<Reply>)>;
  /** Registers webhooks, the one named `a.example.com` at `/a`; `sort` is mutating or validating. */
  register(sort: 'mutating' | 'validating', name: string, webhooks: readonly object[]): Promise<void>;
  /** Removes all configurations and forgets what was asked. */
  reset(): Promise<void>;
  annotations(): Record<string, string>;
}

export const rule = (resources: readonly string[], more: object = {}) => ({
  apiGroups: ['*'],
  apiVersions: ['*'],
  operations: ['*'],
  resources,
  ...more,
});

export async function startWebhooks(): Promise<WebhookFixture> {
  const authority = await createAuthority('test', systemClock);
  const names = ['127.0.0.1', 'hook.default.svc'];
  const { certPem, keyPem } = await createCertificate(
    authority,
    { commonName: 'hook', serverNames: names, isClient: false, validDays: 1 },
    systemClock,
  );
  const caBundle = Buffer.from(authority.certPem).toString('base64');
  let connections = 0;
  const replies: WebhookFixture['replies'] = new Map();
  const https = createServer({ cert: certPem, key: keyPem }, (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', async () => {
      const review = JSON.parse(Buffer.concat(chunks).toString()) as Omit<Asked, 'path'>;
      const path = new URL(incoming.url ?? '', 'https://x').pathname;
      const asked = { ...review, path };
      fixture.asked.push(asked);
      const given = replies.get(path) ?? { response: { allowed: true } };
      const reply = typeof given === 'function' ? await given(asked) : given;
      if (reply === 'silence') return;
      if ('status' in reply) {
        outgoing.writeHead(reply.status, { 'content-type': 'text/plain' }).end(reply.text ?? '');
        return;
      }
      const { uid } = review.request as { uid: string };
      const answer =
        'answer' in reply ? reply.answer : { kind: 'AdmissionReview', apiVersion: review.apiVersion, response: { uid, ...reply.response } };
      outgoing.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
  });
  https.on('secureConnection', () => connections++);
  await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
  const { port } = https.address() as AddressInfo;
  const events: { annotations?: Record<string, string> }[] = [];
  const policy = readAuditPolicy('{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Request"}]}');
  const server = await startServer({
    admission: (view) => builtInAdmission(view, { random: seededRandom(2) }),
    audit: { policy, log: { write: (event) => void events.push(event), close: () => {} } },
  });
  const fixture: WebhookFixture = {
    ...server,
    port,
    caBundle,
    asked: [],
    get connections() {
      return connections;
    },
    replies,
    async register(sort, name, webhooks) {
      const complete = webhooks.map((webhook) => {
        const { name: webhookName = '' } = webhook as { name?: string };
        const url = `https://127.0.0.1:${port}/${webhookName.split('.')[0]}`;
        return { sideEffects: 'None', admissionReviewVersions: ['v1'], clientConfig: { url, caBundle }, ...webhook };
      });
      const made = await server.ask('POST', `${configurations}/${sort}webhookconfigurations`, { metadata: { name }, webhooks: complete });
      assert.equal(made.status, 201, made.text);
    },
    async reset() {
      for (const sort of ['mutating', 'validating']) await server.ask('DELETE', `${configurations}/${sort}webhookconfigurations`);
      replies.clear();
      fixture.asked = [];
    },
    annotations: () => events.at(-1)?.annotations ?? {},
    async close() {
      await server.close();
      await new Promise((resolve) => {
        https.close(resolve);
        https.closeAllConnections();
      });
    },
  };
  return fixture;
}

/** An answer that allows, and changes the object. */
export const patched = (...operations: object[]): Reply => ({
  response: { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') },
});
