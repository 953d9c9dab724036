// client-node's informer across the death, the orderly end and the compaction of its server: it must see the same history as
// the objects had, each version at most once and the last always. Needs $DATA and $UP; with $ETCD that store is compacted.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { CoreV1Api, KubeConfig, makeInformer, type V1ConfigMap } from '@kubernetes/client-node';

const { DATA: data = '', UP: up = '', ETCD: etcd } = process.env;
const namespace = 'default';
const labelSelector = 'app=informer';

interface Seen {
  verb: 'add' | 'update' | 'delete';
  name: string;
  uid: string;
  resourceVersion: bigint;
}
const seen: Seen[] = [];
/** While true the informer stays away, so that more than one thing happens without it. */
let isHeldBack = false;
let reconnects = 0;

const config = new KubeConfig();
config.loadFromDefault();
const api = config.makeApiClient(CoreV1Api);
const list = () => api.listNamespacedConfigMap({ namespace, labelSelector });
const informer = makeInformer<V1ConfigMap>(config, `/api/v1/namespaces/${namespace}/configmaps`, list, labelSelector);
for (const verb of ['add', 'update', 'delete'] as const) {
  informer.on(verb, ({ metadata }: V1ConfigMap) => {
    seen.push({ verb, name: metadata?.name ?? '', uid: metadata?.uid ?? '', resourceVersion: BigInt(metadata?.resourceVersion ?? '0') });
  });
}
informer.on('error', () => {
  reconnects++;
  void (async () => {
    do await pause(100);
    while (isHeldBack);
    await informer.start();
  })();
});

const map = (name: string, value: number): V1ConfigMap => ({
  metadata: { name, labels: { app: 'informer' } },
  data: { value: String(value) },
});
const create = (name: string) => api.createNamespacedConfigMap({ namespace, body: map(name, 0) });
const update = (name: string, value: number) => api.replaceNamespacedConfigMap({ name, namespace, body: map(name, value) });
const remove = (name: string) => api.deleteNamespacedConfigMap({ name, namespace });

await informer.start();
for (let i = 0; i < 20; i++) await create(`c${i}`);
for (let round = 1; round <= 3; round++) for (let i = 0; i < 20; i++) await update(`c${i}`, round);
await settled('before any restart');
assert.equal(seen.filter(({ verb }) => verb === 'add').length, 20);
assert.equal(seen.filter(({ verb }) => verb === 'update').length, 60, 'an informer that is always connected sees every version');

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  const before = reconnects;
  const beforeRestart = seen.length;
  isHeldBack = true;
  process.kill(pidOfServer(), signal);
  await until('the informer lost its server', () => reconnects > before);
  if (signal === 'SIGTERM') await until('the server ended', () => !isServerUp());
  start();
  // Unseen while they happen: a change, a new object, an end, an end with a new beginning under the same name.
  await update('c1', 10);
  await create(`new-${signal.toLowerCase()}`);
  await remove(signal === 'SIGKILL' ? 'c2' : 'c3');
  await remove('c4');
  await create('c4');
  isHeldBack = false;
  await settled(`after ${signal}`);
  assert.equal(seen.slice(beforeRestart).filter(({ name }) => name === 'c9').length, 0, 'what did not change is not told again');
}

if (etcd) {
  const before = reconnects;
  isHeldBack = true;
  process.kill(pidOfServer(), 'SIGKILL');
  await until('the informer lost its server', () => reconnects > before);
  start();
  await remove('c5');
  await update('c6', 20);
  const { metadata } = await list();
  await fetch(`${etcd}/v3/kv/compaction`, {
    method: 'POST',
    body: JSON.stringify({ revision: metadata?.resourceVersion, physical: true }),
  }).then(async (answer) => assert.equal(answer.status, 200, await answer.text()));
  // A server that was there all along still remembers; one that comes after has only what etcd kept.
  process.kill(pidOfServer(), 'SIGKILL');
  await until('the server ended', () => !isServerUp());
  start();
  isHeldBack = false;
  await settled('after a compaction');
  const [known, end] = seen.filter(({ name }) => name === 'c5').slice(-2);
  assert.equal(end?.verb, 'delete');
  assert.equal(end?.resourceVersion, known?.resourceVersion, 'the deletion was compacted away and found by listing anew');
}
await informer.stop();
console.log('nothing lost, nothing doubled');
process.exit(0);

/** The informer's cache becomes what the server has; then what it told until now must be a history that could have been. */
async function settled(when: string): Promise<void> {
  const states = (objects: readonly V1ConfigMap[]) =>
    objects
      .map(({ metadata, data: content }) => `${metadata?.name} ${metadata?.uid} ${metadata?.resourceVersion} ${content?.['value']}`)
      .sort();
  const expected = states((await list()).items);
  await until(`the cache is right ${when}`, () => JSON.stringify(states(informer.list(namespace))) === JSON.stringify(expected));
  const last = new Map<string, Seen>();
  for (const event of seen) {
    const previous = last.get(event.name);
    const where = `${when}: ${event.verb} of ${event.name} at ${event.resourceVersion} after ${previous?.verb} at ${previous?.resourceVersion}`;
    if (event.verb === 'add') assert.ok(!previous || previous.verb === 'delete', where);
    else assert.ok(previous && previous.verb !== 'delete', where);
    // A deletion found by listing anew carries the last version known; any other event is of a later one.
    if (previous)
      assert.ok(
        event.verb === 'delete' ? event.resourceVersion >= previous.resourceVersion : event.resourceVersion > previous.resourceVersion,
        where,
      );
    last.set(event.name, event);
  }
  const told = [...last.values()]
    .filter(({ verb }) => verb !== 'delete')
    .map(({ name, uid, resourceVersion }) => `${name} ${uid} ${resourceVersion}`);
  assert.deepEqual(
    told.sort(),
    expected.map((line) => line.split(' ').slice(0, 3).join(' ')),
    `${when}: the last event of each object is its last version`,
  );
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (isSo()) return;
    await pause(100);
  }
  throw new Error(`not within 30 s: ${what}`);
}

function start(): void {
  execFileSync('t8s', ['up', '--detach', ...up.trim().split(/\s+/), '--nodes', '0']);
}

function pidOfServer(): number {
  return JSON.parse(readFileSync(`${data}/run.json`, 'utf8')).pid;
}

function isServerUp(): boolean {
  try {
    process.kill(pidOfServer(), 0);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'ENOENT')) return false;
    throw error;
  }
}
