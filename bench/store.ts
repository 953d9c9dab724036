// What each store costs: puts one at a time and 64 at once, a list of 5,000, telling 50 watchers, opening with 50,000. CPU is this
// process's, all threads; etcd's own is not in it. Run: node bench/store.ts [memory|lmdb|etcd ...]

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openEtcdStore } from '../store/etcd.ts';
import { openLmdbStore } from '../store/lmdb.ts';
import { createMemoryStore } from '../store/memory.ts';
import type { Store, StoreEvent } from '../store/store.ts';
import { etcdIsInstalled, startEtcdServer } from '../testing/etcd-server.ts';

interface Subject {
  open(): Promise<Store>;
  /** Where a store outlives its process. */
  isKept: boolean;
  stop(): Promise<void>;
}

const subjects: Record<string, () => Promise<Subject>> = {
  async memory() {
    return { open: async () => createMemoryStore(), isKept: false, stop: async () => {} };
  },
  async lmdb() {
    // Not in the temporary directory, which may be memory: syncing is what is measured.
    const directory = mkdtempSync(join(process.cwd(), '.cache-bench-lmdb-'));
    return {
      open: () => openLmdbStore({ directory }),
      isKept: true,
      stop: async () => rmSync(directory, { recursive: true, force: true }),
    };
  },
  async etcd() {
    const server = await startEtcdServer();
    return { open: () => openEtcdStore({ endpoints: [server.endpoint] }), isKept: true, stop: () => server.stop() };
  },
};

interface Row {
  store: string;
  what: string;
  'ops/s': number;
  'p50 ms': number;
  'p99 ms': number;
  'CPU ms/op': number;
}

// A pod as the API server stores it, give or take.
const value = Buffer.from(JSON.stringify({ kind: 'Pod', metadata: { name: 'pod' }, spec: { filler: 'x'.repeat(2900) } }));

async function measure(
  store: string,
  what: string,
  concurrency: number,
  operations: number,
  operate: (i: number) => Promise<unknown>,
): Promise<Row> {
  const latenciesMs: number[] = [];
  let next = 0;
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < operations) {
        const i = next++;
        const beginMs = performance.now();
        await operate(i);
        latenciesMs.push(performance.now() - beginMs);
      }
    }),
  );
  const elapsedMs = performance.now() - startMs;
  const cpu = process.cpuUsage(cpuBefore);
  latenciesMs.sort((a, b) => a - b);
  const at = (part: number) => round(latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(part * latenciesMs.length))]!);
  return {
    store,
    what,
    'ops/s': Math.round((operations / elapsedMs) * 1000),
    'p50 ms': at(0.5),
    'p99 ms': at(0.99),
    'CPU ms/op': round((cpu.user + cpu.system) / 1000 / operations),
  };
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}

async function run(name: string, subject: Subject): Promise<Row[]> {
  const rows: Row[] = [];
  let store = await subject.open();
  await measure(name, 'warm-up', 64, 2000, (i) => store.put(`/warm/${i % 100}`, value));
  rows.push(await measure(name, 'put, 1 at a time', 1, 1000, (i) => store.put(`/one/${i}`, value, 0)));
  rows.push(await measure(name, 'put, 64 at once', 64, 5000, (i) => store.put(`/pods/${String(i).padStart(5, '0')}`, value, 0)));
  rows.push(await measure(name, 'get', 1, 2000, (i) => store.get(`/pods/${String(i % 5000).padStart(5, '0')}`)));
  rows.push(await measure(name, 'list of 5,000', 1, 20, () => store.list('/pods/')));
  rows.push(await fanOut(name, store));
  if (subject.isKept) {
    await measure(name, 'fill', 256, 45_000, (i) => store.put(`/pods/${String(i + 5000).padStart(5, '0')}`, value, 0));
    await store.compact(await store.currentRevision());
    rows.push(
      await measure(name, 'close, open, list 50,000', 1, 3, async () => {
        await store.close();
        store = await subject.open();
        const { entries } = await store.list('/pods/');
        if (entries.length !== 50_000) throw new Error(`${entries.length} entries`);
      }),
    );
  }
  await store.close();
  return rows;
}

/** One operation is one event told to one watcher. */
async function fanOut(name: string, store: Store): Promise<Row> {
  const watchers = 50;
  const writes = 500;
  const start = await store.currentRevision();
  const all = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const sentMs = new Map<string, number>();
  const latenciesMs: number[] = [];
  let told = 0;
  let primed = 0;
  const subscriptions = Array.from({ length: watchers }, () =>
    store.watch('/told/', start).subscribe(({ events }) => {
      for (const event of events) {
        if (!sentMs.has(eventKey(event))) {
          if (++primed === watchers) begun.resolve();
          continue;
        }
        latenciesMs.push(performance.now() - sentMs.get(eventKey(event))!);
        if (++told === watchers * writes) all.resolve();
      }
    }),
  );
  await store.put('/told/first', value);
  await begun.promise;
  const row = await measure(name, `put, told to ${watchers} watchers, 16 at once`, 16, writes, (i) => {
    sentMs.set(`/told/${i}`, performance.now());
    return store.put(`/told/${i}`, value, 0);
  });
  await all.promise;
  for (const subscription of subscriptions) subscription.unsubscribe();
  latenciesMs.sort((a, b) => a - b);
  return {
    ...row,
    'p50 ms': round(latenciesMs[latenciesMs.length >> 1]!),
    'p99 ms': round(latenciesMs[Math.floor(latenciesMs.length * 0.99)]!),
  };
}

function eventKey(event: StoreEvent): string {
  return event.type === 'put' ? event.entry.key : event.key;
}

const wanted =
  process.argv.length > 2 ? process.argv.slice(2) : Object.keys(subjects).filter((name) => name !== 'etcd' || etcdIsInstalled());
const rows: Row[] = [];
for (const name of wanted) {
  const start = subjects[name];
  if (!start) throw new Error(`no store is called ${name}; there are ${Object.keys(subjects).join(', ')}`);
  const subject = await start();
  try {
    rows.push(...(await run(name, subject)));
  } finally {
    await subject.stop();
  }
}
console.table(rows);
