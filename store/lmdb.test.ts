import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, cpSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { open as openLmdb, type RootDatabase } from 'lmdb';
import { type Random, seededRandom, systemRandom } from '../base/random.ts';
import { storeContract } from './contract.ts';
import { eventKeys, text, Watching } from './contract-watching.ts';
import { openLmdbStore } from './lmdb.ts';
import { StoreDirectoryError } from './lmdb-directory.ts';
import { CompactedError } from './store.ts';

const here = import.meta.dirname;
const made: string[] = [];
process.once('exit', () => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'store-lmdb-'));
  made.push(directory);
  return directory;
}

const bytes = (s: string) => Buffer.from(s);

storeContract('lmdb', () => openLmdbStore({ directory: newDirectory() }), { modelRuns: 25 });

test('a reopened store has its keys, its history, its revisions and its compaction', async (t) => {
  const directory = newDirectory();
  const first = await openLmdbStore({ directory });
  await first.put('/a', bytes('1'));
  const r2 = await first.put('/a', bytes('2'));
  const r3 = await first.put('/b', bytes('3'));
  await first.compact(r2);
  const r4 = await first.put('/a', bytes('4'));
  const r5 = await first.delete('/b');
  await first.close();

  const second = await openLmdbStore({ directory });
  t.after(() => second.close());
  assert.equal(await second.currentRevision(), r5);
  assert.deepEqual(
    (await second.list('/')).entries.map((e) => [e.key, text(e), e.modRevision, e.createRevision]),
    [['/a', '4', r4, 1]],
  );
  assert.deepEqual((await second.list('/', { revision: r3 })).entries.map(text), ['2', '3']);
  await assert.rejects(second.get('/a', 1), CompactedError);
  const watching = new Watching(second.watch('/', r2));
  await watching.reaches(r5);
  assert.deepEqual(eventKeys(watching.events), ['/b', '/a', '/b']);
  assert.equal(text(watching.events[1]?.previous), '2');
  watching.stop();
  assert.equal(await second.put('/c', bytes('6'), 0), r5 + 1);
});

test('revisions go on after the newest write, a deletion, was compacted away', async (t) => {
  const directory = newDirectory();
  const first = await openLmdbStore({ directory });
  await first.put('/a', bytes('1'));
  const deleted = await first.delete('/a');
  await first.compact(deleted);
  await first.close();
  const second = await openLmdbStore({ directory });
  t.after(() => second.close());
  assert.equal(await second.currentRevision(), deleted);
  assert.equal(await second.put('/a', bytes('2'), 0), deleted + 1);
});

test('compaction gives its room back to later writes', async (t) => {
  const store = await openLmdbStore({ directory: newDirectory() });
  t.after(() => store.close());
  const value = new Uint8Array(10_000);
  const sizes: number[] = [];
  for (let round = 0; round < 6; round++) {
    await Promise.all(Array.from({ length: 200 }, (_, i) => store.put(`/k${i % 10}`, value)));
    await store.compact(await store.currentRevision());
    sizes.push(await store.sizeBytes());
  }
  assert.ok(sizes.at(-1)! <= sizes[1]! * 1.5, `sizes after each round: ${sizes}`);
});

test('nothing acknowledged is lost when the process is killed, and revisions only grow', async (t) => {
  const seed = Number(process.env['STORE_CRASH_SEED'] ?? Math.floor(systemRandom.float() * 2 ** 31));
  t.diagnostic(`STORE_CRASH_SEED=${seed}`);
  const random = seededRandom(seed);
  const directory = newDirectory();
  let acknowledged = new Map<number, { key: string; value: string | undefined }>();
  for (let round = 0; round < 6; round++) {
    const crash = await crashAfter(directory, Math.floor(random.float() * 600), random);
    const newestBefore = Math.max(0, ...acknowledged.keys());
    assert.ok(crash.openedAt >= newestBefore, `opened at ${crash.openedAt} after ${newestBefore} had been acknowledged`);
    for (const revision of crash.acknowledged.keys()) assert.ok(revision > crash.openedAt, `revision ${revision} was given twice`);
    acknowledged = new Map([...acknowledged, ...crash.acknowledged]);

    const store = await openLmdbStore({ directory });
    try {
      const current = await store.currentRevision();
      assert.ok(current >= Math.max(...acknowledged.keys(), 0));
      let compacted = 0;
      for (const [revision, { key, value }] of acknowledged) {
        try {
          assert.equal(text(await store.get(key, revision)), value, `revision ${revision} of ${key}`);
        } catch (error) {
          if (!(error instanceof CompactedError)) throw error;
          compacted = error.compactRevision;
          assert.ok(compacted <= crash.compactedAtMost);
        }
      }
      // Played back from the compaction on, the history leads to what is there.
      const state = new Map((await store.list('/', { revision: Math.max(compacted, 0) })).entries.map((e) => [e.key, text(e)]));
      const watching = new Watching(store.watch('/', compacted));
      if (current > compacted) await watching.reaches(current);
      for (const event of watching.events) {
        if (event.type === 'put') state.set(event.entry.key, text(event.entry));
        else state.delete(event.key);
      }
      watching.stop();
      assert.deepEqual(
        [...state].sort(),
        (await store.list('/')).entries.map((e) => [e.key, text(e)]),
      );
    } finally {
      await store.close();
    }
  }
});

