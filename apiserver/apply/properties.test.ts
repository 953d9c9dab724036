import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { schemaOf } from '../schema/schema.ts';
import { applyPatch } from './apply-patch.ts';
import { compareObjects, fieldsOf, type Json } from './compare.ts';
import {
  canonicalSet,
  difference,
  emptySet,
  type FieldSet,
  hasPath,
  intersection,
  isEmptySet,
  pathsOf,
  setOfPath,
  union,
} from './field-set.ts';
import { onlyVersion } from './kind-versions.ts';
import { trackUpdate } from './track-update.ts';

const schema = schemaOf('', 'v1', 'Pod')!;
const versions = onlyVersion('v1', schema);
const kind = { apiVersion: 'v1', kind: 'Pod' };

/** An object whose maps, list-map elements and set items have names from `names`, so that two appliers can be kept apart. */
function podOf(names: readonly string[]): fc.Arbitrary<KubeObject> {
  const value = fc.constantFrom('1', '2', '3');
  const named = <T extends object>(item: fc.Arbitrary<T>) =>
    fc
      .uniqueArray(fc.record({ name: fc.constantFrom(...names), rest: item }), {
        selector: (entry) => entry.name,
        minLength: 1,
        maxLength: 3,
      })
      .map((items) => items.map(({ name, rest }) => ({ name, ...rest })));
  // Nothing is empty: an empty map is a field of its own, which two appliers would have in common, and an empty list is none.
  const labels = fc.dictionary(fc.constantFrom(...names), value, { minKeys: 1 });
  const env = named(fc.record({ value }));
  const containers = named(fc.record({ image: value, env, args: fc.array(value, { maxLength: 2 }) }, { requiredKeys: [] }));
  return fc
    .record(
      {
        labels,
        finalizers: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }),
        containers,
        volumes: named(fc.record({ emptyDir: fc.record({ medium: value }, { requiredKeys: [] }) })),
      },
      { requiredKeys: [] },
    )
    .map(({ labels: labelMap, finalizers, containers: items, volumes }) => {
      const metadata = { name: 'p', ...(labelMap ? { labels: labelMap } : {}), ...(finalizers ? { finalizers } : {}) };
      const pod = { ...kind, metadata, spec: { ...(items ? { containers: items } : {}), ...(volumes ? { volumes } : {}) } };
      // Plain objects, as a body has.
      return JSON.parse(JSON.stringify(pod)) as KubeObject;
    });
}
const anyPod = podOf(['a', 'b', 'c', 'd']);

function apply(live: KubeObject | undefined, applied: KubeObject, manager: string, force = true): Promise<KubeObject> {
  return applyPatch({
    live,
    applied,
    manager,
    force,
    kind: 'Pod',
    versions,
    subresource: '',
    time: '2024-01-01T00:00:00Z',
    resets: ['status'],
  });
}
function valuesOf({ metadata: { managedFields: _, ...metadata } = {}, ...object }: KubeObject): Json {
  return { ...object, metadata };
}

/** The same whatever the order of lists and keys. */
function unordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unordered).sort((x, y) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([x], [y]) => (x < y ? -1 : 1))
      .map(([key, item]) => [key, unordered(item)]),
  );
}

test('applying the same again changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(anyPod, anyPod, async (first, second) => {
      const once = await apply(await apply(undefined, first, 'one'), second, 'two');
      assert.deepEqual(await apply(once, second, 'two'), once);
    }),
  );
});

test('the order of appliers who have nothing in common does not matter', async () => {
  await fc.assert(
    fc.asyncProperty(podOf(['a', 'b']), podOf(['c', 'd']), podOf(['a', 'b']), async (one, two, oneAgain) => {
      const forth = await apply(await apply(await apply(undefined, one, 'one', false), two, 'two', false), oneAgain, 'one', false);
      const back = await apply(await apply(await apply(undefined, two, 'two', false), one, 'one', false), oneAgain, 'one', false);
      const only = await apply(await apply(undefined, oneAgain, 'one', false), two, 'two', false);
      const dropEmpty = (object: KubeObject) => JSON.stringify(unordered(withoutEmpty(valuesOf(object))));
      assert.equal(dropEmpty(forth), dropEmpty(back));
      assert.equal(dropEmpty(forth), dropEmpty(only));
    }),
  );
});

/** Without empty objects and lists: whether they are left behind depends on who came first, and means nothing. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutEmpty(item) ?? {});
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, item]) => [key, withoutEmpty(item)] as const)
    .filter(([, item]) => item !== undefined && !(typeof item === 'object' && item !== null && Object.keys(item).length === 0));
  return Object.fromEntries(entries);
}

test('what no applier ever named is never lost', async () => {
  await fc.assert(
    fc.asyncProperty(anyPod, anyPod, anyPod, async (live, first, second) => {
      const result = await apply(await apply(live, first, 'one'), second, 'one');
      const { removed } = compareObjects(valuesOf(live), valuesOf(result), schema);
      const named = union(fieldsOf(first as Json, schema), fieldsOf(second as Json, schema));
      const lost = pathsOf(difference(removed, named)).filter((path) => !isWithin(path, named));
      assert.deepEqual(lost, []);
    }),
  );
});

/** Whether a path leads only to what is named: the empty map around a label that was given up. */
function isWithin(path: string[], named: FieldSet): boolean {
  let set: FieldSet | undefined = named;
  for (const element of path) set = set?.[element];
  return set !== undefined;
}

