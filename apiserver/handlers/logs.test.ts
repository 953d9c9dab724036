import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ServerFixture, startServer } from '../server-fixture.ts';

let folder: string;
let fixture: ServerFixture;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'logs-'));
  mkdirSync(join(folder, 'logs', 'pods'), { recursive: true });
  writeFileSync(join(folder, 'secret'), 'not for you');
  writeFileSync(join(folder, 'logs', 'a & b.log'), 'a line\n');
  writeFileSync(join(folder, 'logs', 'empty.log'), '');
  symlinkSync(join(folder, 'secret'), join(folder, 'logs', 'outside.log'));
  symlinkSync(join(folder, 'logs', 'a & b.log'), join(folder, 'logs', 'inside.log'));
  fixture = await startServer({ logDirectory: join(folder, 'logs') });
});
after(async () => {
  await fixture.close();
  rmSync(folder, { recursive: true });
});

const get = (path: string) => fixture.ask('GET', path);

test('the log directory is listed, and its files are read', async () => {
  const list = await get('/logs/');
  assert.equal(list.status, 200);
  assert.match(list.text, /<a href="a%20%26%20b\.log">a &amp; b\.log<\/a>\n/);
  assert.match(list.text, /<a href="pods\/">pods\/<\/a>\n/);
  assert.deepEqual([(await get('/logs/a%20&%20b.log')).text, (await get('/logs/inside.log')).text], ['a line\n', 'a line\n']);
  assert.deepEqual([(await get('/logs/empty.log')).status, (await get('/logs/empty.log')).text], [200, '']);
  assert.deepEqual([(await get('/logs/pods')).status, (await get('/logs/pods')).headers['location']], [301, 'pods/']);
});

test('nothing outside of the log directory can be reached', async () => {
  for (const path of [
    '/logs/../secret',
    '/logs/%2e%2e/secret',
    '/logs/..%2fsecret',
    '/logs/pods%2f..%2f..%2fsecret',
    '/logs/%00',
    '/logs/%zz',
  ])
    assert.equal((await get(path)).status, 400, path);
  for (const path of ['/logs/outside.log', '/logs/none', `/logs/${'x'.repeat(300)}`]) assert.equal((await get(path)).status, 404, path);
  assert.equal((await fixture.ask('PUT', '/logs/empty.log', 'x')).status, 405);
});
