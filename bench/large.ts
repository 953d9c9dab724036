// What much of something costs an API server: lists of 50,000 pods, in each form, in extra memory and time; and 10,000
// watches of one kind, in memory each and in the time until all have been told of a change.
// Run: node bench/large.ts

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { allResources } from '../apiserver/resources/all.ts';
import { createApiServer } from '../apiserver/server.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { createMemoryStore } from '../store/memory.ts';

const podCount = 50_000;
const watcherCount = 10_000;
const changeCount = 20;

interface Reading {
  cpu: NodeJS.CpuUsage;
  rss: number;
}

async function lists(): Promise<void> {
  const child: ChildProcess = fork(new URL('api-server.ts', import.meta.url), ['memory'], {
    execArgv: ['--expose-gc', ...process.execArgv],
  });
  const [{ port, ...tls }] = (await once(child, 'message')) as [{ port: number; ca: string; cert: string; key: string }];
  const agent = new Agent({ ...tls, keepAlive: true, maxSockets: 8 });
  const read = async (question: string): Promise<Reading> => {
    child.send(question);
    return ((await once(child, 'message')) as [Reading])[0];
  };
  const ask = (method: string, path: string, headers: Record<string, string>, body?: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent }, (response) => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        response.on('end', () => resolve(bytes));
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  const pods = '/api/v1/namespaces/default/pods';
  let next = 0;
  const create = async () => {
    for (let i = next++; i < podCount; i = next++) {
      const spec = { containers: [{ name: 'main', image: 'registry.example/app:1', args: ['--serve', '--port=8080'] }] };
      const pod = { metadata: { name: `pod-${i}`, labels: { app: `app-${i % 100}` }, annotations: { note: 'n'.repeat(600) } }, spec };
      await ask('POST', pods, { 'content-type': 'application/json' }, JSON.stringify(pod));
    }
  };
  await Promise.all(Array.from({ length: 8 }, create));
  const protobuf = 'application/vnd.kubernetes.protobuf';
  const rows = [];
  for (const [what, headers] of [
    ['JSON', {}],
    ['JSON, gzip', { 'accept-encoding': 'gzip' }],
    ['protobuf', { accept: protobuf }],
    ['protobuf, gzip', { accept: protobuf, 'accept-encoding': 'gzip' }],
  ] as [string, Record<string, string>][]) {
    const before = await read('collect');
    let peak = before.rss;
    const start = performance.now();
    let isDone = false;
    const listed = ask('GET', pods, headers).finally(() => {
      isDone = true;
    });
    while (!isDone) peak = Math.max(peak, (await read('read')).rss);
    const bytes = await listed;
    const after = await read('read');
    rows.push({
      [`list of ${podCount} pods`]: what,
      MB: Number((bytes / 1e6).toFixed(1)),
      ms: Math.round(performance.now() - start),
      'server CPU ms': Math.round((after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / 1000),
      'peak extra RSS MB': Number(((peak - before.rss) / 1e6).toFixed(1)),
    });
  }
  console.table(rows);
  child.send('stop');
  agent.destroy();
}

/** In-process, without sockets: what the server itself does for each watch. */
async function watches(): Promise<void> {
  const store = createMemoryStore();
  const server = await createApiServer({
    store,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    resources: allResources,
    authenticators: [],
    authorizer: () => ({ decision: 'allow', reason: '' }),
  });
  await server.ready();
  const transport = server.transport({ name: 'root', groups: ['system:masters'] });
  const path = '/api/v1/namespaces/default/configmaps';
  globalThis.gc?.();
  const idle = process.memoryUsage().rss;
  const controller = new AbortController();
  let events = 0;
  let told = Promise.withResolvers<void>();
  for (let i = 0; i < watcherCount; i++) {
    const { body } = await transport.request({ method: 'GET', path: `${path}?watch=1`, signal: controller.signal });
    const follow = async () => {
      for await (const chunk of body) {
        for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) events++;
        if (events % watcherCount === 0) told.resolve();
      }
    };
    follow().catch((error: unknown) => {
      if (!controller.signal.aborted) throw error;
    });
  }
  globalThis.gc?.();
  const open = process.memoryUsage().rss;
  const latencies: number[] = [];
  for (let i = 0; i < changeCount; i++) {
    told = Promise.withResolvers();
    const start = performance.now();
    const body = JSON.stringify({ metadata: { name: `c${i}` }, data: { filler: 'x'.repeat(500) } });
    await transport.request({ method: 'POST', path, headers: { 'content-type': 'application/json' }, body });
    await told.promise;
    latencies.push(performance.now() - start);
  }
  latencies.sort((a, b) => a - b);
  console.table([
    {
      watches: watcherCount,
      'kB per watch': Number(((open - idle) / watcherCount / 1000).toFixed(2)),
      'ms until all are told, median': Number((latencies[changeCount / 2] ?? 0).toFixed(1)),
      'ms, slowest': Number((latencies.at(-1) ?? 0).toFixed(1)),
    },
  ]);
  controller.abort();
  await server.close(0);
  await store.close();
}

await watches();
await lists();
