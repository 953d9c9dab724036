// Mutated requests over a real socket: none may crash the server, hang it, get an answer that is no answer, or leave behind an
// object that validation refuses. T8S_HOSTILE_RUNS asks for more of them than 10,000, T8S_SEED for the same ones again.
// Longer than most: half of it is the list of what a hostile client may say.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { apiVersionOf } from '../api/kind.ts';
import type { KubeObject } from '../api/wire.ts';
import { systemClock } from '../base/clock.ts';
import { certificateAuthenticator } from './authn/authenticator.ts';
import { ensurePki } from './pki/pki.ts';
import { allResources } from './resources/all.ts';
import { type ServerFixture, startServer } from './server-fixture.ts';

const runs = Number(process.env['T8S_HOSTILE_RUNS'] ?? 10_000);
const seed = Number(process.env['T8S_SEED'] ?? process.hrtime.bigint() % 1_000_000_007n);

const folder = join(import.meta.dirname, '../e2e/samples');
const samples = readdirSync(folder).flatMap((file) =>
  parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => document.toJS() as KubeObject),
);
const pathOf = (object: KubeObject) => {
  const kind = allResources.find(
    (resource) => resource.kind.kind === object.kind && apiVersionOf(resource.kind) === object.apiVersion,
  )?.kind;
  assert.ok(kind, `no resource for the sample of ${object.kind}`);
  const group = kind.group ? `/apis/${kind.group}/${kind.version}` : `/api/${kind.version}`;
  return `${group}${kind.namespaced ? '/namespaces/default' : ''}/${kind.plural}`;
};

interface Hostile {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
}

const nasty = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      null,
      true,
      -1,
      0,
      1e21,
      2 ** 31,
      2 ** 53 + 1,
      1.5,
      -0,
      '',
      ' ',
      '\0',
      'a\0b',
      '../..',
      '%00',
      '\ud800',
      '🐉',
      'x'.repeat(300),
      '1e400',
    ],
    ...['999999999999999999999Ei', '-1', '0x10', '{{.}}', '__proto__', [], {}, [null], [[]], [{}], { '': '' }, { a: null }],
    ...['2026-13-99T99:99:99Z', '256.256.256.256', '::1/999', '*/0 * * * *', '(((((', '.*'.repeat(50), 'self.'.repeat(100)],
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.integer(),
  fc.string({ unit: 'binary' }),
);
const nastyKey = fc.constantFrom(
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  '\0',
  'metadata',
  'spec',
  'status',
  'kind',
  'items',
  '$patch',
  '$retainKeys',
  '$setElementOrder/containers',
);

/** Replaces, removes or adds something at some place of a sample. */
const mutated = fc
  .record({
    sample: fc.constantFrom(...samples),
    steps: fc.array(fc.tuple(fc.nat(), nasty, nastyKey, fc.constantFrom('set', 'remove', 'add')), { maxLength: 4 }),
  })
  .map(({ sample, steps }) => {
    const object = structuredClone(sample);
    for (const [at, shared, key, how] of steps) {
      // A copy: a later step may reach into it, and must not put it into itself.
      const value = structuredClone(shared);
      const places: [Record<string, unknown>, string][] = [];
      const visit = (node: unknown): void => {
        if (typeof node !== 'object' || node === null) return;
        for (const [name, child] of Object.entries(node)) {
          places.push([node as Record<string, unknown>, name]);
          visit(child);
        }
      };
      visit(object);
      const [parent, name] = places[at % places.length] ?? [object as unknown as Record<string, unknown>, 'spec'];
      if (how === 'set') parent[name] = value;
      else if (how === 'remove') delete parent[name];
      else Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
    }
    // Beside what changes the samples, some that make new objects.
    const [first] = steps;
    if (first && first[0] % 2 === 1 && typeof object.metadata === 'object' && object.metadata) object.metadata.name = `s${first[0] % 1000}`;
    return { sample, object };
  });

const bodyText = (object: unknown) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(JSON.stringify(object)) },
    fc.nat(2000).map((length) => JSON.stringify(object).slice(0, length)),
    fc.constant(JSON.stringify(object).replace(/^\{/, '{"kind":"Twice","metadata":{},')),
    fc.constant(JSON.stringify(object).replace(/^\{/, '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},')),
    fc.constantFrom(
      '['.repeat(50_000),
      '{"a":'.repeat(20_000),
      '"\\ud800"',
      '1e999',
      '',
      'null',
      '[]',
      '\0',
      '\ufeff{}',
      '{"a":1}{"b":2}',
      '- &a [*a]',
      'a: &a [x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f]\nh: &h [*g,*g,*g,*g]\ni: [*h,*h,*h,*h]',
    ),
    fc.constant(
      JSON.stringify([
        { op: 'replace', path: '/spec', value: object },
        { op: 'copy', from: '/metadata', path: '/metadata/labels/__proto__/x' },
      ]),
    ),
    fc
      .tuple(
        fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'eat'),
        fc.constantFrom(
          '',
          '/',
          '/metadata',
          '/spec/-',
          '/spec/containers/0/image',
          '/__proto__/polluted',
          '/metadata/name',
          '/~2',
          '/spec/containers/99999999',
        ),
        nasty,
      )
      .map(([op, path, value]) => JSON.stringify([{ op, path, value, from: path }])),
  );

