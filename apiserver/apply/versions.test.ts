// Who manages what when a kind has several versions: v1 calls `count` what v2 calls `replicas`, and v1's `tags` is a
// text with commas where v2 has a set.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { customResourceNode } from '../customresources/schema-node.ts';
import { applyPatch } from './apply-patch.ts';
import type { KindVersions } from './kind-versions.ts';
import { trackUpdate } from './track-update.ts';

interface Gauge extends KubeObject {
  spec?: { count?: number; replicas?: number; tags?: unknown; note?: string };
}
const schemaWith = (properties: Record<string, object>) =>
  customResourceNode({ type: 'object', properties: { spec: { type: 'object', properties } } }, false);
const note = { type: 'string' };
const schemas = new Map([
  ['e.com/v1', schemaWith({ count: { type: 'integer' }, tags: { type: 'string' }, note })],
  [
    'e.com/v2',
    schemaWith({
      replicas: { type: 'integer' },
      tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      note,
    }),
  ],
]);

let converts = true;
/** The versions as seen from one, without those in `gone`. */
function versionsAt(apiVersion: string, gone: readonly string[] = []): KindVersions {
  const schemaOf = (asked: string) => (gone.includes(asked) ? undefined : schemas.get(asked));
  return { apiVersion, schema: schemas.get(apiVersion)!, schemaOf, convert };
}

async function convert(object: KubeObject, apiVersion: string): Promise<Gauge> {
  if (!converts) throw new StatusError('', 'the webhook is down');
  const { spec, ...rest } = object as Gauge;
  if (object.apiVersion === apiVersion) return object as Gauge;
  if (!spec) return { ...rest, apiVersion };
  const { count, replicas, tags, ...others } = spec;
  const amount = count ?? replicas;
  const name = apiVersion === 'e.com/v1' ? 'count' : 'replicas';
  const list = Array.isArray(tags) ? tags.join() : (tags as string | undefined)?.split(',');
  return { ...rest, apiVersion, spec: { ...others, ...(amount === undefined ? {} : { [name]: amount }), ...(list ? { tags: list } : {}) } };
}

const meta = { apiVersion: '', kind: 'Gauge', metadata: { name: 'g' } };
const time = '2024-01-01T00:00:00Z';
async function apply(
  live: Gauge | undefined,
  apiVersion: string,
  spec: object,
  manager: string,
  { force = false, gone = [] as string[] } = {},
) {
  const seen = live && (await convert(live, apiVersion));
  const request = { live: seen, applied: { ...meta, apiVersion, spec } as Gauge, kind: 'Gauge', manager, force, subresource: '', time };
  return (await applyPatch({ ...request, versions: versionsAt(apiVersion, gone), resets: [] })) as Gauge;
}
async function update(live: Gauge | undefined, apiVersion: string, spec: object, manager: string, gone: string[] = []): Promise<Gauge> {
  const old = live && (await convert(live, apiVersion));
  const next = { ...meta, ...old, apiVersion, spec } as Gauge;
  const tracking = { old, new: next, manager, subresource: '', time, versions: versionsAt(apiVersion, gone), resets: [] };
  const managedFields = await trackUpdate(tracking);
  return { ...next, metadata: { ...next.metadata, ...(managedFields ? { managedFields } : {}) } };
}
const managersOf = ({ metadata }: Gauge) =>
  Object.fromEntries((metadata?.managedFields ?? []).map(({ manager, apiVersion, fieldsV1 }) => [`${manager} ${apiVersion}`, fieldsV1]));

test('an update in one version takes a field from its manager in another, where it has another name', async () => {
  const created = await update(undefined, 'e.com/v1', { count: 1, note: 'n' }, 'old');
  const changed = await update(created, 'e.com/v2', { replicas: 2, note: 'n' }, 'new');
  assert.deepEqual(managersOf(changed), {
    'new e.com/v2': { 'f:spec': { 'f:replicas': {} } },
    'old e.com/v1': { 'f:spec': { '.': {}, 'f:note': {} } },
  });
});

test('an apply in one version conflicts with a manager in another, and says the name that it has there', async () => {
  const created = await apply(undefined, 'e.com/v1', { count: 1 }, 'old');
  await assert.rejects(apply(created, 'e.com/v2', { replicas: 2 }, 'new'), (error: StatusError) => {
    assert.equal(error.message, 'Apply failed with 1 conflict: conflict with "old": .spec.count');
    return true;
  });
  const same = await apply(created, 'e.com/v2', { replicas: 1 }, 'new');
  assert.deepEqual(managersOf(same), {
    'new e.com/v2': { 'f:spec': { 'f:replicas': {} } },
    'old e.com/v1': { 'f:spec': { 'f:count': {} } },
  });
  const forced = await apply(created, 'e.com/v2', { replicas: 2 }, 'new', { force: true });
  assert.deepEqual(managersOf(forced), { 'new e.com/v2': { 'f:spec': { 'f:replicas': {} } } });
});

test('who applies in another version than before gives up what it had in that one', async () => {
  const first = await apply(undefined, 'e.com/v1', { count: 1, tags: 'a,b', note: 'n' }, 'one');
  const shared = await apply(first, 'e.com/v2', { tags: ['a', 'b'], replicas: 1 }, 'two');
  const second = await apply(shared, 'e.com/v2', { note: 'n' }, 'one');
  assert.deepEqual(second.spec, { replicas: 1, tags: ['a', 'b'], note: 'n' }, 'the other still manages the rest');
  const third = await apply(second, 'e.com/v1', { note: 'n', count: 1 }, 'two');
  assert.deepEqual(third.spec, { note: 'n', count: 1 });
  assert.deepEqual(managersOf(third), {
    'one e.com/v2': { 'f:spec': { 'f:note': {} } },
    'two e.com/v1': { 'f:spec': { 'f:count': {}, 'f:note': {} } },
  });
});

test('managers of a version that is no more are forgotten, and what they applied stays', async () => {
  const first = await apply(undefined, 'e.com/v1', { count: 1, note: 'n' }, 'one');
  const gone = ['e.com/v1'];
  const updated = await update(first, 'e.com/v2', { replicas: 1, note: 'm' }, 'two', gone);
  assert.deepEqual(managersOf(updated), { 'two e.com/v2': { 'f:spec': { 'f:note': {} } } });
  const again = await apply(first, 'e.com/v2', { note: 'm' }, 'one', { gone });
  assert.deepEqual(again.spec, { replicas: 1, note: 'm' });
  assert.deepEqual(managersOf(again)['one e.com/v2'], { 'f:spec': { 'f:note': {} } });
});

test('an update goes on when nothing converts just now, with the managers that were; an apply cannot', async () => {
  const created = await update(undefined, 'e.com/v1', { count: 1 }, 'old');
  const inV2 = await convert(created, 'e.com/v2');
  converts = false;
  try {
    const tracking = { manager: 'new', subresource: '', time, versions: versionsAt('e.com/v2'), resets: [] };
    const kept = await trackUpdate({ ...tracking, old: inV2, new: { ...inV2, spec: { replicas: 3 } } as Gauge });
    assert.deepEqual(kept, created.metadata?.managedFields);
    const applied = { ...meta, apiVersion: 'e.com/v2', spec: { replicas: 1 } } as Gauge;
    await assert.rejects(applyPatch({ ...tracking, live: inV2, applied, kind: 'Gauge', force: true }), /the webhook is down/);
  } finally {
    converts = true;
  }
});
