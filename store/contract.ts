// What every Store promises, as tests: each implementation's own test file runs this suite on itself. The revisions
// of a fresh store may start anywhere, since an etcd has usually lived before. Long because it is one list of promises.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { storeModelTest } from './contract-model.ts';
import { eventKeys, keysOf, revisionOf, text, Watching } from './contract-watching.ts';
import {
  CompactedError,
  ConflictError,
  FutureRevisionError,
  KeyExistsError,
  SlowWatcherError,
  type Store,
  StoreClosedError,
} from './store.ts';
import { watchIterator } from './watch-iterator.ts';

export interface ContractOptions {
  /** Random histories to try. Default 60. */
  modelRuns?: number;
}

/** Runs the suite; `open` gives a store without keys, which the suite closes. */
export function storeContract(name: string, open: () => Promise<Store>, options: ContractOptions = {}): void {
  const opened = async (t: TestContext): Promise<Store> => {
    const store = await open();
    t.after(() => store.close());
    return store;
  };
  writes(name, opened);
  reads(name, opened);
  watches(name, opened);
  compaction(name, opened);
  storeModelTest(name, open, options.modelRuns ?? 60);
}

type Opened = (t: TestContext) => Promise<Store>;

const bytes = (s: string) => Buffer.from(s);

function writes(name: string, opened: Opened): void {
  test(`${name}: a put that expects no key creates it, and a second one is told what is there`, async (t) => {
    const store = await opened(t);
    const revision = await store.put('/a', bytes('1'), 0);
    assert.equal(await store.currentRevision(), revision);
    const refused = await assertRejects(store.put('/a', bytes('2'), 0), KeyExistsError);
    assert.equal(text(refused.current), '1');
    assert.equal(refused.current.modRevision, revision);
    assert.equal(await store.currentRevision(), revision, 'a refused put makes no revision');
  });

  test(`${name}: a put goes through only at the expected revision, and a conflict carries what is there`, async (t) => {
    const store = await opened(t);
    const created = await store.put('/a', bytes('1'), 0);
    const changed = await store.put('/a', bytes('2'), created);
    assert.ok(changed > created);
    const conflict = await assertRejects(store.put('/a', bytes('3'), created), ConflictError);
    assert.equal(text(conflict.current), '2');
    assert.equal(conflict.current?.modRevision, changed);
    assert.equal(conflict.current?.createRevision, created);
    const missing = await assertRejects(store.put('/b', bytes('3'), created), ConflictError);
    assert.equal(missing.current, undefined);
    assert.equal(await store.get('/b'), undefined);
  });

  test(`${name}: a put that expects nothing in particular writes over whatever is there`, async (t) => {
    const store = await opened(t);
    const first = await store.put('/a', bytes('1'));
    const second = await store.put('/a', bytes('2'));
    const entry = await store.get('/a');
    assert.deepEqual([text(entry), entry?.modRevision, entry?.createRevision], ['2', second, first]);
  });

  test(`${name}: a delete goes through only at the expected revision and on a key that exists`, async (t) => {
    const store = await opened(t);
    const first = await store.put('/a', bytes('1'), 0);
    const second = await store.put('/a', bytes('2'), first);
    const conflict = await assertRejects(store.delete('/a', first), ConflictError);
    assert.equal(text(conflict.current), '2');
    const deleted = await store.delete('/a', second);
    assert.ok(deleted > second);
    assert.equal(await store.get('/a'), undefined);
    assert.equal((await assertRejects(store.delete('/a', second), ConflictError)).current, undefined);
    assert.equal((await assertRejects(store.delete('/a'), ConflictError)).current, undefined);
    const again = await store.put('/a', bytes('3'), 0);
    assert.equal((await store.get('/a'))?.createRevision, again, 'a key that comes back is created anew');
    await store.delete('/a');
  });

  test(`${name}: of many writers that expect the same revision exactly one wins`, async (t) => {
    const store = await opened(t);
    const start = await store.put('/a', bytes('start'), 0);
    const results = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => store.put('/a', bytes(`writer ${i}`), start)));
    const winners = results.flatMap((r, i) => (r.status === 'fulfilled' ? [i] : []));
    assert.equal(winners.length, 1);
    assert.equal(text(await store.get('/a')), `writer ${winners[0]}`);
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      assert.ok(result.reason instanceof ConflictError);
      assert.equal(text(result.reason.current), `writer ${winners[0]}`);
    }
  });

  test(`${name}: each of many concurrent writes has a revision of its own`, async (t) => {
    const store = await opened(t);
    const before = await store.currentRevision();
    const revisions = await Promise.all(Array.from({ length: 200 }, (_, i) => store.put(`/k${i % 40}`, bytes(`${i}`))));
    assert.equal(new Set(revisions).size, 200);
    assert.ok(Math.min(...revisions) > before);
    assert.equal(await store.currentRevision(), Math.max(...revisions));
  });

  test(`${name}: values come back byte for byte, up to one and a half megabytes`, async (t) => {
    const store = await opened(t);
    const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);
    const large = Uint8Array.from({ length: 1_500_000 }, (_, i) => (i * 2654435761) >>> 13);
    const watching = new Watching(store.watch('/', await store.currentRevision()));
    for (const [key, value] of [
      ['/every', everyByte],
      ['/large', large],
      ['/empty', new Uint8Array()],
    ] as const) {
      const revision = await store.put(key, value, 0);
      assert.deepEqual(plain((await store.get(key))?.value), plain(value));
      await watching.reaches(revision);
      const event = watching.events.at(-1);
      assert.deepEqual(plain(event?.type === 'put' ? event.entry.value : undefined), plain(value));
    }
    const listed = await store.list('/');
    assert.deepEqual(
      listed.entries.map((e) => e.value.byteLength),
      [0, 256, 1_500_000],
    );
    assert.deepEqual(plain(listed.entries[2]?.value), plain(large));
    watching.stop();
  });

  test(`${name}: a key that cannot be kept is refused before anything is written`, async (t) => {
    const store = await opened(t);
    const before = await store.currentRevision();
    await assertRejects(store.put('', bytes('x')), TypeError);
    await assertRejects(store.put('/\ud800', bytes('x')), TypeError);
    assert.equal(await store.currentRevision(), before);
  });
}