const request: fc.Arbitrary<Hostile> = mutated.chain(({ sample, object }) =>
  fc
    .record({
      method: fc.constantFrom('POST', 'POST', 'POST', 'PUT', 'PUT', 'PATCH', 'PATCH', 'PATCH', 'GET', 'DELETE', 'OPTIONS', 'HEAD', 'TRACE'),
      tail: fc.oneof(
        { weight: 8, arbitrary: fc.constant('') },
        fc.constantFrom(
          '/status',
          '/scale',
          '/eviction',
          '/binding',
          '/token',
          '/finalize',
          '/approval',
          '/log',
          '/exec',
          '/proxy',
          '/proxy/%2e%2e',
          '/..',
          '//',
          '/%00',
          '/%ff',
          '/__proto__',
          '/a/b/c/d',
        ),
      ),
      name: fc.oneof(
        { weight: 8, arbitrary: fc.constant(sample.metadata?.name ?? 'sample') },
        fc.constantFrom('%00', '..', '%2f', '__proto__', 'constructor', 'x'.repeat(2000), '%F0%9F%90%89', 'A'),
      ),
      query: fc.array(
        fc.tuple(
          fc.constantFrom(
            'limit',
            'continue',
            'resourceVersion',
            'resourceVersionMatch',
            'labelSelector',
            'fieldSelector',
            'dryRun',
            'fieldManager',
            'fieldValidation',
            'force',
            'propagationPolicy',
            'gracePeriodSeconds',
            'timeout',
            'timeoutSeconds',
            'pretty',
            'watch',
            'sendInitialEvents',
            'allowWatchBookmarks',
            '__proto__',
          ),
          fc.oneof(
            fc.constantFrom(
              '1',
              'true',
              'All',
              'Strict',
              'Ignore',
              'x',
              '',
              '-1',
              '0',
              'Exact',
              'Foreground',
              '99999999999999999999',
              'a=b,c in (d',
              'a!=',
              '%00',
              '%zz',
              '%F0%9F%90%89',
              'eyJ2Ijoi',
            ),
            fc.string().map(encodeURIComponentSafely),
          ),
        ),
        { maxLength: 3 },
      ),
      type: fc.constantFrom(
        'application/json',
        'application/json',
        'application/yaml',
        'application/vnd.kubernetes.protobuf',
        'application/merge-patch+json',
        'application/strategic-merge-patch+json',
        'application/json-patch+json',
        'application/apply-patch+yaml',
        'text/plain',
        'application/json;charset=utf-16',
        ';;;',
        '',
      ),
      accept: fc.constantFrom(
        'application/json',
        '*/*',
        'application/yaml',
        'application/vnd.kubernetes.protobuf',
        'application/json;as=Table;g=meta.k8s.io;v=v1',
        'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
        'application/json;as=X',
        'image/png',
        ',,,;q=2',
      ),
      text: bodyText(object),
      protobuf: fc.uint8Array({ maxLength: 400 }),
      isChunked: fc.boolean(),
    })
    .map(({ method, tail, name, query, type, accept, text, protobuf, isChunked }) => {
      const isOfName = method !== 'POST' || tail !== '';
      const search = query.map(([key, value]) => `${key}=${value}`).join('&');
      const path = `${pathOf(sample)}${isOfName ? `/${name}${tail}` : ''}${search ? `?${search}` : ''}`.replaceAll(' ', '%20');
      const isBinary = type.endsWith('protobuf');
      const bytes = isBinary ? Buffer.concat([Buffer.from('k8s\0'), protobuf]) : Buffer.from(text);
      const body = method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'TRACE' ? undefined : bytes;
      const headers: Record<string, string> = { accept, ...(type ? { 'content-type': type } : {}) };
      if (body) Object.assign(headers, isChunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(body.length) });
      return { method, path, headers, body };
    }),
);

