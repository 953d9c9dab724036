import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { type Payload, writeAtomically } from './atomic-writer.ts';

let directory = '';
const options = { clock: new VirtualClock(), random: seededRandom(7) };
const payload = (files: Record<string, string>, mode = 0o644): Payload =>
  new Map(Object.entries(files).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'atomic-writer-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('files are reached through links to ..data, with their modes', async () => {
  assert.equal(await writeAtomically(directory, payload({ a: '1', 'deep/b': '2' }, 0o400), options), true);
  assert.equal(await readlink(join(directory, 'a')), '..data/a');
  assert.equal(await readFile(join(directory, 'deep', 'b'), 'utf8'), '2');
  assert.equal((await stat(join(directory, 'a'))).mode & 0o777, 0o400);
});

test('the same content again changes nothing; new content moves ..data at once and leaves nothing old', async () => {
  await writeAtomically(directory, payload({ a: '1', b: '2' }), options);
  const before = await readlink(join(directory, '..data'));
  assert.equal(await writeAtomically(directory, payload({ a: '1', b: '2' }), options), false);
  assert.equal(await readlink(join(directory, '..data')), before);
  assert.equal(await writeAtomically(directory, payload({ a: 'new' }), options), true);
  assert.equal(await readFile(join(directory, 'a'), 'utf8'), 'new');
  const names = (await readdir(directory)).sort();
  assert.equal(names.length, 3);
  assert.ok(!names.includes('b') && !names.includes(before));
});

test('a path that leads out of the volume is refused', async () => {
  for (const path of ['../a', '/a', 'a/../../b', '..data', '']) {
    await assert.rejects(writeAtomically(directory, payload({ [path]: 'x' }), options), /invalid path/, path);
  }
  assert.deepEqual(await readdir(directory), []);
});
