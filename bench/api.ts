// What the API server costs over HTTPS, in requests per second, latency and its own CPU per operation, all admission
// included: create, server-side apply, get, lists of 5,000 pods, 200 watchers of 504 updates by 8 writers, definitions
// and their objects beside config maps, and deleting it all. Run: node bench/api.ts [memory|lmdb]

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:https';

const podCount = 5000;
const watcherCount = 200;
const applyCount = 1000;
const updateCount = 504;
const concurrency = 8;

interface Row {
  what: string;
  'ops/s': number;
  'p50 ms': number;
  'p99 ms': number;
  'server CPU ms/op': number;
}

interface Reading {
  cpu: NodeJS.CpuUsage;
  rss: number;
}

const storeName = process.argv[2] ?? 'lmdb';
const child: ChildProcess = fork(new URL('api-server.ts', import.meta.url), [storeName], {
  execArgv: ['--expose-gc', ...process.execArgv],
});
const [started] = (await once(child, 'message')) as [{ port: number; ca: string; cert: string; key: string }];
const { port, ca, cert, key } = started;
const agent = new Agent({ ca, cert, key, keepAlive: true, maxSockets: concurrency });
const watchAgent = new Agent({ ca, cert, key, keepAlive: true });

async function read(question = 'read'): Promise<Reading> {
  child.send(question);
  const [reading] = (await once(child, 'message')) as [Reading];
  return reading;
}

function ask(method: string, path: string, body?: string, type = 'application/json'): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) };
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('end', () => {
        if ((response.statusCode ?? 500) < 300) resolve(bytes);
        else reject(new Error(`${method} ${path}: ${response.statusCode}`));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function measure(what: string, count: number, operation: (i: number) => Promise<unknown>, lanes = concurrency): Promise<Row> {
  const before = await read();
  const latencies: number[] = [];
  let next = 0;
  const start = performance.now();
  const lane = async () => {
    for (let i = next++; i < count; i = next++) {
      const at = performance.now();
      await operation(i);
      latencies.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const elapsedMs = performance.now() - start;
  const after = await read();
  return rowOf(what, count, elapsedMs, latencies, before, after);
}

function rowOf(what: string, count: number, elapsedMs: number, latencies: number[], before: Reading, after: Reading): Row {
  latencies.sort((a, b) => a - b);
  const cpuMs = (after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / 1000;
  const at = (quantile: number) => Number((latencies[Math.floor(latencies.length * quantile)] ?? 0).toFixed(2));
  return {
    what,
    'ops/s': Math.round((count / elapsedMs) * 1000),
    'p50 ms': at(0.5),
    'p99 ms': at(0.99),
    'server CPU ms/op': Number((cpuMs / count).toFixed(3)),
  };
}

const pods = '/api/v1/namespaces/default/pods';
const applied = '/api/v1/namespaces/bench/pods';
const podBody = (i: number) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `pod-${i}`, labels: { app: `app-${i % 100}`, tier: 'backend' }, annotations: { note: 'n'.repeat(1200) } },
    spec: {
      containers: [
        {
          name: 'main',
          image: 'registry.example/app:1',
          args: ['--serve', '--port=8080'],
          env: [
            { name: 'A', value: '1' },
            { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          ],
          ports: [{ containerPort: 8080 }],
          resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
        },
      ],
    },
  });

async function watchAll(): Promise<Row> {
  let events = 0;
  let bytes = 0;
  const done = Promise.withResolvers<void>();
  const wanted = watcherCount * updateCount;
  const outgoing = Array.from({ length: watcherCount }, () =>
    request({ host: '127.0.0.1', port, path: '/api/v1/namespaces/default/configmaps?watch=1', agent: watchAgent }),
  );
  const opened = outgoing.map(
    (each) =>
      new Promise<void>((resolve) => {
        each.on('response', (response) => {
          resolve();
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) events++;
            if (events >= wanted) done.resolve();
          });
          response.on('error', () => {});
        });
        each.on('error', () => {});
        each.end();
      }),
  );
  await Promise.all(opened);
  const before = await read();
  const start = performance.now();
  const path = '/api/v1/namespaces/default/configmaps';
  const lane = async (name: string) => {
    await ask('POST', path, JSON.stringify({ metadata: { name } }));
    for (let i = 1; i < updateCount / concurrency; i++) {
      await ask('PUT', `${path}/${name}`, JSON.stringify({ metadata: { name }, data: { i: String(i), filler: 'x'.repeat(500) } }));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, i) => lane(`w${i}`)));
  await done.promise;
  const row = rowOf(
    `watch: ${watcherCount} x ${updateCount} events (${(bytes / 1e6).toFixed(0)} MB)`,
    wanted,
    performance.now() - start,
    [],
    before,
    await read(),
  );
  for (const each of outgoing) each.destroy();
  return row;
}

