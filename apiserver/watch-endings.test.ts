// How watches end that nobody asked to end: their client does not read, the store's feed fails, the server stops.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { Observable, type Subscriber } from 'rxjs';
import { configMaps } from '../api/core.ts';
import { systemClock } from '../base/clock.ts';
import { settleEventLoop } from '../base/virtual-clock.ts';
import { createMemoryStore } from '../store/memory.ts';
import type { Store, WatchBatch } from '../store/store.ts';
import { certificateAuthenticator } from './authn/authenticator.ts';
import type { Authorizer } from './authz/authorizer.ts';
import { ensurePki } from './pki/pki.ts';
import { root, type ServerFixture, startServer } from './server-fixture.ts';

const path = '/api/v1/namespaces/default/configmaps';

async function listening(t: TestContext, authorizer: Authorizer) {
  const directory = mkdtempSync(join(tmpdir(), 'pki-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const pki = await ensurePki({ directory, serverNames: ['127.0.0.1'], serviceAddress: '10.96.0.1', nodes: {}, clock: systemClock });
  const fixture = await startServer({ authenticators: [certificateAuthenticator], authorizer });
  const tls = { cert: pki.apiServer.certPem, key: pki.apiServer.keyPem, clientCa: pki.authority.certPem };
  const { port } = await fixture.server.listen({ host: '127.0.0.1', port: 0, tls });
  /** A bare connection of the administrator's. */
  const open = () =>
    new Promise<ReturnType<typeof connect>>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, ca: pki.authority.certPem, cert: pki.admin.certPem, key: pki.admin.keyPem }, () =>
        resolve(socket),
      );
      socket.once('error', reject);
      t.after(() => socket.destroy());
    });
  return { fixture, open };
}

const get = (url: string) => `GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`;

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (await isTrue()) return;
    await delay(10);
  }
  assert.fail(`never: ${what}`);
}

const openWatches = async ({ ask }: ServerFixture) => {
  const { text } = await ask('GET', '/metrics');
  return Number(/apiserver_longrunning_requests\{[^}]*resource="configmaps"[^}]*verb="WATCH"[^}]*\} (\d+)/.exec(text)?.[1] ?? 0);
};

test('a watch whose client does not read is cut off, and one that reads goes on', async (t) => {
  const { fixture, open } = await listening(t, () => ({ decision: 'allow', reason: '' }));
  t.after(fixture.close);
  const [slow, quick] = [await open(), await open()];
  let quickBytes = 0;
  quick.on('data', (chunk: Buffer) => {
    quickBytes += chunk.length;
  });
  for (const socket of [slow, quick]) socket.write(get(`${path}?watch=1`));
  slow.pause();
  await until('two watches are open', async () => (await openWatches(fixture)) === 2);
  const data = { x: 'x'.repeat(900_000) };
  for (let i = 0; i < 40; i++) {
    const name = `c${i}`;
    await fixture.client.create(configMaps, { metadata: { namespace: 'default', name }, data });
    await fixture.client.delete(configMaps, { namespace: 'default', name });
    // The one that reads must be given the time to.
    await until('the quick one has read', () => quickBytes > (2 * i + 1) * 900_000);
  }
  await until('the slow one is cut off', async () => (await openWatches(fixture)) === 1);
  assert.equal(quick.destroyed, false);
});

test('when the feed from the store fails, watches end, and after a new list no event is lost or told twice', async (t) => {
  const memory = createMemoryStore();
  const feeds: Subscriber<WatchBatch>[] = [];
  const watch: Store['watch'] = (prefix, after) =>
    new Observable((subscriber) => {
      feeds.push(subscriber);
      return memory.watch(prefix, after).subscribe(subscriber);
    });
  const store = new Proxy(memory, {
    get(target, name) {
      if (name === 'watch') return watch;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const fixture = await startServer({ store });
  t.after(fixture.close);
  const events: string[] = [];
  const known = new Map<string, string>();
  const follow = async (resourceVersion: string) => {
    const response = await fixture.server
      .transport(root)
      .request({ method: 'GET', path: `${path}?watch=1&resourceVersion=${resourceVersion}` });
    for await (const chunk of response.body)
      for (const line of Buffer.from(chunk).toString().split('\n'))
        if (line) {
          const { type, object } = JSON.parse(line);
          events.push(`${type} ${object.metadata.name}`);
          assert.notEqual(known.get(object.metadata.name), object.metadata.resourceVersion, 'told twice');
          known.set(object.metadata.name, object.metadata.resourceVersion);
        }
  };
  const make = (name: string) => fixture.client.create(configMaps, { metadata: { namespace: 'default', name } });
  const first = (await fixture.ask('GET', path)).json;
  let watching = follow(first.metadata.resourceVersion);
  await make('a');
  await settleEventLoop();
  assert.deepEqual(events, ['ADDED a']);

  feeds.at(-1)?.error(new Error('the store went away'));
  await make('b');
  await fixture.clock.step(1000);
  await watching;
  const again = (await fixture.ask('GET', path)).json;
  assert.deepEqual(
    again.items.map((item: { metadata: { name: string } }) => item.metadata.name),
    ['a', 'b'],
  );
  watching = follow(again.metadata.resourceVersion);
  await make('c');
  await settleEventLoop();
  assert.deepEqual(events, ['ADDED a', 'ADDED c']);
  assert.ok(feeds.length >= 2);
  await fixture.server.close(0);
  await watching;
});

test('a server that stops says so to readiness first, finishes what it has begun, and sends others away', async (t) => {
  const held: (() => void)[] = [];
  const { fixture, open } = await listening(t, async ({ path: asked }) => {
    if (asked.endsWith('/slow')) await new Promise<void>((resolve) => held.push(resolve));
    return { decision: 'allow', reason: '' };
  });
  t.after(() => fixture.store.close());
  await fixture.client.create(configMaps, { metadata: { namespace: 'default', name: 'slow' } });
  /** A connection, and what has come over it. */
  const talk = async () => {
    const socket = await open();
    const answer = { text: '' };
    socket.on('data', (chunk: Buffer) => {
      answer.text += chunk.toString();
    });
    return { answer, write: (text: string) => socket.write(text) };
  };
  const [begun, watching, ready, late] = [await talk(), await talk(), await talk(), await talk()];
  watching.write(get(`${path}?watch=1`));
  begun.write(get(`${path}/slow`));
  // Half a request each: these connections are in use when the server begins to stop.
  const halves = [get('/readyz?verbose'), get(`${path}/slow`)];
  for (const [i, each] of [ready, late].entries()) each.write(halves[i]?.slice(0, -2) ?? '');
  await until('the request is under way', () => held.length === 1 && watching.answer.text.includes('ADDED'));
  const closed = fixture.server.close(30);
  for (const each of [ready, late]) each.write('\r\n');
  await until('the watch has ended', () => watching.answer.text.endsWith('0\r\n\r\n'));
  await until('the late ones are answered', () => ready.answer.text !== '' && late.answer.text !== '');
  assert.equal(begun.answer.text, '');
  for (const release of held) release();
  await closed;
  const statuses = [begun, ready, late].map(({ answer }) => /^HTTP\/1\.1 (\d+)/.exec(answer.text)?.[1]);
  assert.deepEqual(statuses, ['200', '500', '429']);
  assert.match(ready.answer.text, /\[-\]shutdown failed: reason withheld/);
  assert.match(late.answer.text, /Retry-After: 5\r\n/i);
  assert.match(late.answer.text, /Connection: close\r\n/i);
  assert.match(late.answer.text, /The apiserver is shutting down, please try again later\.\n/);
});
