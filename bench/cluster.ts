// The whole program as a user meets it: boot, pod starts beside the same CRI calls made bare, a burst of 20, a replication
// controller from 0 to 50, memory and CPU at idle. Runs the built program inside a machine of namespaces; needs root.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { env, exit } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { filter, firstValueFrom, scan, timeout } from 'rxjs';
import { type Pod, pods, type ReplicationController, replicationControllers } from '../api/core.ts';
import { isPodReady } from '../api/pods.ts';
import type { Client } from '../client/client.ts';
import { createHttpsTransport } from '../client/https-transport.ts';
import { readKubeconfig } from '../client/kubeconfig.ts';
import { createClient } from '../client/rest-client.ts';
import { enterMachine } from '../testing/inside-machine.ts';

const rounds = 10;
const burst = 20;
const replicas = 50;
const idleSeconds = 20;

const inside = await enterMachine('bench');
if (inside.skip) {
  console.log(`skipped: ${inside.skip}`);
  exit(0);
}
const root = resolve(import.meta.dirname, '..');
if (!existsSync(join(root, 'dist/t8s.js'))) throw new Error('there is no built program: npm run build');
const data = join(inside.directory, 'data');
const environment = {
  ...env,
  HOME: inside.directory,
  KUBECONFIG: join(inside.directory, 'kubeconfig'),
  NODE_COMPILE_CACHE: join(root, '.cache/compile'),
};
const rows: { what: string; value: string; 'Kubernetes on this class of machine': string }[] = [];
const row = (what: string, value: string, kubernetes = '') => rows.push({ what, value, 'Kubernetes on this class of machine': kubernetes });

const first = await boot();
row('boot: command to API ready, first start (certificates made)', `${first.apiMs} ms`);
row('boot: command to node Ready, first start', `${first.nodeMs} ms`, '25,600 ms');
await t8s('down', '--data-dir', data);
const second = await boot();
row('boot: command to API ready, later starts', `${second.apiMs} ms`);
row('boot: command to node Ready, later starts', `${second.nodeMs} ms`, '25,600 ms');
const client = await connect();
const firstPodMs = await podStart(client, 'first');
row('boot: command to first pod Running', `${second.nodeMs + firstPodMs} ms`);
const idle = await idleCost();
row(`idle: CPU of the whole, over ${idleSeconds} s`, `${idle.cpuPercent.toFixed(2)} % of a core`, '4 %');
row('idle: resident memory of the whole, containerd aside', `${idle.megabytes} MB`, '660 MB');

const starts: number[] = [];
for (let round = 0; round < rounds; round++) starts.push(await podStart(client, `pod-${round}`));
row('pod start: POST to Running, median', `${median(starts)} ms`, '1,003 ms');
row(`pods at once: ${burst}, POST of the first to Running of the last`, `${await podBurst(client)} ms`, '6,300 ms');
row(`replication controller: 0 to ${replicas} Ready`, `${await controllerBurst(client)} ms`, '19,000 ms');
await t8s('down', '--data-dir', data, '--delete');
console.table(rows);
exit(0);

async function boot(): Promise<{ apiMs: number; nodeMs: number }> {
  const startMs = performance.now();
  const child = spawn(join(root, 'bin/t8s'), ['up', '--data-dir', data], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  let apiMs = 0;
  await new Promise<void>((done, fail) => {
    child.once('exit', (code) => fail(new Error(`t8s up ended with ${code}:\n${output}`)));
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (!apiMs && output.includes('API server')) apiMs = Math.round(performance.now() - startMs);
      if (output.includes(' Ready  ')) done();
    });
  });
  const nodeMs = Math.round(performance.now() - startMs);
  while (!existsSync(join(data, 'run.json'))) await pause(5);
  return { apiMs, nodeMs };
}

function t8s(...args: string[]): Promise<void> {
  execFileSync(join(root, 'bin/t8s'), args, { env: environment, stdio: 'ignore' });
  return Promise.resolve();
}

async function connect(): Promise<Client> {
  const { transport } = await readKubeconfig(join(data, 'kubeconfig'));
  const connected = createClient(createHttpsTransport(transport));
  while ((await connected.list(pods, { namespace: 'default' }).catch(() => undefined)) === undefined) await pause(10);
  return connected;
}

function podOf(name: string): Pod {
  return {
    metadata: { name, namespace: 'default', labels: { app: 'bench' } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'c', image: 't8s.local/busybox:1', imagePullPolicy: 'Never', command: ['sleep', '3600'] }],
    },
  };
}

async function podStart(connected: Client, name: string): Promise<number> {
  const running = untilRunning(connected, 1, name);
  const startMs = performance.now();
  await connected.create(pods, podOf(name));
  await running;
  const ms = Math.round(performance.now() - startMs);
  await connected.delete(pods, { namespace: 'default', name }, { gracePeriodSeconds: 0 });
  await pause(300);
  return ms;
}

async function podBurst(connected: Client): Promise<number> {
  const running = untilRunning(connected, burst);
  const startMs = performance.now();
  await Promise.all(Array.from({ length: burst }, (_, index) => connected.create(pods, podOf(`burst-${index}`))));
  await running;
  const ms = Math.round(performance.now() - startMs);
  await connected.deleteCollection(pods, { namespace: 'default', gracePeriodSeconds: 0 });
  await untilGone(connected);
  return ms;
}

async function controllerBurst(connected: Client): Promise<number> {
  const template = podOf('x');
  const controller: ReplicationController = {
    metadata: { name: 'bench', namespace: 'default' },
    spec: {
      replicas: 0,
      selector: { app: 'bench' },
      template: { metadata: { labels: { app: 'bench' } }, ...(template.spec ? { spec: template.spec } : {}) },
    },
  };
  await connected.create(replicationControllers, controller);
  const running = untilRunning(connected, replicas);
  const startMs = performance.now();
  await connected.patch(replicationControllers, { namespace: 'default', name: 'bench' }, 'merge', { spec: { replicas } });
  await running;
  return Math.round(performance.now() - startMs);
}

/** Follows a watch until so many pods (or the one of that name) are Running and Ready. */
async function untilRunning(connected: Client, count: number, name?: string): Promise<void> {
  const query = { namespace: 'default', ...(name ? { fieldSelector: `metadata.name=${name}` } : {}) };
  await firstValueFrom(
    connected.watch(pods, query).pipe(
      scan((ready, { object }) => (isPodReady(object) ? ready.add(object.metadata?.name ?? '') : ready), new Set<string>()),
      filter((ready) => ready.size >= count),
      timeout(180_000),
    ),
  );
}

async function untilGone(connected: Client): Promise<void> {
  while ((await connected.list(pods, { namespace: 'default' })).items.length > 0) await pause(100);
}

async function idleCost(): Promise<{ cpuPercent: number; megabytes: number }> {
  await pause(5000);
  const { pid } = JSON.parse(readFileSync(join(data, 'run.json'), 'utf8')) as { pid: number };
  const ticks = () => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  const before = ticks();
  await pause(idleSeconds * 1000);
  const rss = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return { cpuPercent: (ticks() - before) / idleSeconds, megabytes: Math.round((Number(rss?.[1]) * 1024) / 1e6) };
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