test('every field an applier names is in the result, with its value', async () => {
  await fc.assert(
    fc.asyncProperty(anyPod, anyPod, async (live, applied) => {
      const result = await apply(live, applied, 'one');
      const { modified, added } = compareObjects(valuesOf(result), valuesOf(applied), schema);
      assert.deepEqual(pathsOf(intersection(union(modified, added), fieldsOf(applied as Json, schema))), []);
    }),
  );
});

const element = fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}', 'v:1', 'v:"1"', 'i:0');
const anySet = fc
  .array(fc.array(element, { minLength: 1, maxLength: 3 }), { maxLength: 8 })
  .map((paths) => paths.reduce<FieldSet>((set, path) => union(set, setOfPath(path)), emptySet));
const textOf = (set: FieldSet) => JSON.stringify(canonicalSet(set));
const pathTexts = (set: FieldSet) => pathsOf(set).map((path) => path.join(' '));

test('union, intersection and difference are those of the sets of paths', () => {
  fc.assert(
    fc.property(anySet, anySet, (a, b) => {
      const [inA, inB] = [pathTexts(a), pathTexts(b)];
      assert.deepEqual(pathTexts(union(a, b)).sort(), [...new Set([...inA, ...inB])].sort());
      assert.deepEqual(pathTexts(intersection(a, b)).sort(), inA.filter((path) => inB.includes(path)).sort());
      assert.deepEqual(pathTexts(difference(a, b)).sort(), inA.filter((path) => !inB.includes(path)).sort());
      assert.equal(textOf(union(a, b)), textOf(union(b, a)));
      assert.ok(isEmptySet(difference(a, a)));
      for (const path of pathsOf(a)) assert.ok(hasPath(union(b, a), path));
    }),
  );
});

const hostileElement = fc.oneof(
  element,
  fc.constantFrom('.', '', 'f:', 'k:', 'k:null', 'k:[1]', 'k:{"a":{}}', 'v:', 'i:x', '__proto__', 'q:1', 'f:spec', 'f:metadata'),
  fc.string({ maxLength: 4 }),
);
const { set: hostileSet } = fc.letrec<{ set: object }>((tie) => ({
  set: fc.oneof(
    { maxDepth: 4 },
    fc.constant({}),
    fc
      .array(fc.tuple(hostileElement, fc.oneof(tie('set'), fc.constantFrom(1, null, 'x', []))), { maxLength: 4 })
      .map((entries) => JSON.parse(JSON.stringify(Object.fromEntries(entries))) as object),
  ) as fc.Arbitrary<object>,
}));

test('managedFields of any content end in a tracked object, a conflict or a refusal', async () => {
  const entry = fc.record(
    {
      manager: fc.constantFrom('one', 'x', ''),
      operation: fc.constantFrom('Apply', 'Update', 'Mend'),
      apiVersion: fc.constantFrom('v1', 'v2', ''),
      time: fc.constantFrom('2024-01-01T00:00:00Z'),
      fieldsType: fc.constantFrom('FieldsV1', 'FieldsV1', 'FieldsV2'),
      fieldsV1: hostileSet,
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(anyPod, anyPod, fc.array(entry, { maxLength: 3 }), fc.boolean(), async (live, applied, managedFields, force) => {
      const stored = { ...live, metadata: { ...live.metadata, managedFields } };
      const tracking = { subresource: '', versions, time: '2024-01-01T00:00:00Z', resets: [], manager: 'two' };
      await trackUpdate({ ...tracking, old: live, new: { ...applied, metadata: { ...applied.metadata, managedFields } } });
      try {
        JSON.stringify(await apply(stored, applied, 'one', force));
      } catch (error) {
        assert.ok(error instanceof StatusError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('an applied body of any content ends in an object or a refusal', async () => {
  await fc.assert(
    fc.asyncProperty(anyPod, fc.constantFrom('metadata', 'spec', 'status'), fc.jsonValue({ maxDepth: 4 }), async (live, field, value) => {
      const applied = { ...kind, metadata: { name: 'p' }, [field]: JSON.parse(JSON.stringify(value)) as object };
      try {
        JSON.stringify(await apply(live, applied, 'one'));
      } catch (error) {
        assert.ok(error instanceof StatusError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test("a list where an object is wanted is refused in Go's words, whatever is in it", async () => {
  const applied = { ...kind, metadata: { name: 'p' }, spec: [{ toString: '', a: [1, null] }] };
  await assert.rejects(apply(undefined, applied, 'one'), { message: /expected map, got &\{\[map\[a:\[1 <nil>\] toString:\]\]\}/ });
});
