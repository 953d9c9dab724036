import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storeContract } from './contract.ts';
import { createMemoryStore } from './memory.ts';
import { CompactedError } from './store.ts';

storeContract('memory', async () => createMemoryStore(), { modelRuns: 300 });

test('a memory store begins at revision 0', async () => {
  const store = createMemoryStore();
  assert.equal(await store.currentRevision(), 0);
  assert.equal(await store.put('/a', Buffer.from('1'), 0), 1);
});

test('a store started from a snapshot goes its own way from there', async () => {
  const original = createMemoryStore();
  await original.put('/a', Buffer.from('1'));
  await original.put('/b', Buffer.from('2'));
  await original.delete('/b');
  const snapshot = original.snapshot();
  await original.put('/a', Buffer.from('changed later'));

  const fork = createMemoryStore({ from: snapshot });
  const other = createMemoryStore({ from: snapshot });
  assert.equal(await fork.currentRevision(), 3);
  assert.equal(Buffer.from((await fork.get('/a'))!.value).toString(), '1');
  assert.equal(await fork.put('/a', Buffer.from('fork'), 1), 4);
  assert.equal(await other.delete('/a', 1), 4);
  assert.equal(Buffer.from((await fork.get('/a'))!.value).toString(), 'fork');
  assert.equal(await fork.count('/'), 1);
  assert.equal(await original.count('/'), 1);
  await assert.rejects(fork.get('/a', 2), CompactedError);
});

test('a write to a memory store is done when the call returns, in the order of the calls', async () => {
  const store = createMemoryStore();
  const told: string[] = [];
  store.watch('/', 0).subscribe((batch) => told.push(`told ${batch.revision}`));
  await null;
  const first = store.put('/a', Buffer.from('1'));
  const second = store.put('/a', Buffer.from('2'));
  assert.deepEqual(told, ['told 1', 'told 2']);
  assert.deepEqual(await Promise.all([first, second]), [1, 2]);
});
