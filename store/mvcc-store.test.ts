import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Watching } from './contract-watching.ts';
import type { Version } from './history.ts';
import { MvccStore, type VersionLog } from './mvcc-store.ts';
import { ConflictError } from './store.ts';

/** A log whose disk the test plays. */
class PlayedLog implements VersionLog {
  readonly values = new Map<number, Uint8Array>();
  readonly syncs: { revisions: number[]; succeed: () => void; fail: (error: Error) => void }[] = [];

  append(versions: readonly Version[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const succeed = () => {
      for (const version of versions) if (version.value) this.values.set(version.revision, version.value);
      resolve();
    };
    this.syncs.push({ revisions: versions.map((v) => v.revision), succeed, fail: reject });
    return promise;
  }

  readValue(version: Version): Uint8Array {
    return this.values.get(version.revision) ?? assert.fail(`revision ${version.revision} is not on disk`);
  }

  async setCompactRevision(): Promise<void> {}
  async remove(): Promise<void> {}
  async close(): Promise<void> {}
  sizeBytes = () => 0;

  /** The next batch on its way to disk. */
  async sync(): Promise<(typeof this.syncs)[number]> {
    for (let turns = 0; turns < 100; turns++) {
      const next = this.syncs.shift();
      if (next) return next;
      await null;
    }
    return assert.fail('nothing is on its way to disk');
  }
}

const bytes = (s: string) => Buffer.from(s);

test('what is written during a sync goes together in the next one, and is neither answered, read nor watched before', async () => {
  const log = new PlayedLog();
  const store = new MvccStore(log);
  const watching = new Watching(store.watch('/', 0));
  const answered: number[] = [];
  const put = (key: string, expected?: number) => store.put(key, bytes(key), expected).then((revision) => answered.push(revision));
  const first = put('/a', 0);
  const sync = await log.sync();
  const others = [put('/b', 0), put('/a', 1), put('/c', 0)];
  assert.deepEqual(sync.revisions, [1]);
  assert.equal(await store.get('/a'), undefined);
  assert.deepEqual(answered, []);
  sync.succeed();
  await first;
  assert.deepEqual(answered, [1]);
  assert.deepEqual(
    watching.batches.map((b) => b.revision),
    [1],
  );
  const next = await log.sync();
  assert.deepEqual(next.revisions, [2, 3, 4]);
  next.succeed();
  await Promise.all(others);
  assert.deepEqual(
    watching.batches.map((b) => [b.revision, b.events.length]),
    [
      [1, 1],
      [4, 3],
    ],
  );
});

test('a conflict with a write that is not durable yet is answered when that is', async () => {
  const log = new PlayedLog();
  const store = new MvccStore(log);
  const winner = store.put('/a', bytes('winner'), 0);
  const sync = await log.sync();
  let isRefused = false;
  const loser = assert.rejects(store.put('/a', bytes('loser'), 7), (error) => {
    isRefused = true;
    return error instanceof ConflictError && error.current?.modRevision === 1;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isRefused, false);
  sync.succeed();
  await Promise.all([winner, loser]);
});

test('a failed sync fails all that was decided on top of it, shows nobody anything, and its revisions are used again', async () => {
  const log = new PlayedLog();
  const store = new MvccStore(log);
  const watching = new Watching(store.watch('/', 0));
  const created = store.put('/a', bytes('1'), 0);
  (await log.sync()).succeed();
  assert.equal(await created, 1);

  const failing = store.put('/a', bytes('2'), 1);
  const sync = await log.sync();
  const onTop = [store.put('/a', bytes('3'), 2), store.put('/b', bytes('3')), store.delete('/a', 1)];
  sync.fail(new Error('disk full'));
  for (const write of [failing, ...onTop]) await assert.rejects(write, /nothing was stored: disk full/);
  assert.equal(await store.currentRevision(), 1);

  const again = store.put('/a', bytes('4'), 1);
  const next = await log.sync();
  assert.deepEqual(next.revisions, [2]);
  next.succeed();
  assert.equal(await again, 2);
  assert.deepEqual(
    watching.batches.map((b) => b.revision),
    [1, 2],
  );
});

test('closing waits for what is on its way to disk', async () => {
  const log = new PlayedLog();
  const store = new MvccStore(log);
  const written = store.put('/a', bytes('1'));
  const sync = await log.sync();
  let isClosed = false;
  const closed = store.close().then(() => {
    isClosed = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isClosed, false);
  sync.succeed();
  await Promise.all([written, closed]);
});