function reads(name: string, opened: Opened): void {
  test(`${name}: get answers what was there at a revision`, async (t) => {
    const store = await opened(t);
    const first = await store.put('/a', bytes('1'));
    const second = await store.put('/a', bytes('2'));
    const deleted = await store.delete('/a');
    const third = await store.put('/a', bytes('3'));
    assert.equal(text(await store.get('/a', first)), '1');
    assert.equal((await store.get('/a', first))?.modRevision, first);
    assert.equal(text(await store.get('/a', second)), '2');
    assert.equal(await store.get('/a', deleted), undefined);
    assert.equal(text(await store.get('/a', third)), '3');
    const future = await assertRejects(store.get('/a', third + 1), FutureRevisionError);
    assert.equal(future.currentRevision, third);
  });

  test(`${name}: a list is in byte order of its keys and holds its prefix only`, async (t) => {
    const store = await opened(t);
    const keys = [
      '/p/b',
      '/p/a',
      '/p/a/c',
      '/p/a.c',
      '/p/a-c',
      '/p/Z',
      '/p/~',
      '/p/é',
      '/p/\u{1f600}',
      '/p/\uffee',
      '/p',
      '/p0',
      '/q/a',
      '/P/a',
    ];
    for (const key of keys) await store.put(key, bytes(key));
    const expected = keys.filter((k) => k.startsWith('/p/')).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const listed = await store.list('/p/');
    assert.deepEqual(keysOf(listed), expected);
    assert.deepEqual(listed.entries.map(text), expected, 'each key with its own value');
    assert.equal(listed.remaining, 0);
    assert.equal(listed.revision, await store.currentRevision());
    assert.equal(await store.count('/p/'), expected.length);
    assert.equal(await store.count('/p'), expected.length + 2);
    assert.deepEqual(keysOf(await store.list('/nothing/')), []);
    await store.delete('/p/a');
    assert.equal(await store.count('/p/'), expected.length - 1);
  });

  test(`${name}: pages of one revision fit together while writes go on between them`, async (t) => {
    const store = await opened(t);
    for (let i = 0; i < 25; i++) await store.put(`/p/${String(i).padStart(2, '0')}`, bytes(`old ${i}`));
    await store.put('/q/other', bytes('other'));
    const all = await store.list('/p/');
    const seen: string[] = [];
    let page = await store.list('/p/', { limit: 7 });
    assert.equal(page.revision, all.revision);
    for (let turn = 0; ; turn++) {
      seen.push(...page.entries.map((e) => `${e.key} ${text(e)} ${e.modRevision}`));
      assert.equal(page.remaining, 25 - seen.length);
      if (page.remaining === 0) break;
      await store.put(`/p/${String(turn * 8 + 1).padStart(2, '0')}`, bytes('new'));
      await store.put(`/p/${String(turn * 7).padStart(2, '0')}x`, bytes('new'));
      await store.delete(`/p/${String(24 - turn).padStart(2, '0')}`);
      page = await store.list('/p/', { limit: 7, after: page.entries.at(-1)!.key, revision: all.revision });
      assert.equal(page.revision, all.revision);
    }
    assert.deepEqual(
      seen,
      all.entries.map((e) => `${e.key} ${text(e)} ${e.modRevision}`),
    );
  });

  test(`${name}: a list from after a key begins with the next one, whether or not the key exists`, async (t) => {
    const store = await opened(t);
    for (const key of ['/p/a', '/p/b', '/p/c', '/r']) await store.put(key, bytes(key));
    assert.deepEqual(keysOf(await store.list('/p/', { after: '/p/a' })), ['/p/b', '/p/c']);
    assert.deepEqual(keysOf(await store.list('/p/', { after: '/p/aa' })), ['/p/b', '/p/c']);
    assert.deepEqual(keysOf(await store.list('/p/', { after: '/a' })), ['/p/a', '/p/b', '/p/c']);
    assert.deepEqual(keysOf(await store.list('/p/', { after: '/p/c' })), []);
    assert.deepEqual(keysOf(await store.list('/p/', { after: '/s' })), []);
  });

  test(`${name}: a list of the future is refused`, async (t) => {
    const store = await opened(t);
    const revision = await store.put('/a', bytes('1'));
    await assertRejects(store.list('/', { revision: revision + 10 }), FutureRevisionError);
  });

  test(`${name}: a list longer than any internal page is whole, and counts what a limit leaves`, async (t) => {
    const store = await opened(t);
    const total = 2300;
    await Promise.all(Array.from({ length: total }, (_, i) => store.put(`/many/${String(i).padStart(5, '0')}`, bytes(`${i}`))));
    const listed = await store.list('/many/');
    assert.deepEqual(
      listed.entries.map(text),
      Array.from({ length: total }, (_, i) => `${i}`),
    );
    const limited = await store.list('/many/', { limit: 1700, after: '/many/00099' });
    assert.equal(limited.entries.length, 1700);
    assert.equal(limited.remaining, total - 100 - 1700);
  });
}

