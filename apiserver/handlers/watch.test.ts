import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps } from '../../api/core.ts';
import type { KubeObject, WatchEvent } from '../../api/wire.ts';
import { settleEventLoop } from '../../base/virtual-clock.ts';
import { root, type ServerFixture, startServer } from '../server-fixture.ts';

interface Watch {
  /** Everything that has arrived so far. */
  events: WatchEvent<KubeObject & { code?: number; reason?: string }>[];
  /** Resolves when the server ends the stream. */
  ended: Promise<void>;
  stop(): void;
}

async function watch({ server }: ServerFixture, query: string, accept?: string): Promise<Watch> {
  const controller = new AbortController();
  const response = await server.transport(root).request({
    method: 'GET',
    path: `/api/v1/namespaces/default/configmaps?watch=1&${query}`,
    signal: controller.signal,
    headers: accept ? { accept } : {},
  });
  assert.equal(response.status, 200);
  const events: Watch['events'] = [];
  const read = async () => {
    let rest = '';
    for await (const chunk of response.body) {
      const lines = (rest + Buffer.from(chunk).toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) events.push(JSON.parse(line) as Watch['events'][number]);
    }
  };
  const ended = read().catch((error: unknown) => {
    if (!controller.signal.aborted) throw error;
  });
  return { events, ended, stop: () => controller.abort() };
}