function encodeURIComponentSafely(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

let fixture: ServerFixture;
let port = 0;
let tls: { ca: string; cert: string; key: string };
let agent: Agent;
const directory = mkdtempSync(join(tmpdir(), 'hostile-'));

before(async () => {
  const pki = await ensurePki({ directory, serverNames: ['127.0.0.1'], serviceAddress: '10.96.0.1', nodes: {}, clock: systemClock });
  fixture = await startServer({ clock: systemClock, authenticators: [certificateAuthenticator] });
  ({ port } = await fixture.server.listen({
    host: '127.0.0.1',
    port: 0,
    tls: { cert: pki.apiServer.certPem, key: pki.apiServer.keyPem, clientCa: pki.authority.certPem },
  }));
  tls = { ca: pki.authority.certPem, cert: pki.admin.certPem, key: pki.admin.keyPem };
  agent = new Agent({ ...tls, keepAlive: true, maxSockets: 8 });
});
after(async () => {
  agent.destroy();
  await fixture.close();
  rmSync(directory, { recursive: true, force: true });
});

function send({ method, path, headers, body }: Hostile): Promise<{ status: number; type: string; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpsRequest({ host: '127.0.0.1', port, agent, method, path, headers, timeout: 20_000 }, (response) => {
      const chunks: Buffer[] = [];
      const done = () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text: Buffer.concat(chunks).toString() });
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', done);
      response.on('error', reject);
      // A watch has no end of its own.
      if (response.statusCode === 200 && /[?&](watch|follow)=/.test(path)) {
        response.removeAllListeners('error').on('error', () => undefined);
        done();
        response.destroy();
      }
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within 20 s to ${method} ${path}`)));
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Patches that make no sense beside an object, and versions that no watch can begin at, are answered with 500 by Kubernetes too. */
const knownAs500 =
  /resourceVersion: Invalid value: .*strconv\.ParseUint|failed to create typed|unknown patch type|does not contain declared merge key|list element types are not identical/;

test(`${runs} mutated requests are each answered, and nothing invalid is stored`, { timeout: 1_800_000 }, async (t) => {
  t.diagnostic(`seed ${seed}: T8S_SEED=${seed} node --test apiserver/hostile-input.test.ts`);
  for (const sample of samples) await send(post(pathOf(sample), sample));
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const heapBefore = process.memoryUsage().heapUsed;
  const statuses = new Map<number, number>();
  const batch = 4;
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: batch, maxLength: batch }), async (hostiles) => {
      await Promise.all(
        hostiles.map(async (hostile) => {
          const { status, type, text } = await send(hostile);
          const what = `${hostile.method} ${hostile.path} ${hostile.headers['content-type']}: ${status} ${text.slice(0, 500)}`;
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          assert.ok(status >= 200 && status < 600, what);
          // A HEAD's answer does not say why.
          if (status === 500 && hostile.method === 'HEAD') assert.match(hostile.path, /resourceVersion=/, what);
          else if (status === 500) assert.match(text.replace(/\s+/g, ' '), knownAs500, what);
          else assert.ok(status < 500 || status === 501 || status === 503 || status === 504, what);
          if (status >= 400 && type.startsWith('application/json') && hostile.method !== 'HEAD') {
            const answer = JSON.parse(text) as { kind?: string; code?: number };
            if (answer.kind === 'Status') assert.equal(answer.code, status, what);
          }
        }),
      );
    }),
    { seed, numRuns: Math.ceil(runs / batch), endOnFailure: true },
  );
  t.diagnostic(
    `answers: ${[...statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `${count} × ${status}`)
      .join(', ')}`,
  );
  assert.ok((statuses.get(201) ?? 0) + (statuses.get(200) ?? 0) > runs / 100, 'some of them must get through, or nothing is tried');

  assert.equal(({} as { polluted?: unknown }).polluted, undefined, 'no prototype was reached');
  assert.equal((await fixture.ask('GET', '/readyz')).status, 200);
  await assertStoredIsValid();
  collect();
  const grownMiB = (process.memoryUsage().heapUsed - heapBefore) / 2 ** 20;
  assert.ok(grownMiB < 150, `the heap grew by ${grownMiB.toFixed(0)} MiB`);
});

/** What is stored, written again as it is, must pass the same decoder and validation. */
async function assertStoredIsValid(): Promise<void> {
  let checked = 0;
  for (const { kind, verbs } of allResources) {
    if (verbs && !(verbs.includes('list') && verbs.includes('update'))) continue;
    const group = kind.group ? `/apis/${kind.group}/${kind.version}` : `/api/${kind.version}`;
    const list = await fixture.ask('GET', `${group}/${kind.plural}`);
    if (list.status !== 200) continue;
    for (const item of list.json.items as KubeObject[]) {
      const object = { ...item, kind: kind.kind, apiVersion: apiVersionOf(kind) };
      const { namespace, name } = object.metadata ?? {};
      const path = `${group}${namespace ? `/namespaces/${namespace}` : ''}/${kind.plural}/${encodeURIComponent(name ?? '')}?dryRun=All&fieldValidation=Strict`;
      const answer = await fixture.ask('PUT', path, object);
      if (answer.status === 405) continue;
      assert.equal(answer.status, 200, `${path}: ${answer.text.slice(0, 1000)}\n${JSON.stringify(object)}`);
      checked++;
    }
  }
  assert.ok(checked > 20, `${checked} objects were there to check`);
}

const post = (path: string, object: unknown): Hostile => {
  const body = Buffer.from(JSON.stringify(object));
  return { method: 'POST', path, headers: { 'content-type': 'application/json', 'content-length': String(body.length) }, body };
};

test('every field of every sample may be missing, empty or of another type: that is accepted or refused, never stumbled over', async () => {
  const wrong = [undefined, null, '', 0, [], {}, [{}], [null]];
  const problems = new Set<string>();
  const tryAll = async (sample: KubeObject, object: KubeObject, node: unknown): Promise<void> => {
    if (typeof node !== 'object' || node === null) return;
    const parent = node as Record<string, unknown>;
    for (const [name, right] of Object.entries(parent)) {
      for (const value of wrong) {
        parent[name] = value;
        const { status, text } = await fixture.ask('POST', `${pathOf(sample)}?dryRun=All`, object);
        if (status >= 500) problems.add(`${sample.kind} with ${name} = ${JSON.stringify(value)}: ${text}`);
      }
      parent[name] = right;
      await tryAll(sample, object, right);
    }
  };
  for (const sample of samples) {
    const object = structuredClone({ ...sample, metadata: { ...sample.metadata, name: `${sample.metadata?.name}-x` } });
    await tryAll(sample, object, object);
  }
  assert.deepEqual([...problems], []);
});

test('requests that once made the server stumble are refused with a reason', async () => {
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const head = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'as.example.com' } };
  const spec = { group: 'example.com', scope: 'Namespaced', names: { plural: 'as', kind: 'A' }, versions: [{}] };
  const noSpec = await fixture.ask('POST', crds, head);
  assert.equal(noSpec.status, 422, noSpec.text);
  assert.match(noSpec.json.message, /spec\.group: Required value/);
  const noVersion = await fixture.ask('POST', crds, { ...head, spec });
  assert.match(noVersion.json.message, /spec\.versions\[0\]\.name: Invalid value: ""/);
  const request = samples.find(({ kind }) => kind === 'CertificateSigningRequest') as KubeObject;
  const slashed = await fixture.ask('POST', pathOf(request), { ...request, metadata: { name: 'a/b' } });
  assert.match(slashed.json.message, /metadata\.name: Invalid value: "a\/b": may not contain '\/'/);
  const apply = { 'content-type': 'application/apply-patch+yaml' };
  const untyped = await fixture.ask(
    'PATCH',
    '/api/v1/namespaces/default/configmaps/a?fieldManager=x',
    { apiVersion: 1, kind: 'ConfigMap' },
    apply,
  );
  assert.equal(untyped.status, 400, untyped.text);
});

test('what is no HTTP, ends early, never ends or is too large does not keep others waiting', { timeout: 60_000 }, async () => {
  const head = (rest: string) =>
    `POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${rest}`;
  const raw = [
    '\0\0\0\0\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET /api HTTP/1.1\r\nHost: a\r\n${'X-A: b\r\n'.repeat(20_000)}\r\n`,
    head('Content-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    head('Content-Length: -1\r\n\r\n{}'),
    head('Transfer-Encoding: chunked\r\n\r\nzz\r\n'),
    head('Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope'),
    // Begun and not gone on with: these stay open meanwhile.
    head('Content-Length: 1000\r\n\r\n{"a"'),
    head('Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n'),
  ];
  const sockets = raw.map((text) => {
    const socket = connect({ host: '127.0.0.1', port, ...tls }, () => socket.write(text));
    socket.on('error', () => undefined);
    socket.resume();
    return socket;
  });
  try {
    await pause(50);
    const large = post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'large' }, data: { a: 'x'.repeat(4 << 20) } });
    const { status, text } = await send(large);
    assert.equal(status, 413, text.slice(0, 200));
    assert.equal((await send(post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'meanwhile' } }))).status, 201);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  assert.equal((await fixture.ask('GET', '/readyz')).status, 200);
});
