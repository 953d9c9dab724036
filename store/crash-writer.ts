// A process for crash tests: opens the lmdb store in argv[2] and writes to it as fast as it can from 16 writers until
// it is killed, compacting now and then, and prints each revision once it has been answered.

import { writeSync } from 'node:fs';
import { openLmdbStore } from './lmdb.ts';

const store = await openLmdbStore({ directory: process.argv[2]! });
const say = (line: string) => writeSync(1, `${line}\n`);
say(`opened ${await store.currentRevision()}`);

async function write(writer: number): Promise<void> {
  for (let turn = 0; ; turn++) {
    const key = `/crash/${writer}/${turn % 5}`;
    const value = `${process.pid} ${writer} ${turn} ${'x'.repeat((turn * 997) % 9000)}`;
    if (turn % 7 === 6 && (await store.get(key))) say(`deleted ${await store.delete(key)} ${key}`);
    else say(`put ${await store.put(key, Buffer.from(value))} ${key} ${value}`);
    if (writer === 0 && turn % 25 === 24) {
      const revision = (await store.currentRevision()) - 30;
      await store.compact(revision);
      say(`compacted ${revision}`);
    }
  }
}

await Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)));