const shown = (events: Watch['events']) => events.map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`.trim());
const configMap = (name: string, labels: Record<string, string> = {}) => ({ metadata: { namespace: 'default', name, labels } });

test('a watch without a resourceVersion begins with what is there and goes on with what happens', async () => {
  const fixture = await startServer();
  await fixture.client.create(configMaps, configMap('a'));
  const seen = await watch(fixture, '');
  const b = await fixture.client.create(configMaps, configMap('b'));
  await fixture.client.update(configMaps, { ...b, data: { x: '1' } });
  await fixture.client.delete(configMaps, { namespace: 'default', name: 'a' });
  await settleEventLoop();
  assert.deepEqual(shown(seen.events), ['ADDED a', 'ADDED b', 'MODIFIED b', 'DELETED a']);
  const versions = seen.events.map(({ object }) => Number(object.metadata?.resourceVersion));
  assert.deepEqual(
    versions,
    [...versions].sort((x, y) => x - y),
  );
  seen.stop();
  await seen.ended;
  await fixture.close();
});

test('a watch from a resourceVersion tells exactly what came after it', async () => {
  const fixture = await startServer();
  const a = await fixture.client.create(configMaps, configMap('a'));
  await fixture.client.create(configMaps, configMap('b'));
  const seen = await watch(fixture, `resourceVersion=${a.metadata?.resourceVersion}`);
  await fixture.client.create(configMaps, configMap('c'));
  await settleEventLoop();
  assert.deepEqual(shown(seen.events), ['ADDED b', 'ADDED c']);
  seen.stop();
  await fixture.close();
});

test('an object that comes into a selection is ADDED, one that leaves it DELETED at the revision of its leaving', async () => {
  const fixture = await startServer();
  const seen = await watch(fixture, 'labelSelector=x%3D1');
  const a = await fixture.client.create(configMaps, configMap('a', { x: '0' }));
  const inside = await fixture.client.update(configMaps, { ...a, metadata: { ...a.metadata, labels: { x: '1' } } });
  const outside = await fixture.client.update(configMaps, { ...inside, metadata: { ...inside.metadata, labels: { x: '2' } } });
  await settleEventLoop();
  assert.deepEqual(shown(seen.events), ['ADDED a', 'DELETED a']);
  const last = seen.events[1]?.object.metadata;
  assert.equal(last?.resourceVersion, outside.metadata?.resourceVersion);
  assert.deepEqual(last?.labels, { x: '1' });
  seen.stop();
  await fixture.close();
});

test('sendInitialEvents ends what is there with a bookmark that says so', async () => {
  const fixture = await startServer();
  await fixture.client.create(configMaps, configMap('a'));
  const seen = await watch(fixture, 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true');
  await settleEventLoop();
  assert.deepEqual(shown(seen.events), ['ADDED a', 'BOOKMARK']);
  assert.deepEqual(seen.events[1]?.object.metadata?.annotations, { 'k8s.io/initial-events-end': 'true' });
  seen.stop();
  await fixture.close();
});

test('bookmarks come once a minute and before the end, with the revision that has been reached', async () => {
  const fixture = await startServer();
  const newest = await fixture.store.currentRevision();
  const seen = await watch(fixture, `resourceVersion=${newest}&allowWatchBookmarks=true&timeoutSeconds=90`);
  const plain = await watch(fixture, 'resourceVersion=0&timeoutSeconds=90');
  await fixture.clock.step(61_000);
  assert.deepEqual(shown(seen.events), ['BOOKMARK']);
  const revision = await fixture.store.currentRevision();
  assert.equal(seen.events[0]?.object.metadata?.resourceVersion, String(revision));
  await fixture.clock.step(30_000);
  await seen.ended;
  await plain.ended;
  assert.deepEqual(shown(seen.events), ['BOOKMARK', 'BOOKMARK']);
  assert.deepEqual(plain.events, []);
  await fixture.close();
});

test('a watch from a revision that is forgotten is told Expired within its stream', async () => {
  const fixture = await startServer();
  for (let i = 0; i < 5000; i++) await fixture.client.create(configMaps, configMap(`a${i}`));
  const late = await watch(fixture, 'resourceVersion=1');
  await late.ended;
  assert.deepEqual(shown(late.events), ['ERROR']);
  assert.equal(late.events[0]?.object.code, 410);
  assert.equal(late.events[0]?.object.reason, 'Expired');
  await fixture.close();
});

test('a watch in Tables and in metadata alone shows the same events in that form', async () => {
  const fixture = await startServer();
  const tables = await watch(fixture, '', 'application/json;as=Table;v=v1;g=meta.k8s.io');
  const partial = await watch(fixture, '', 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io');
  const late = await watch(fixture, 'allowWatchBookmarks=true', 'application/json;as=Table;v=v1;g=meta.k8s.io');
  await fixture.client.create(configMaps, { ...configMap('a'), data: { x: '1' } });
  await fixture.client.create(configMaps, configMap('b'));
  await settleEventLoop();
  const columnsOf = ({ events }: Watch) =>
    events.map(({ object }) => (object as unknown as { columnDefinitions: unknown[] | null }).columnDefinitions?.length ?? null);
  assert.deepEqual(columnsOf(tables), [3, null], 'columns are told once');
  const joined = await watch(fixture, '', 'application/json;as=Table;v=v1;g=meta.k8s.io');
  await settleEventLoop();
  assert.deepEqual(columnsOf(joined), [3, null], 'to each watch');
  await fixture.clock.step(61_000);
  assert.deepEqual(columnsOf(late), [3, null, null, null], 'bookmarks are events like others, first or last');
  joined.stop();
  late.stop();
  const table = tables.events[0]?.object as unknown as { kind: string; rows: { cells: unknown[]; object: KubeObject }[] };
  assert.equal(table.kind, 'Table');
  assert.deepEqual(table.rows[0]?.cells.slice(0, 2), ['a', 1]);
  assert.equal(table.rows[0]?.object.kind, 'PartialObjectMetadata');
  assert.equal(partial.events[0]?.object.kind, 'PartialObjectMetadata');
  assert.equal('data' in (partial.events[0]?.object ?? {}), false);
  tables.stop();
  partial.stop();
  await fixture.close();
});

test('a closing server ends its watches', async () => {
  const fixture = await startServer();
  const seen = await watch(fixture, '');
  await fixture.close();
  await seen.ended;
});