interface Crash {
  openedAt: number;
  acknowledged: Map<number, { key: string; value: string | undefined }>;
  compactedAtMost: number;
}

/** Runs the writer and kills it some time after it has acknowledged so many writes. */
async function crashAfter(directory: string, acknowledgedCount: number, random: Random): Promise<Crash> {
  const child = spawn(process.execPath, [join(here, 'crash-writer.ts'), directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const crash: Crash = { openedAt: -1, acknowledged: new Map(), compactedAtMost: 0 };
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, revision, key, ...value] = line.split(' ');
    if (what === 'opened') crash.openedAt = Number(revision);
    else if (what === 'compacted') crash.compactedAtMost = Math.max(crash.compactedAtMost, Number(revision));
    else if (what === 'put') crash.acknowledged.set(Number(revision), { key: key!, value: value.join(' ') });
    else if (what === 'deleted') crash.acknowledged.set(Number(revision), { key: key!, value: undefined });
    // A number of turns of the event loop later, wherever the writer then is.
    if (crash.acknowledged.size === acknowledgedCount) {
      for (let turns = Math.floor(random.float() * 200); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      child.kill('SIGKILL');
    }
  }
  const [, signal] = await exited;
  assert.equal(signal, 'SIGKILL', 'the writer ran until it was killed');
  return { ...crash, compactedAtMost: Math.max(...crash.acknowledged.keys(), crash.openedAt) };
}

test('a full disk refuses writes and loses nothing, and when there is room again writing goes on', (t) => {
  const directory = newDirectory();
  const mount = 'mount -t tmpfs -o size=4m store-test "$1" && exec "$2" "$3" "$1/store"';
  const script = [directory, process.execPath, join(here, 'full-disk-writer.ts')];
  const child = spawnSync('unshare', ['--mount', 'sh', '-c', mount, 'sh', ...script], { encoding: 'utf8' });
  if (child.error || /unshare failed|permission denied|must be superuser/i.test(child.stderr)) {
    t.skip(`cannot mount a small disk here, so a full one has NOT been tested: ${child.error ?? child.stderr}`);
    return;
  }
  assert.equal(child.stdout, 'everything promised is there\n', child.stderr);
});

test('what a crash in the middle of a compaction left behind is removed at the next start', async (t) => {
  const directory = newDirectory();
  const first = await openLmdbStore({ directory });
  await first.put('/a', bytes('1'));
  await first.put('/a', bytes('2'));
  await first.put('/b', bytes('3'));
  await first.delete('/b');
  await first.put('/c', bytes('5'));
  await first.close();
  // As if the process had ended between writing down the compaction and carrying it out.
  const meta = { format: 'typernetes-store', version: 1, compactRevision: 4 };
  await withLmdb(directory, (db) => db.put(0, bytes(JSON.stringify(meta))));

  const second = await openLmdbStore({ directory });
  assert.deepEqual((await second.list('/', { revision: 4 })).entries.map(text), ['2']);
  assert.deepEqual((await second.list('/')).entries.map(text), ['2', '5']);
  await assert.rejects(second.get('/a', 3), CompactedError);
  assert.equal(await second.currentRevision(), 5);
  await second.close();
  await withLmdb(directory, async (db) => assert.deepEqual([...db.getKeys()], [0, 2, 5]));
  const third = await openLmdbStore({ directory });
  t.after(() => third.close());
  assert.deepEqual((await third.list('/')).entries.map(text), ['2', '5']);
});

async function withLmdb(directory: string, use: (db: RootDatabase<Buffer, number>) => Promise<unknown>): Promise<void> {
  const db = openLmdb<Buffer, number>({ path: join(directory, 'data.mdb'), encoding: 'binary', overlappingSync: false });
  await use(db);
  await db.close();
}

test('a second store in the same directory is refused, in this process and in another, until the first is closed', async (t) => {
  const directory = newDirectory();
  const store = await openLmdbStore({ directory });
  const refused = await refusal(openLmdbStore({ directory }));
  assert.equal(refused.reason, 'InUse');
  assert.match(refused.message, new RegExp(`in use by process ${process.pid}`));
  const other = spawnSync(process.execPath, [join(here, 'crash-writer.ts'), directory], { encoding: 'utf8' });
  assert.notEqual(other.status, 0);
  assert.match(other.stderr, new RegExp(`StoreDirectoryError: ${directory} is in use by process ${process.pid}`));
  await store.put('/a', bytes('still here'));
  await store.close();
  const next = await openLmdbStore({ directory });
  t.after(() => next.close());
  assert.equal(text(await next.get('/a')), 'still here');
});

test('a directory that holds something else is left as it is', async () => {
  const directory = newDirectory();
  writeFileSync(join(directory, 'thesis.txt'), 'years of work');
  assert.equal((await refusal(openLmdbStore({ directory }))).reason, 'Foreign');
  assert.equal(readFileSync(join(directory, 'thesis.txt'), 'utf8'), 'years of work');

  for (const contents of ['short', 'this is no database. '.repeat(10_000)]) {
    const withFile = newDirectory();
    writeFileSync(join(withFile, 'data.mdb'), contents);
    assert.equal((await refusal(openLmdbStore({ directory: withFile }))).reason, 'Foreign');
    assert.equal(readFileSync(join(withFile, 'data.mdb'), 'utf8'), contents);
  }

  const otherLmdb = newDirectory();
  const db = openLmdb<Buffer, string>({ path: join(otherLmdb, 'data.mdb'), encoding: 'binary' });
  await db.put('someone', bytes("else's"));
  await db.close();
  assert.equal((await refusal(openLmdbStore({ directory: otherLmdb }))).reason, 'Foreign');
});

test('a truncated or overwritten file is reported as damaged, and the process lives on', async () => {
  const directory = newDirectory();
  const store = await openLmdbStore({ directory });
  for (let i = 0; i < 20; i++)
    await Promise.all(Array.from({ length: 20 }, (_, j) => store.put(`/k${i}-${j}`, new Uint8Array(100 * j + 1).fill(7))));
  await store.close();
  const size = statSync(join(directory, 'data.mdb')).size;
  for (const part of [0.1, 0.5, 0.9, 0.98]) {
    const damaged = newDirectory();
    cpSync(directory, damaged, { recursive: true });
    truncateSync(join(damaged, 'data.mdb'), Math.floor(size * part));
    const refused = await refusal(readEverything(damaged));
    assert.equal(refused.reason, 'Corrupt', `cut to ${part}: ${refused.message}`);
    assert.match(refused.message, /data\.mdb/);
  }
  for (let page = 2; page < size / 4096; page += 9) {
    const damaged = newDirectory();
    cpSync(directory, damaged, { recursive: true });
    const file = openSync(join(damaged, 'data.mdb'), 'r+');
    writeSync(file, Buffer.alloc(4096, 'not a page '), 0, 4096, page * 4096);
    closeSync(file);
    try {
      await readEverything(damaged);
    } catch (error) {
      assert.ok(error instanceof StoreDirectoryError && error.reason === 'Corrupt', `page ${page}: ${error}`);
    }
  }
});

test('a value changed on disk is not handed out', async (t) => {
  const directory = newDirectory();
  const store = await openLmdbStore({ directory });
  await store.put('/a', bytes('the quick brown fox'));
  await store.close();
  const file = join(directory, 'data.mdb');
  writeFileSync(file, Buffer.from(readFileSync(file).toString('latin1').replaceAll('quick brown', 'quack brown'), 'latin1'));
  const reopened = await openLmdbStore({ directory });
  t.after(() => reopened.close());
  assert.equal((await refusal(reopened.get('/a'))).reason, 'Corrupt');
});

async function readEverything(directory: string): Promise<void> {
  const store = await openLmdbStore({ directory });
  try {
    await store.list('/');
  } finally {
    await store.close();
  }
}

async function refusal(promise: Promise<unknown>): Promise<StoreDirectoryError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof StoreDirectoryError, `${error}`);
    return error;
  }
  return assert.fail('nothing was refused');
}

test('many concurrent writes share few transactions', async (t: TestContext) => {
  const directory = newDirectory();
  const store = await openLmdbStore({ directory });
  t.after(() => store.close());
  const transactionsBefore = newestTransaction(join(directory, 'data.mdb'));
  await Promise.all(Array.from({ length: 500 }, (_, i) => store.put(`/k${i}`, bytes('x'))));
  const transactions = newestTransaction(join(directory, 'data.mdb')) - transactionsBefore;
  assert.ok(transactions >= 1 && transactions <= 10, `${transactions} transactions`);
});

/** From LMDB's two meta pages. */
function newestTransaction(file: string): number {
  const data = readFileSync(file);
  return Math.max(Number(data.readBigUInt64LE(152)), Number(data.readBigUInt64LE(4096 + 152)));
}
