// What admission webhooks cost a create: one mutating and one validating webhook over HTTPS on loopback, in a process of their own, as a
// ratio to the same create without. In-process, all other admission included; the servers take turns, so that a busy machine slows
// both. Run: node bench/webhooks.ts

import { fork } from 'node:child_process';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { builtInAdmission } from '../apiserver/admission/built-in.ts';
import { mastersAuthorizer } from '../apiserver/authz/authorizer.ts';
import { createAuthority, createCertificate } from '../apiserver/pki/certificates.ts';
import { allResources } from '../apiserver/resources/all.ts';
import { createApiServer } from '../apiserver/server.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { readBody } from '../client/transport.ts';
import { createMemoryStore } from '../store/memory.ts';

const rounds = 10;
const createsPerRound = 200;
const patch = Buffer.from('[{"op":"add","path":"/metadata/labels/seen","value":"yes"}]').toString('base64');

/** The webhooks' own process: it tells its parent its port. */
function serveWebhooks({ cert, key }: { cert: string; key: string }): void {
  const server = createServer({ cert, key }, async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const { kind, apiVersion, request } = JSON.parse(Buffer.concat(chunks).toString()) as {
      kind: string;
      apiVersion: string;
      request: { uid: string };
    };
    const change = incoming.url?.startsWith('/mutate') ? { patchType: 'JSONPatch', patch } : {};
    outgoing.end(JSON.stringify({ kind, apiVersion, response: { uid: request.uid, allowed: true, ...change } }));
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

async function measure(): Promise<void> {
  const authority = await createAuthority('bench', systemClock);
  const request = { commonName: 'hook', serverNames: ['127.0.0.1'], isClient: false, validDays: 1 };
  const { certPem, keyPem } = await createCertificate(authority, request, systemClock);
  const child = fork(import.meta.filename);
  const port = await new Promise<number>((resolve) => {
    child.once('message', (message) => resolve(Number(message)));
    child.send({ cert: certPem, key: keyPem });
  });
  const caBundle = Buffer.from(authority.certPem).toString('base64');
  const webhook = (name: string) => ({
    name: `${name}.example.com`,
    clientConfig: { url: `https://127.0.0.1:${port}/${name}`, caBundle },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  });
  const start = async (names: Readonly<Record<string, string>>) => {
    const server = await createApiServer({
      store: createMemoryStore(),
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      resources: allResources,
      admission: (view) => builtInAdmission(view, { random: systemRandom, authorizer: mastersAuthorizer }),
      authenticators: [],
      authorizer: mastersAuthorizer,
    });
    await server.ready();
    const transport = server.transport({ name: 'bench', groups: ['system:masters'] });
    const make = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json' };
      const response = await transport.request({ method: 'POST', path, headers, body: JSON.stringify(body) });
      const text = await readBody(response);
      if (response.status !== 201) throw new Error(`${path}: ${text}`);
    };
    for (const [sort, name] of Object.entries(names))
      await make(`/apis/admissionregistration.k8s.io/v1/${sort}webhookconfigurations`, { metadata: { name }, webhooks: [webhook(name)] });
    return make;
  };
  const benches = [
    { what: 'no webhook', make: await start({}), samplesMs: [] as number[] },
    { what: 'one validating webhook', make: await start({ validating: 'validate' }), samplesMs: [] as number[] },
    {
      what: 'one mutating and one validating webhook',
      make: await start({ mutating: 'mutate', validating: 'validate' }),
      samplesMs: [] as number[],
    },
  ];
  let next = 0;
  for (let round = 0; round <= rounds; round++) {
    for (const { make, samplesMs } of benches) {
      const startMs = performance.now();
      for (let i = 0; i < createsPerRound; i++) await make('/api/v1/namespaces/default/pods', pod(next++));
      // The first round warms up.
      if (round > 0) samplesMs.push((performance.now() - startMs) / createsPerRound);
    }
  }
  child.kill();
  const medianOf = (samples: number[]) => samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? 0;
  const baseMs = medianOf(benches[0]?.samplesMs ?? []);
  console.table(
    benches.map(({ what, samplesMs }) => {
      const ms = medianOf(samplesMs);
      return { what, 'ms/create': Number(ms.toFixed(3)), ratio: Number((ms / baseMs).toFixed(2)) };
    }),
  );
  process.exit(0);
}

const pod = (i: number) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `pod-${i}`, labels: { app: `app-${i % 100}` }, annotations: { note: 'n'.repeat(1200) } },
  spec: { containers: [{ name: 'main', image: 'registry.example/app:1' }] },
});

if (process.send) process.once('message', (keys) => serveWebhooks(keys as { cert: string; key: string }));
else await measure();