function watches(name: string, opened: Opened): void {
  test(`${name}: a watch tells the past first, then what happens, with what was there before`, async (t) => {
    const store = await opened(t);
    const start = await store.currentRevision();
    const r1 = await store.put('/p/a', bytes('1'));
    const r2 = await store.put('/p/a', bytes('2'));
    const watching = new Watching(store.watch('/p/', start));
    await watching.reaches(r2);
    const r3 = await store.delete('/p/a');
    const r4 = await store.put('/p/a', bytes('4'));
    await watching.reaches(r4);
    assert.deepEqual(
      watching.events.map((e) =>
        e.type === 'put'
          ? [e.type, e.entry.modRevision, e.entry.createRevision, text(e.entry), e.previous && text(e.previous)]
          : [e.type, e.modRevision, e.key, text(e.previous), e.previous.modRevision],
      ),
      [
        ['put', r1, r1, '1', undefined],
        ['put', r2, r1, '2', '1'],
        ['delete', r3, '/p/a', '2', r2],
        ['put', r4, r4, '4', undefined],
      ],
    );
    watching.stop();
  });

  test(`${name}: a watch sees its prefix only, and learns of progress elsewhere`, async (t) => {
    const store = await opened(t);
    const start = await store.currentRevision();
    const watching = new Watching(store.watch('/p/', start));
    await store.put('/p', bytes('no'));
    await store.put('/p0', bytes('no'));
    await watching.reaches(await store.put('/p/a', bytes('yes')));
    const last = await store.put('/q/a', bytes('no'));
    await watching.reaches(last);
    assert.deepEqual(eventKeys(watching.events), ['/p/a']);
    assert.ok(watching.batches.some((b) => b.revision === last && b.events.length === 0));
    watching.stop();
  });

  test(`${name}: a watch from a revision that is still to come says nothing about those before it`, async (t) => {
    const store = await opened(t);
    const start = await store.currentRevision();
    const watching = new Watching(store.watch('/', start + 2));
    const revisions = [await store.put('/a', bytes('1')), await store.put('/b', bytes('2')), await store.put('/c', bytes('3'))];
    await watching.reaches(revisions[2]!);
    assert.deepEqual(
      eventKeys(watching.events),
      ['/a', '/b', '/c'].filter((_, i) => revisions[i]! > start + 2),
    );
    assert.ok(watching.batches.every((b) => b.revision > start + 2));
    watching.stop();
  });

  test(`${name}: watches that begin in the middle of a stream of writes miss nothing and repeat nothing`, async (t) => {
    const store = await opened(t);
    const start = await store.currentRevision();
    const all: { watching: Watching; after: number }[] = [];
    const made: number[] = [];
    for (let round = 0; round < 30; round++) {
      const writing = Array.from({ length: 8 }, (_, i) => store.put(`/p/${i}`, bytes(`${round}`)));
      const after = made[(round * 7) % made.length] ?? start;
      all.push({ watching: new Watching(store.watch('/p/', after)), after });
      made.push(...(await Promise.all(writing)));
      made.sort((a, b) => a - b);
    }
    for (const { watching, after } of all) {
      await watching.reaches(made.at(-1)!);
      assert.deepEqual(
        watching.events.map(revisionOf),
        made.filter((revision) => revision > after),
      );
      watching.stop();
    }
  });

  test(`${name}: a watch that has been unsubscribed from hears nothing more`, async (t) => {
    const store = await opened(t);
    const start = await store.currentRevision();
    const stopped = new Watching(store.watch('/', start));
    const going = new Watching(store.watch('/', start));
    await going.reaches(await store.put('/a', bytes('1')));
    await stopped.reaches(going.revision);
    stopped.stop();
    await going.reaches(await store.put('/b', bytes('2')));
    assert.deepEqual(eventKeys(stopped.events), ['/a']);
    assert.deepEqual(eventKeys(going.events), ['/a', '/b']);
    going.stop();
  });

  test(`${name}: a watcher that writes when it is told something gets its own writes in order`, async (t) => {
    const store = await opened(t);
    const start = await store.currentRevision();
    const writing: Promise<number>[] = [];
    const watching = new Watching(store.watch('/', start), (event) => {
      if (event.type === 'put' && writing.length < 20) writing.push(store.put(`/echo/${writing.length}`, bytes('x')));
    });
    await store.put('/a', bytes('1'));
    await watching.until(() => writing.length === 20);
    await watching.reaches(Math.max(...(await Promise.all(writing))));
    assert.equal(watching.events.length, 21);
    watching.stop();
  });

  test(`${name}: a consumer that falls too far behind is cut`, async (t) => {
    const store = await opened(t);
    const start = await store.currentRevision();
    const slow = watchIterator(store.watch('/', start), { bufferedMax: 3 });
    const quick = new Watching(store.watch('/', start));
    let last = 0;
    for (let i = 0; i < 20; i++) {
      last = await store.put('/a', bytes(`${i}`));
      await quick.reaches(last);
    }
    const drained = (async () => {
      let seen = 0;
      for await (const batch of slow) seen += batch.events.length;
      return seen;
    })();
    await assertRejects(drained, SlowWatcherError);
    assert.equal(quick.events.length, 20);
    quick.stop();
  });

  test(`${name}: closing ends every watch, and what is asked afterwards is refused`, async (t) => {
    const store = await opened(t);
    const revision = await store.put('/a', bytes('1'));
    const watching = new Watching(store.watch('/', revision - 1));
    await watching.reaches(revision);
    await store.close();
    await watching.until(() => watching.isEnded);
    assert.equal(watching.error, undefined);
    await store.close();
    await assertRejects(store.get('/a'), StoreClosedError);
    await assertRejects(store.put('/a', bytes('2')), StoreClosedError);
    const late = new Watching(store.watch('/', revision));
    await late.until(() => late.isEnded);
  });
}

