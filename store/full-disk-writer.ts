// A process for the full-disk test: writes to the lmdb store in argv[2] until the disk is full, makes room by removing
// another file, goes on, opens the store anew and says whether everything it had been promised is there.

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { openLmdbStore } from './lmdb.ts';

const directory = process.argv[2]!;
const ballast = `${directory}-ballast`;
writeFileSync(ballast, Buffer.alloc(500_000));
const store = await openLmdbStore({ directory });
const promised = new Map<string, number>();
let failure: unknown;
for (let i = 0; failure === undefined; i++) {
  assert.ok(i < 10_000, 'the disk is never full');
  try {
    promised.set(`/k${i}`, await store.put(`/k${i}`, Buffer.alloc(20_000, i)));
  } catch (error) {
    failure = error;
  }
}
assert.match(String(failure), /nothing was stored/);
assert.equal(await store.currentRevision(), promised.size);
assert.equal((await store.list('/')).entries.length, promised.size);

rmSync(ballast);
promised.set('/again', await store.put('/again', Buffer.alloc(20_000), 0));
await store.delete('/k0');
promised.delete('/k0');
await store.compact(await store.currentRevision());
await store.close();

const reopened = await openLmdbStore({ directory });
for (const [key, revision] of promised) assert.equal((await reopened.get(key))?.modRevision, revision, key);
assert.equal(await reopened.count('/'), promised.size);
await reopened.close();
console.log('everything promised is there');