const customCount = 1000;
const configMaps = '/api/v1/namespaces/default/configmaps';
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const gadgets = '/apis/bench.example.com/v1/namespaces/default/gadgets0';

/** An ordinary definition: defaults, bounds, a list of objects and two rules. */
const definitionBody = (i: number) => {
  const text = { type: 'string', maxLength: 100 };
  const port = { type: 'integer', minimum: 1, maximum: 65_535 };
  const spec = {
    type: 'object',
    required: ['size'],
    properties: {
      size: { type: 'integer', minimum: 0 },
      sizeMax: { type: 'integer', default: 100 },
      mode: { type: 'string', enum: ['Fast', 'Safe'], default: 'Safe' },
      ports: {
        type: 'array',
        maxItems: 10,
        items: { type: 'object', required: ['name', 'port'], properties: { name: { ...text, pattern: '^[a-z0-9-]+$' }, port } },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      },
    },
    'x-kubernetes-validations': [
      { rule: 'self.size <= self.sizeMax', message: 'size is too large' },
      { rule: '!has(self.ports) || self.ports.all(p, p.port != 22)' },
    ],
  };
  const plural = `gadgets${i}`;
  return JSON.stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.bench.example.com` },
    spec: {
      group: 'bench.example.com',
      scope: 'Namespaced',
      names: { plural, singular: `gadget${i}`, kind: `Gadget${i}` },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec } } } }],
    },
  });
};
const gadgetBody = (i: number) =>
  JSON.stringify({
    apiVersion: 'bench.example.com/v1',
    kind: 'Gadget0',
    metadata: { name: `gadget-${i}`, labels: { app: 'a' } },
    spec: {
      size: 3,
      ports: [
        { name: 'http', port: 80 },
        { name: 'https', port: 443 },
      ],
    },
  });
const configMapBody = (i: number) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `c-${i}`, labels: { app: 'a' } },
    data: { size: '3', http: '80', https: '443' },
  });

const rows: Row[] = [];
const idle = await read('collect');
await ask('POST', '/api/v1/namespaces', JSON.stringify({ metadata: { name: 'bench' } }));
rows.push(await measure('warm-up', 500, (i) => ask('POST', `${pods}?dryRun=All`, podBody(i))));
rows.push(await measure('create pod', podCount, (i) => ask('POST', pods, podBody(i))));
const apply = (i: number, body: string) => ask('PATCH', `${applied}/pod-${i}?fieldManager=bench`, body, 'application/apply-patch+yaml');
rows.push(await measure('apply a new pod', applyCount, (i) => apply(i, podBody(i))));
rows.push(await measure('apply it unchanged', applyCount, (i) => apply(i, podBody(i))));
rows.push(await measure('apply another image', applyCount, (i) => apply(i, podBody(i).replace('app:1', 'app:2'))));
rows.push(await measure('get pod', podCount, (i) => ask('GET', `${pods}/pod-${i}`)));
rows.push(await measure('list 5,000 pods', 20, () => ask('GET', pods), 1));
rows.push(await measure('list by label (50 of 5,000)', 50, () => ask('GET', `${pods}?labelSelector=app%3Dapp-7`), 1));
rows.push(await watchAll());
const loaded = await read('collect');
rows.push(await measure('create definition', 100, (i) => ask('POST', definitions, definitionBody(i)), 1));
rows.push(await measure('create config map', customCount, (i) => ask('POST', configMaps, configMapBody(i))));
rows.push(await measure('create custom object', customCount, (i) => ask('POST', gadgets, gadgetBody(i))));
rows.push(await measure('delete collection of 5,000', 1, () => ask('DELETE', pods), 1));
console.log(`store: ${storeName}`);
console.table(rows);
console.log(`resident: ${(idle.rss / 1e6).toFixed(0)} MB idle, ${(loaded.rss / 1e6).toFixed(0)} MB with ${podCount} pods`);
child.send('stop');
agent.destroy();
watchAgent.destroy();