function compaction(name: string, opened: Opened): void {
  test(`${name}: below a compaction nothing can be read or watched, at it and above everything`, async (t) => {
    const store = await opened(t);
    const r1 = await store.put('/a', bytes('1'));
    const r2 = await store.put('/b', bytes('2'));
    const r3 = await store.put('/a', bytes('3'));
    const r4 = await store.delete('/b');
    const r5 = await store.put('/c', bytes('5'));
    await store.compact(r3);
    for (const attempt of [() => store.get('/a', r1), () => store.get('/a', r2), () => store.list('/', { revision: r2 })]) {
      assert.equal((await assertRejects(attempt(), CompactedError)).compactRevision, r3);
    }
    const cut = new Watching(store.watch('/', r2));
    await cut.until(() => cut.isEnded);
    assert.ok(cut.error instanceof CompactedError);
    assert.equal(cut.error.compactRevision, r3);
    assert.deepEqual(cut.batches, []);

    assert.deepEqual((await store.list('/', { revision: r3 })).entries.map(text), ['3', '2']);
    assert.deepEqual((await store.list('/', { revision: r4 })).entries.map(text), ['3']);
    assert.equal(text(await store.get('/a', r3)), '3');
    const watching = new Watching(store.watch('/', r3));
    await watching.reaches(r5);
    assert.deepEqual(eventKeys(watching.events), ['/b', '/c']);
    assert.equal(watching.events[0]?.type === 'delete' && text(watching.events[0].previous), '2');
    watching.stop();
    assert.deepEqual((await store.list('/')).entries.map(text), ['3', '5']);
  });

  test(`${name}: compacting the same or an older revision again changes nothing, and the future cannot be compacted`, async (t) => {
    const store = await opened(t);
    const r1 = await store.put('/a', bytes('1'));
    const r2 = await store.put('/a', bytes('2'));
    await store.compact(r2);
    await store.compact(r2);
    await store.compact(r1);
    assert.equal(text(await store.get('/a', r2)), '2');
    await assertRejects(store.compact(r2 + 100), FutureRevisionError);
  });

  test(`${name}: a watch under way goes on over a compaction, and revisions never go back`, async (t) => {
    const store = await opened(t);
    const start = await store.currentRevision();
    const watching = new Watching(store.watch('/', start));
    const made: number[] = [];
    for (let round = 0; round < 10; round++) {
      made.push(await store.put('/a', bytes(`${round}`)), await store.delete('/a'));
      await watching.reaches(made.at(-1)!);
      await store.compact(made.at(-1)!);
      assert.equal(await store.currentRevision(), made.at(-1));
    }
    assert.equal(watching.error, undefined);
    assert.deepEqual(watching.events.map(revisionOf), made);
    watching.stop();
  });

  test(`${name}: the size is told`, async (t) => {
    const store = await opened(t);
    await store.put('/a', new Uint8Array(100_000));
    assert.ok((await store.sizeBytes()) >= 100_000);
  });
}

function plain(value: Uint8Array | undefined): string | undefined {
  return value && Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
}

async function assertRejects<E extends Error>(promise: Promise<unknown>, type: abstract new (...args: never[]) => E): Promise<E> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof type, `expected ${type.name}, got ${error}`);
    return error;
  }
  return assert.fail(`expected ${type.name}, but nothing was thrown`);
}
