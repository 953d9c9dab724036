import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { type LogOptions, readLog, readLogTail } from './log-reader.ts';

const golden = `2026-01-01T00:00:00.000000001Z stdout F one
2026-01-01T00:00:01.000000001Z stderr F two
2026-01-01T00:00:02.000000001Z stdout P thr
2026-01-01T00:00:02.000000002Z stdout F ee
2026-01-01T00:00:03.000000001Z stdout F
`;
let directory = '';
let path = '';
let isRunning = true;
const end = new AbortController();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'log-reader-'));
  path = join(directory, '0.log');
  isRunning = true;
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function read(options: LogOptions = {}): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of readLog(path, { clock: systemClock, signal: end.signal, isRunning: async () => isRunning, ...options }))
    chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('records become lines, and parts of a line are joined', async () => {
  await writeFile(path, golden);
  assert.equal(await read(), 'one\ntwo\nthree\n\n');
});

test('the tail counts lines, not records', async () => {
  await writeFile(path, golden);
  assert.equal(await read({ tailLines: 2 }), 'three\n\n');
  assert.equal(await read({ tailLines: 0 }), '');
  assert.equal(await read({ tailLines: 99 }), 'one\ntwo\nthree\n\n');
});

test('a tail longer than what is read at once is found whole', async () => {
  const lines = Array.from({ length: 5000 }, (_, index) => `2026-01-01T00:00:00.000000001Z stdout F line ${index}`);
  await writeFile(path, `${lines.join('\n')}\n`);
  const tail = (await read({ tailLines: 3000 })).trimEnd().split('\n');
  assert.equal(tail.length, 3000);
  assert.equal(tail[0], 'line 2000');
});

test('time, stream, limit and timestamps are minded', async () => {
  await writeFile(path, golden);
  assert.equal(await read({ sinceMs: Date.parse('2026-01-01T00:00:02Z') }), 'three\n\n');
  assert.equal(await read({ stream: 'stderr' }), 'two\n');
  assert.equal(await read({ limitBytes: 5 }), 'one\nt');
  assert.equal(await read({ timestamps: true, tailLines: 2 }), '2026-01-01T00:00:02.000000001Z three\n2026-01-01T00:00:03.000000001Z \n');
});

test('a followed log goes on across its rotation and ends with its container', async () => {
  await writeFile(path, '2026-01-01T00:00:00.000000001Z stdout F old\n');
  const iterator = readLog(path, { clock: systemClock, signal: end.signal, isRunning: async () => isRunning, follow: true });
  assert.equal((await iterator.next()).value?.toString(), 'old\n');
  await rename(path, `${path}.1`);
  await writeFile(path, '2026-01-01T00:00:01.000000001Z stdout F new\n');
  assert.equal((await iterator.next()).value?.toString(), 'new\n');
  await appendFile(path, '2026-01-01T00:00:02.000000001Z stdout F last\n');
  isRunning = false;
  assert.equal((await iterator.next()).value?.toString(), 'last\n');
  assert.equal((await iterator.next()).done, true);
});

test('the end of a log is bounded in lines and bytes, and empty without a file', async () => {
  await writeFile(path, golden);
  assert.equal(await readLogTail(path, { linesMax: 2, bytesMax: 3 }), 'e\n\n');
  assert.equal(await readLogTail(`${path}.none`, { linesMax: 2, bytesMax: 3 }), '');
});
