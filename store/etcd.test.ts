import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Etcd3 } from 'etcd3';
import { VirtualClock } from '../base/virtual-clock.ts';
import { type EtcdServer, etcdIsInstalled, startEtcdServer } from '../testing/etcd-server.ts';
import { storeContract } from './contract.ts';
import { eventKeys, text, Watching } from './contract-watching.ts';
import { type EtcdStoreOptions, openEtcdStore } from './etcd.ts';
import { CompactedError, ConflictError, type Store, StoreUnavailableError } from './store.ts';

const bytes = (s: string) => Buffer.from(s);

describe('etcd', { skip: etcdIsInstalled() ? false : 'etcd is not installed: the etcd store has NOT been tested' }, () => {
  let server: EtcdServer;
  let opened = 0;
  before(async () => {
    server = await startEtcdServer();
  });
  after(() => server.stop());

  const open = (options: Partial<EtcdStoreOptions> = {}): Promise<Store> =>
    openEtcdStore({ endpoints: [server.endpoint], prefix: `/test-${++opened}`, ...options });

  storeContract('etcd', open, { modelRuns: 12 });

  test('nothing acknowledged is lost when etcd is killed, and a watch goes on without gap or duplicate', async (t) => {
    const store = await open();
    t.after(() => store.close());
    const start = await store.currentRevision();
    const watching = new Watching(store.watch('/', start));
    const acknowledged = new Map<number, string>();
    const unknown = new Set<string>();
    let counter = 0;
    for (let round = 0; round < 3; round++) {
      let isKilled = false;
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        while (!isKilled) {
          const value = `value ${++counter}`;
          try {
            acknowledged.set(await store.put(`/k${writer}`, bytes(value)), value);
          } catch (error) {
            assert.ok(error instanceof StoreUnavailableError, `${error}`);
            if (error.outcomeUnknown) unknown.add(value);
          }
        }
      });
      const enough = acknowledged.size + 50;
      await watching.until(() => acknowledged.size >= enough && watching.events.length > 0);
      const killed = server.kill();
      isKilled = true;
      await killed;
      await Promise.all(writers);
      await server.restart();
    }
    const last = await store.put('/last', bytes('last'));
    acknowledged.set(last, 'last');
    await watching.reaches(last);
    const told = new Map(
      watching.events.map((e) => (e.type === 'put' ? [e.entry.modRevision, text(e.entry)] : [e.modRevision, undefined])),
    );
    assert.equal(told.size, watching.events.length);
    for (const [revision, value] of acknowledged) {
      assert.equal(told.get(revision), value);
      assert.equal(
        text(
          await store.get(
            watching.events.flatMap((e) => (e.type === 'put' && e.entry.modRevision === revision ? [e.entry.key] : []))[0]!,
            revision,
          ),
        ),
        value,
      );
    }
    for (const [revision, value] of told)
      assert.ok(acknowledged.has(revision) || unknown.has(value!), `${value} was stored although its writer was told it was not`);
    watching.stop();
  });

  test('a watch from below a compaction is refused even where the changes since are still remembered', async (t) => {
    const store = await open();
    t.after(() => store.close());
    const start = await store.currentRevision();
    const watching = new Watching(store.watch('/', start));
    const revisions: number[] = [];
    for (const value of ['1', '2', '3']) {
      revisions.push(await store.put('/a', bytes(value)));
      await watching.reaches(revisions.at(-1)!);
    }
    await store.compact(revisions[2]!);
    const late = new Watching(store.watch('/', revisions[1]!));
    await late.until(() => late.isEnded);
    assert.ok(late.error instanceof CompactedError && late.error.compactRevision === revisions[2]);
    assert.deepEqual(late.batches, []);
    watching.stop();
  });

  test('a watch from below what another process has compacted is refused, and one under way goes on', async (t) => {
    const [store, other] = [await open({ prefix: '/two' }), await open({ prefix: '/two' })];
    t.after(() => Promise.all([store.close(), other.close()]));
    const start = await store.put('/a', bytes('1'));
    const watching = new Watching(store.watch('/', start - 1));
    await watching.reaches(start);
    await store.put('/a', bytes('2'));
    const newest = await store.put('/a', bytes('3'));
    await other.compact(newest);
    const late = new Watching(other.watch('/', start));
    await late.until(() => late.isEnded);
    assert.ok(late.error instanceof CompactedError && late.error.compactRevision === newest);
    await watching.reaches(newest);
    assert.equal(watching.events.length, 3);
    watching.stop();
  });

  test('a watch whose revisions are compacted away while the connection is broken ends as compacted, and the next one works', async (t) => {
    // The store reconnects only when this clock is stepped, so the break lasts as long as the test wants.
    const clock = new VirtualClock();
    const store = await open({ prefix: '/broken', clock });
    const other = await open({ prefix: '/broken' });
    t.after(() => Promise.all([store.close(), other.close()]));
    const start = await store.put('/a', bytes('1'));
    const watching = new Watching(store.watch('/', start - 1));
    await watching.reaches(start);
    await server.kill();
    const deadline = AbortSignal.timeout(10_000);
    while (clock.nextTimerMs === undefined) {
      assert.ok(!deadline.aborted, 'the store never noticed the break');
      await new Promise((resolve) => setImmediate(resolve));
    }
    await server.restart();
    await other.put('/a', bytes('2'));
    const newest = await other.put('/a', bytes('3'));
    await other.compact(newest);
    while (!watching.isEnded) {
      assert.ok(!deadline.aborted, 'the watch never ended');
      await clock.step(1000);
    }
    assert.ok(watching.error instanceof CompactedError && watching.error.compactRevision === newest, `${watching.error}`);
    assert.equal(watching.events.length, 1);
    const again = new Watching(store.watch('/', newest));
    const next = await other.put('/a', bytes('4'));
    await again.reaches(next);
    assert.equal(again.events.length, 1);
    again.stop();
  });

  test('when etcd is gone, calls and watches say so, and work again when it is back', async (t) => {
    const store = await open({ watchBrokenMsMax: 300 });
    t.after(() => store.close());
    const revision = await store.put('/a', bytes('1'));
    const watching = new Watching(store.watch('/', revision));
    const primed = await store.put('/a', bytes('2'));
    await watching.reaches(primed);
    await server.kill();
    for (const attempt of [() => store.get('/a'), () => store.put('/a', bytes('3'), primed), () => store.list('/')]) {
      await assert.rejects(attempt(), (error) => {
        assert.ok(error instanceof StoreUnavailableError);
        assert.match(error.message, new RegExp(`etcd at ${server.endpoint} does not answer`));
        return true;
      });
    }
    await watching.until(() => watching.isEnded);
    assert.ok(watching.error instanceof StoreUnavailableError);
    await server.restart();
    assert.equal(text(await store.get('/a')), '2');
    const again = new Watching(store.watch('/', primed));
    const next = await store.put('/a', bytes('4'));
    await again.reaches(next);
    assert.deepEqual(eventKeys(again.events), ['/a']);
    again.stop();
  });

  test('two stores on one etcd see each other, and exclude each other by revision', async (t) => {
    const one = await open({ prefix: '/shared' });
    const two = await open({ prefix: '/shared' });
    t.after(() => Promise.all([one.close(), two.close()]));
    const start = await one.currentRevision();
    const watching = new Watching(two.watch('/', start));
    const revision = await one.put('/a', bytes('one'), 0);
    await watching.reaches(revision);
    assert.equal(text(await two.get('/a')), 'one');
    await two.put('/a', bytes('two'), revision);
    await assert.rejects(one.put('/a', bytes('late'), revision), ConflictError);
    watching.stop();
  });

  test('stores under different prefixes do not see each other, and changes of several keys at once stay together', async (t) => {
    const store = await open({ prefix: '/mine' });
    t.after(() => store.close());
    const start = await store.currentRevision();
    const watching = new Watching(store.watch('', start));
    const client = new Etcd3({ hosts: server.endpoint });
    t.after(() => client.close());
    await client
      .if('/none', 'Create', '==', 0)
      .then(client.put('/mine/a').value('1'), client.put('/mine/b').value('2'), client.put('/theirs').value('3'))
      .commit();
    await watching.reaches(await store.currentRevision());
    assert.deepEqual(eventKeys(watching.events), ['/a', '/b']);
    assert.equal(watching.batches.filter((b) => b.events.length > 0).length, 1);
    assert.deepEqual(
      (await store.list('')).entries.map((e) => e.key),
      ['/a', '/b'],
    );
    watching.stop();
  });
});

test('an etcd that cannot be reached is an error that names it', async () => {
  await assert.rejects(openEtcdStore({ endpoints: ['http://127.0.0.1:1'] }), /etcd at http:\/\/127\.0\.0\.1:1 does not answer/);
  await assert.rejects(openEtcdStore({ endpoints: [] }), TypeError);
  await assert.rejects(openEtcdStore({ endpoints: ['https://127.0.0.1:1'] }), /tls/);
});
